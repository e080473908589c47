"""From templates back to lines and sessions: which lines of a log do the anomalies mean?

Detection counts templates and keeps no lines, so the miner is watched while it assigns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from core.domain import Anomaly, AnomalyKind, Incident, LogTemplate
from core.findings import Detection
from core.ports import TemplateMiner
from core.severity import WARN
from ingest.anomalies.sessions import anomalous_sessions

_COLUMNS: Final = ("position", "line_count", "timestamp", "severity", "service", "body", "template_id")
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
    claims: dict[tuple[int, str | None], list[_Claim]] = {}
    scores: dict[int, float] = {}
    for incident in detection.incidents:
        seen = {
            (each.template_id, each.service)
            for each in detection.history.activity(incident.starts_at, incident.ends_at)
            if each.before
        }
        for anomaly in incident.anomalies:
            claim = _claim(anomaly, incident, (anomaly.template_id, anomaly.service) in seen)
            if claim is not None:
                claims.setdefault((anomaly.template_id, anomaly.service), []).append(claim)
            if anomaly.kind is not AnomalyKind.RATE_DROP:
                for example in anomaly.examples:
                    if example.source == source:
                        _raise(scores, example.position, 1, anomaly.score / 2)
    wanted = records.filter(pl.col("template_id").is_in([template_id for template_id, _ in claims]))
    for position, line_count, timestamp, severity, service, body, template_id in wanted.iter_rows():
        for claim in claims.get((template_id, service), ()):
            if claim.covers(timestamp, severity, body):
                _raise(scores, position, line_count, claim.score)
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


@dataclass(frozen=True, slots=True)
class _Claim:
    """Records of a template that an anomaly means: inside a span, of a severity, or with a value (None: all)."""

    score: float
    start: datetime | None
    end: datetime | None
    severity: int | None = None
    value: str | None = None

    def covers(self, timestamp: datetime | None, severity: int, body: str) -> bool:
        timed = timestamp is not None and self.start is not None and self.end is not None
        if timed and not self.start <= timestamp <= self.end:  # type: ignore[operator]
            return False
        if self.severity is None and self.value is None:
            return True
        return (self.severity is not None and severity >= self.severity) or (
            self.value is not None and self.value in body
        )


def _claim(anomaly: Anomaly, incident: Incident, seen: bool) -> _Claim | None:
    """What an anomaly says about lines; None where it speaks of a rate or a distribution only.

    What is new stays new to the end of its incident, though later records of it surprise nobody. `seen`: whether the
    template came before the incident at all.
    """
    end = max(filter(None, (anomaly.last_seen, incident.ends_at)), default=None)
    severity = anomaly.severity if anomaly.severity >= WARN else None
    if anomaly.kind in _OF_LINES:
        # A template may be new as an error and old as information: an access log is one template for 200 and 503.
        return _Claim(anomaly.score, anomaly.first_seen, end, severity if seen else None)
    if anomaly.kind is AnomalyKind.NEW_VALUE:
        value = anomaly.observed if isinstance(anomaly.observed, str) else None
        return _Claim(anomaly.score, anomaly.first_seen, end, severity, value) if severity or value else None
    if anomaly.kind is AnomalyKind.RATE_SPIKE and severity is not None:
        return _Claim(anomaly.score, anomaly.first_seen, anomaly.last_seen, severity)
    return None
