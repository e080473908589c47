"""Judges each bucket of a panel against the history before it.

For each series the judge keeps the sums that give its rate and its over-dispersion over the buckets it accepted as
normal. A bucket that stands out is not accepted, so an incident does not become the norm; a harmless change that lasts
is accepted after `REGIME` buckets, for that is what the system does now.

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

REGIME: Final = 6
"""Buckets after which a lasting change of a harmless series is the new norm."""

PRIOR_ALPHA: Final = 0.25
PRIOR_BUCKETS: Final = 3.0
"""Over-dispersion assumed of a series before it has shown its own, worth this many buckets."""

ALARMING: Final = 0.35
"""Alarm of a message from which a series is judged among those that tell of trouble."""

_HEAVY: Final = 3.0


@dataclass(frozen=True, slots=True)
class Flag:
    """One cell that stands out: series `row` in bucket `column`. `before` records of it were accepted earlier."""

    row: int
    column: int
    up: bool
    observed: float
    expected: float
    p_value: float
    before: float
    buckets_before: float


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
    streak = np.zeros(len(panel.series))
    alarming = alarms >= ALARMING
    flags: list[Flag] = []
    previous = 1.0
    for column in range(panel.buckets):
        counts, exposure = panel.counts[:, column], float(panel.exposure[column])
        normal = history.rate()
        size = _size_factor(counts, normal, exposure, previous)
        if column < panel.start:
            if panel.trusted[column]:
                history.add(counts, size, np.ones(len(counts), dtype=np.bool_))
            previous = size / exposure if exposure else previous
            continue
        found = _judge_column(panel, column, history, alarms, size, rate)
        flags.extend(found)
        flagged = np.zeros(len(counts), dtype=np.bool_)
        flagged[[flag.row for flag in found]] = True
        streak = np.where(flagged, streak + 1, 0)
        accepted = ~flagged | (~alarming & (streak > REGIME))
        history.add(counts, size, accepted)
        previous = 0.7 * previous + 0.3 * size / exposure
    return flags


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
    new = ~known & (counts > 0)
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
            float(p[row]),
            float(history.x[row]),
            float(history.s[row]),
        )
        for row in np.flatnonzero(keep)
    ]
