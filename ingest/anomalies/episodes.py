"""Flags of one series that follow each other are one episode: one anomaly, with its kind and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.domain import AnomalyKind
from ingest.anomalies import rare_template, rate_drop, rate_spike
from ingest.anomalies.judge import ALARMING, ERRORS, Flag
from ingest.anomalies.panel import Panel
from ingest.anomalies.statistics import Floats, upper_tail
from ingest.counts import SECOND

GAP: Final = 3
"""Normal buckets in a row that an episode of errors survives; one of milder messages survives one."""

MOST_GAP: Final = 10
"""Normal buckets in a row that an episode of alarming messages survives where they used to be rare."""

LONGEST_GAP: Final = 180 * SECOND
"""Microseconds that such a gap may last on the time axis."""

BY_CHANCE: Final = 0.1
"""Records expected of a rare message while it pauses, up to which its next one is still no chance."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One series out of its normal from bucket `first` to bucket `last`; counts are sums over those buckets.

    `active`: how many of those buckets are out of the normal themselves.
    """

    row: int
    kind: AnomalyKind
    first: int
    last: int
    active: int
    observed: float
    expected: float
    p_value: float
    before: float


def episodes(flags: Sequence[Flag], panel: Panel, alarms: Floats) -> list[Episode]:
    """Flags joined per series and direction, in order of start.

    An episode lasts until the series is back where it was before it, whatever the judge has got used to meanwhile.
    """
    by_series: dict[tuple[int, bool], list[Flag]] = {}
    for flag in flags:
        by_series.setdefault((flag.row, flag.up), []).append(flag)
    found = []
    for (row, up), mine in by_series.items():
        i = 0
        while i < len(mine):
            out = _out_of_normal(panel, row, up, mine[i].expected)
            last = _end(out, mine[i].column, _gap(float(alarms[row]), up, mine[i].expected, panel))
            run = [flag for flag in mine[i:] if flag.column <= last]
            i += len(run)
            found.append(_episode(run, last, int(out[run[0].column : last + 1].sum()), panel))
    return sorted(found, key=lambda episode: (episode.first, episode.row, episode.kind))


def _gap(alarming: float, up: bool, expected: float, panel: Panel) -> int:
    """Normal buckets in a row that an episode survives: the more, the rarer the message was before."""
    least = GAP if alarming >= ERRORS or not up else 1
    if not up or alarming < ALARMING:
        return least
    most = min(MOST_GAP, LONGEST_GAP // panel.width) if panel.timed else MOST_GAP
    return max(least, min(most, int(BY_CHANCE / max(expected, 1e-9))))


def _out_of_normal(panel: Panel, row: int, up: bool, expected: float) -> NDArray[np.bool_]:
    counts = panel.counts[row]
    normal = expected * panel.exposure
    if up:
        return np.asarray((counts > rate_spike.RATIO * normal) & (counts >= 1))
    return np.asarray(counts < rate_drop.RATIO * normal)


def _end(out: NDArray[np.bool_], first: int, gap: int) -> int:
    """The last bucket out of the normal that is reached from `first` with at most `gap` normal ones in a row."""
    last = first
    for column in range(first + 1, len(out)):
        if out[column]:
            last = column
        elif column - last > gap:
            break
    return last


def _episode(run: Sequence[Flag], last: int, active: int, panel: Panel) -> Episode:
    row, up, first = run[0].row, run[0].up, run[0].column
    before = float(panel.counts[row, :first].sum())
    observed = float(panel.counts[row, first : last + 1].sum())
    if up and before == 0:
        kind = AnomalyKind.NEW_TEMPLATE
    elif up and rare_template.is_rare(before):
        kind = AnomalyKind.RARE_TEMPLATE
    elif up:
        kind = AnomalyKind.RATE_SPIKE
    elif observed == 0 and last - first >= 2:
        kind = AnomalyKind.MISSING_TEMPLATE
    else:
        kind = AnomalyKind.RATE_DROP
    active = max(active, len(run))
    expected = run[0].expected * float(panel.exposure[first : last + 1].sum())
    p_value = min(flag.p_value for flag in run)
    if kind in (AnomalyKind.RATE_SPIKE, AnomalyKind.RARE_TEMPLATE):
        # The episode as a whole: what scatters between buckets averages out over many.
        total = upper_tail(*(np.array([v]) for v in (observed, max(expected, 1e-6), run[0].alpha / active)))
        p_value = max(1e-300, min(p_value, float(total[0])))
    if kind is AnomalyKind.NEW_TEMPLATE and active > 1 and first > 0:
        # Each further bucket that brings a kind unseen before `first` is less likely (the logarithmic series again).
        span = float(panel.exposure[first : last + 1].sum())
        share = span / (span + float(panel.exposure[:first].sum()))
        p_value = max(p_value * share ** (active - 1), 1e-300)
    return Episode(row, kind, first, last, active, observed, expected, p_value, before)
