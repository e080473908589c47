"""Judges each bucket of a panel against the history before it.

For each series the judge keeps the sums that give its rate and its over-dispersion over the buckets it accepted as
normal. What counts as normal: every bucket that does not stand out; more of a harmless or merely worrying message
(that is what the system does now, and the next burst is measured against it); errors that came and went within `BRIEF`
buckets, or that keep coming and going (the noise that a system lives with). An incident, errors that stay, does not
become the norm, unless it outlasts `REGIME` buckets, as a fall does.

How busy the system is as a whole (day and night, a bigger batch of users) is taken out: each bucket has a size factor,
the weighted median over the series of observed / expected, as DESeq does for sequencing depth (Anders and Huber 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies import new_template, rate_drop, rate_spike
from ingest.anomalies.panel import Panel
from ingest.anomalies.statistics import Floats, discoveries

REGIME: Final = 40
"""Buckets after which a lasting fall is the new norm."""

BRIEF: Final = 2
"""Buckets that errors may last and still be learned as noise, once they are over."""

WARM: Final = 4.0
"""Buckets of history before which nothing is called new: in a log's first minutes all is."""

SPARSE: Final = 8
"""Buckets after which errors that come and go are told from errors that stay."""

ERRORS: Final = 0.6
"""Alarm from which more of a message is an error, and not the way the system works."""

PRIOR_ALPHA: Final = 0.25
PRIOR_BUCKETS: Final = 3.0
"""Over-dispersion assumed of a series before it has shown its own, worth this many buckets."""

ALARMING: Final = 0.35
"""Alarm of a message from which a series is judged among those that tell of trouble."""

_HEAVY: Final = 3.0


@dataclass(frozen=True, slots=True)
class Flag:
    """One cell that stands out: series `row` in bucket `column`. `before` records of it were accepted earlier;
    `alpha` is its over-dispersion."""

    row: int
    column: int
    up: bool
    observed: float
    expected: float
    alpha: float
    p_value: float
    before: float


class _History:
    """Sums over the accepted buckets of each series, from which rate and over-dispersion follow exactly."""

    def __init__(self, rows: int) -> None:
        self.x = np.zeros(rows)
        self.xx = np.zeros(rows)
        self.sx = np.zeros(rows)
        self.s = np.zeros(rows)
        self.ss = np.zeros(rows)
        self.present = np.zeros(rows)

    def add(self, counts: Floats, size: float, accepted: NDArray[np.bool_]) -> None:
        self.x += np.where(accepted, counts, 0.0)
        self.xx += np.where(accepted, counts**2, 0.0)
        self.sx += np.where(accepted, counts * size, 0.0)
        self.s += np.where(accepted, size, 0.0)
        self.ss += np.where(accepted, size**2, 0.0)
        self.present += np.where(accepted & (counts > 0), 1.0, 0.0)

    def add_one(self, row: int, count: float, size: float) -> None:
        self.x[row] += count
        self.xx[row] += count**2
        self.sx[row] += count * size
        self.s[row] += size
        self.ss[row] += size**2
        self.present[row] += count > 0

    def rate(self) -> Floats:
        return np.asarray(self.x / np.maximum(self.s, 1e-9))

    def alpha(self) -> Floats:
        """Over-dispersion, shrunk to the prior, plus what is not known of the rate."""
        rate = self.rate()
        residual = np.maximum(0.0, self.xx - 2 * rate * self.sx + rate**2 * self.ss - rate * self.s)
        scale = rate**2 * self.ss
        # The prior is worth some average buckets of this series.
        weight = PRIOR_BUCKETS * rate**2 * np.where(self.s > 0, self.ss / np.maximum(self.s, 1e-9), 1.0)
        own = (residual + PRIOR_ALPHA * weight) / np.maximum(scale + weight, 1e-12)
        return np.asarray(np.where(self.x > 0, own, PRIOR_ALPHA) + 1.0 / (self.x + 1.0))


def _size_factor(counts: Floats, expected: Floats, exposure: float, previous: float) -> float:
    """How busy a bucket is: weighted median of observed / expected over the series of some weight."""
    heavy = expected * exposure >= _HEAVY
    if heavy.sum() < 4:
        return exposure
    ratios = counts[heavy] / expected[heavy]
    weights = np.minimum(np.sqrt(expected[heavy]), 10.0)
    order = np.argsort(ratios)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    size = float(ratios[order][min(int(middle), len(order) - 1)])
    # Load falls by steps people know; when everything stops at once, that is no quiet hour.
    return max(size, 0.3 * previous * exposure, 1e-3)


