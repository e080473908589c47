"""Flags of one series that follow each other are one episode: one anomaly, with its kind and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.domain import AnomalyKind
from ingest.anomalies import rare_template
from ingest.anomalies.judge import Flag
from ingest.anomalies.panel import Panel

GAP: Final = 3
"""Buckets without a flag that an episode survives."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One series out of its normal from bucket `first` to bucket `last`; counts are sums over those buckets."""

    row: int
    kind: AnomalyKind
    first: int
    last: int
    observed: float
    expected: float
    p_value: float
    before: float
    buckets_before: float


def episodes(flags: Sequence[Flag], panel: Panel) -> list[Episode]:
    """Flags joined per series and direction, in order of start."""
    open_runs: dict[tuple[int, bool], list[list[Flag]]] = {}
    for flag in flags:
        runs = open_runs.setdefault((flag.row, flag.up), [])
        if runs and flag.column - runs[-1][-1].column <= GAP + 1:
            runs[-1].append(flag)
        else:
            runs.append([flag])
    found = [_episode(run, panel) for runs in open_runs.values() for run in runs]
    return sorted(found, key=lambda episode: (episode.first, episode.row, episode.kind))


def _episode(run: Sequence[Flag], panel: Panel) -> Episode:
    row, up = run[0].row, run[0].up
    first, last = run[0].column, run[-1].column
    before = float(panel.counts[row, :first].sum())
    observed = float(panel.counts[row, first : last + 1].sum())
    if up and before == 0:
        kind = AnomalyKind.NEW_TEMPLATE
    elif up and rare_template.is_rare(run[0].before):
        kind = AnomalyKind.RARE_TEMPLATE
    elif up:
        kind = AnomalyKind.RATE_SPIKE
    elif observed == 0 and last - first >= 2:
        kind = AnomalyKind.MISSING_TEMPLATE
    else:
        kind = AnomalyKind.RATE_DROP
    expected = sum(flag.expected for flag in run) / len(run) * (last - first + 1)
    return Episode(
        row, kind, first, last, observed, expected, min(flag.p_value for flag in run), before, run[0].buckets_before
    )
