"""From templates back to lines and sessions: which lines of a log do the anomalies mean?

Detection counts templates and keeps no lines. This reads the log once more with the templates that were learned, as
evidence is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from core.domain import Anomaly, AnomalyKind
from core.findings import Detection
from core.severity import WARN
from ingest.anomalies.sessions import anomalous_sessions
from ingest.parsing.stream import BatchStream
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

_OF_LINES = frozenset({AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE})
"""Kinds whose records are anomalous themselves. A changed rate says so of the rate, unless the records are errors."""


@dataclass(frozen=True, slots=True)
class LineScores:
    """Lines that are anomalous, and the score in [0, 1] of every line that has one."""

    flagged: tuple[int, ...]
    scores: Mapping[int, float]


def judge_lines(
    source: str, detection: Detection, miner: DrainMiner, timezone: ZoneInfo, observed_at: datetime
) -> LineScores:
    """Scores each physical line by the anomalies of its template that fall on its time."""
    anomalies = [anomaly for incident in detection.incidents for anomaly in incident.anomalies]
    spans: dict[tuple[int, str | None], list[Anomaly]] = {}
    for anomaly in anomalies:
        if anomaly.kind in _OF_LINES or (anomaly.kind is AnomalyKind.RATE_SPIKE and anomaly.severity >= WARN):
            spans.setdefault((anomaly.template_id, anomaly.service), []).append(anomaly)
    scores: dict[int, float] = {}
    for anomaly in anomalies:
        for example in anomaly.examples:
            if example.source == source and anomaly.kind is not AnomalyKind.RATE_DROP:
                scores[example.position] = max(scores.get(example.position, 0.0), anomaly.score / 2)
    for row in _records(source, miner, timezone, observed_at):
        for anomaly in spans.get((row.template_id, row.service), ()):
            if _inside(row.timestamp, anomaly):
                for line in range(row.position, row.position + row.line_count):
                    scores[line] = max(scores.get(line, 0.0), anomaly.score)
    flagged = sorted(line for line, score in scores.items() if score >= 0.5)
    return LineScores(tuple(flagged), dict(sorted(scores.items())))


def judge_sessions(
    source: str,
    sessions: Mapping[str, Sequence[int]],
    miner: DrainMiner,
    timezone: ZoneInfo,
    observed_at: datetime,
) -> tuple[str, ...]:
    """The sessions (id -> lines of the log) whose templates are unlike the others'."""
    of_line = {row.position: row.template_id for row in _records(source, miner, timezone, observed_at)}
    held = {key: {of_line[line] for line in lines if line in of_line} for key, lines in sessions.items()}
    return tuple(anomalous_sessions(held))


@dataclass(frozen=True, slots=True)
class _Record:
    position: int
    line_count: int
    timestamp: datetime | None
    service: str | None
    template_id: int


def _records(source: str, miner: DrainMiner, timezone: ZoneInfo, observed_at: datetime) -> Iterator[_Record]:
    stream = BatchStream(open_sources([source]).sources, timezone=timezone, observed_at=observed_at, threads=0)
    for batch in stream:
        rows = miner.classify(batch).select(
            "position",
            "line_count",
            "timestamp",
            pl.col("service").cast(pl.String),
            pl.col("template_id").fill_null(-1),
        )
        for row in rows.iter_rows():
            yield _Record(*row)


def _inside(timestamp: datetime | None, anomaly: Anomaly) -> bool:
    if timestamp is None or anomaly.first_seen is None or anomaly.last_seen is None:
        return True
    return anomaly.first_seen <= timestamp <= anomaly.last_seen