def judge(panel: Panel, alarms: Floats, rate: float) -> list[Flag]:
    """Cells of the window that stand out, in order of column.

    `alarms` (series,) in [0, 1]; `rate` is the false discovery rate, which holds over the series of each bucket.
    """
    history = _History(len(panel.series))
    pending = _Pending(len(panel.series))
    errors = alarms >= ERRORS
    flags: list[Flag] = []
    fallen = np.zeros(len(panel.series))
    previous = 1.0
    for column in range(panel.buckets):
        counts, exposure = panel.counts[:, column], float(panel.exposure[column])
        size = _size_factor(counts, history.rate(), exposure, previous)
        if column < panel.start:
            if panel.trusted[column]:
                history.add(counts, size, np.ones(len(counts), dtype=np.bool_))
            previous = size / exposure
            continue
        found = _judge_column(panel, column, history, alarms, size, rate)
        flags.extend(found)
        up, down = np.zeros(len(counts), dtype=np.bool_), np.zeros(len(counts), dtype=np.bool_)
        up[[flag.row for flag in found if flag.up]] = True
        down[[flag.row for flag in found if not flag.up]] = True
        fallen = np.where(down, fallen + 1, 0)
        history.add(counts, size, ~(up & errors) & ~(down & (fallen <= REGIME)))
        pending.step(column, counts, size, up & errors, history)
        previous = 0.7 * previous + 0.3 * size / exposure
    return flags


class _Pending:
    """Errors that stood out, held back from the history until it is clear what they are.

    They are noise, and learned, if they are over after a few buckets, if they come and go (in at most half of the
    buckets since they began), or if they have stayed so long that they are how the system works.
    """

    def __init__(self, rows: int) -> None:
        self.held: dict[int, list[tuple[float, float]]] = {}
        self.since = np.zeros(rows, dtype=np.int64)
        self.quiet = np.zeros(rows, dtype=np.int64)

    def step(self, column: int, counts: Floats, size: float, flagged: NDArray[np.bool_], history: _History) -> None:
        for row in np.flatnonzero(flagged).tolist():
            if row not in self.held:
                self.held[row] = []
                self.since[row] = column
            self.held[row].append((float(counts[row]), size))
            self.quiet[row] = 0
        for row in sorted(self.held):
            held, elapsed = self.held[row], column - int(self.since[row]) + 1
            if not flagged[row]:
                self.quiet[row] += 1
            over = self.quiet[row] > BRIEF
            noise = (over and len(held) <= BRIEF) or (elapsed >= SPARSE and len(held) <= elapsed / 2)
            if noise or len(held) > REGIME:
                for count, was in held:
                    history.add_one(row, count, was)
            if noise or over or len(held) > REGIME:
                del self.held[row]


def _judge_column(
    panel: Panel,
    column: int,
    history: _History,
    alarms: Floats,
    size: float,
    rate: float,
) -> list[Flag]:
    counts = panel.counts[:, column]
    seen = float(history.s.max(initial=0.0))
    if seen <= 0:
        return []
    expected = history.rate() * size
    alpha = history.alpha()
    known = history.x > 0
    p = np.ones(len(counts))

    more = known & rate_spike.candidates(counts, expected)
    if more.any():
        p[more] = rate_spike.p_values(counts[more], expected[more], alpha[more])
    less = known & rate_drop.candidates(counts, expected)
    if less.any():
        p[less] = rate_drop.p_values(counts[less], expected[less], alpha[less])
    new = ~known & (counts > 0) & (seen >= WARM)
    for of_class in (alarms >= ALARMING, alarms < ALARMING):
        mine = new & of_class
        if mine.any():
            # A burst in one bucket is no sign that more is to come; one or two records are.
            singles = float(((history.present == 1) & (history.x <= 2) & of_class).sum())
            p[mine] = new_template.novelty(counts[mine], singles, int(mine.sum()), size, seen)
    up = more | new

    tested = (counts > 0) | (expected >= 1)
    weights = 0.3 + 6 * alarms**2
    keep = np.zeros(len(counts), dtype=np.bool_)
    keep[tested] = discoveries(p[tested], rate, weights[tested])
    return [
        Flag(
            int(row),
            column,
            bool(up[row]),
            float(counts[row]),
            float(expected[row]),
            float(alpha[row]),
            float(p[row]),
            float(history.x[row]),
        )
        for row in np.flatnonzero(keep)
    ]
