"""From templates back to lines and sessions: which lines of a log do the anomalies mean?

Detection counts templates and keeps no lines, so the miner is watched while it assigns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from core.domain import Anomaly, AnomalyKind, LogTemplate
from core.findings import Detection
from core.ports import TemplateMiner
from core.severity import WARN
from ingest.anomalies.sessions import anomalous_sessions

_COLUMNS: Final = ("position", "line_count", "timestamp", "service", "template_id")
_OF_LINES: Final = frozenset({AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE})
"""Kinds whose records are anomalous themselves. A changed rate says so of the rate, unless the records are errors."""
FLAGGED: Final = 0.5
"""Score from which a line is called anomalous."""


class WatchedMiner:
    """A miner (`core.ports.TemplateMiner`) that keeps which record of one source got which template."""

    def __init__(self, miner: TemplateMiner, source: str) -> None:
        self._miner = miner
        self._source = source
        self._frames: list[pl.DataFrame] = []

    def assign(self, batch: pl.DataFrame) -> pl.DataFrame:
        """What the miner assigns."""
        mined = self._miner.assign(batch)
        if not mined.is_empty() and str(mined["source"][0]) == self._source:
            self._frames.append(mined.select(*_COLUMNS).with_columns(pl.col("service").cast(pl.String)))
        return mined

    def templates(self) -> Mapping[int, LogTemplate]:
        """What the miner knows."""
        return self._miner.templates()

    def resolve(self, template_id: int) -> int:
        """What the miner resolves."""
        return self._miner.resolve(template_id)

    def records(self) -> pl.DataFrame:
        """The records of the source, in order (`_COLUMNS`), under the ids that templates have now."""
        if not self._frames:
            return pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.Int64))
        frame = pl.concat(self._frames)
        ids = frame["template_id"].unique().to_list()
        return frame.with_columns(pl.col("template_id").replace_strict(ids, [self.resolve(each) for each in ids]))


@dataclass(frozen=True, slots=True)
class LineScores:
    """Lines that are anomalous, and the score in [0, 1] of every line that has one."""

    flagged: tuple[int, ...]
    scores: Mapping[int, float]


def judge_lines(source: str, detection: Detection, records: pl.DataFrame) -> LineScores:
    """Scores each physical line of a source by the anomalies of its template that fall on its time."""
    spans: dict[tuple[int, str | None], list[Anomaly]] = {}
    scores: dict[int, float] = {}
    for anomaly in (anomaly for incident in detection.incidents for anomaly in incident.anomalies):
        if anomaly.kind in _OF_LINES or (anomaly.kind is AnomalyKind.RATE_SPIKE and anomaly.severity >= WARN):
            spans.setdefault((anomaly.template_id, anomaly.service), []).append(anomaly)
        if anomaly.kind is not AnomalyKind.RATE_DROP:
            for example in anomaly.examples:
                if example.source == source:
                    _raise(scores, example.position, 1, anomaly.score / 2)
    wanted = records.filter(pl.col("template_id").is_in([template_id for template_id, _ in spans]))
    for position, line_count, timestamp, service, template_id in wanted.iter_rows():
        for anomaly in spans.get((template_id, service), ()):
            if _inside(timestamp, anomaly):
                _raise(scores, position, line_count, anomaly.score)
    flagged = sorted(line for line, score in scores.items() if score >= FLAGGED)
    return LineScores(tuple(flagged), dict(sorted(scores.items())))


def judge_sessions(sessions: Mapping[str, Sequence[int]], records: pl.DataFrame) -> tuple[str, ...]:
    """The sessions (id -> lines of the source) whose templates are unlike the others'."""
    of_line = dict(records.select("position", "template_id").iter_rows())
    return tuple(
        anomalous_sessions(
            {key: {of_line[line] for line in lines if line in of_line} for key, lines in sessions.items()}
        )
    )


def _raise(scores: dict[int, float], position: int, line_count: int, score: float) -> None:
    for line in range(position, position + line_count):
        scores[line] = max(scores.get(line, 0.0), score)


def _inside(timestamp: datetime | None, anomaly: Anomaly) -> bool:
    if timestamp is None or anomaly.first_seen is None or anomaly.last_seen is None:
        return True
    return anomaly.first_seen <= timestamp <= anomaly.last_seen
