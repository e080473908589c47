"""Trouble in a log that nothing can be judged against: a dump, a job's output, a log that fails from its first line.

Only what the log says itself can count then: severities, words of failure, how much of the log they are, and where they
stand. It is used where nothing else opened an incident. What is said all through a long log and is a small part of it
is noise that the system lives with, and so is what the reference says too. A dump may also show that a resource is at
its capacity (`capacity.py`) while no line of it tells of a failure.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from core import severity
from core.domain import Anomaly, AnomalyKind
from ingest.activity import to_datetime
from ingest.anomalies.capacity import full
from ingest.anomalies.judge import ERRORS
from ingest.anomalies.subject import Facts, mentions, places
from ingest.anomalies.symptom import Symptom

TELLING: Final = 0.42
"""Alarm from which a message tells of trouble here: failures at any severity, delays of seconds; no plain warnings."""

SHORT: Final = 600.0
"""Records up to which a log is read as one story: any failure in it counts, less the longer it is."""

SHORT_OF_KNOWN: Final = 200.0
"""The same where there is a reference: longer logs have been judged against it."""

SHARE: Final = 0.3
"""Share of failing records from which a log of any length is failing."""

DUMP: Final = 5000
"""Records up to which a log may be a dump, whose figures are read."""

EXHAUSTED: Final = 0.6
"""Weight of a resource at its capacity: by itself an incident, though the mildest."""


def standing(facts: Facts, records: float) -> list[Symptom]:
    """Symptoms from what the log says by itself, in order of place; empty where it says nothing alarming.

    `records` is the size of the whole run, all axes.
    """
    subject = facts.subject
    panel = subject.panel
    window = panel.counts[:, panel.start :]
    totals = window.sum(axis=1)
    unknown = panel.counts[:, : panel.start].sum(axis=1) == 0
    failing = (facts.alarms >= TELLING) & (totals > 0) & unknown
    share = float(totals[failing].sum()) / max(records, 1.0)
    # A failure weighs fully in a short log; in a long one only if it is a fair part of it or comes at its end.
    length = min(1.0, (SHORT_OF_KNOWN if panel.start else SHORT) / max(records, 1.0))
    found = []
    for row in np.flatnonzero(failing):
        spread = float((window[row] > 0).mean())
        late = _lateness(window[row])
        weight = float(facts.alarms[row]) * max(
            length, min(1.0, share / SHARE), late * (1.0 - spread) * min(1.0, 5 * length)
        )
        found.append(_failure(facts, int(row), min(0.95, weight), records))
    if not panel.start:
        found += _exhausted(facts)
    return sorted(found, key=lambda s: (s.start, s.anomaly.template_id))


def _lateness(counts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """1 where all records stand in the last tenth of the log, 0 where none does."""
    tail = max(1, len(counts) // 10)
    return float(counts[-tail:].sum() / counts.sum()) if len(counts) >= 10 else 0.0


def _failure(facts: Facts, row: int, weight: float, records: float) -> Symptom:
    panel = facts.subject.panel
    level = panel.series[row][2]
    rows = facts.rows(row, int(panel.starts[panel.start]), 1 << 62)
    count = int(rows["count"].sum())
    said = f"at {severity.name(level)}" if level >= severity.WARN else "in its own words"
    why = f"tells of a failure {said}, {count} of {records:.0f} records; there is no history to judge it against"
    return _symptom(facts, rows, facts.messages[row], float(facts.alarms[row]), weight, why, observed=float(count))


def _exhausted(facts: Facts) -> list[Symptom]:
    """Resources at their capacity, read off the figures of a dump in the order of its lines."""
    table = facts.subject.table
    if len(table) > DUMP:
        return []
    lines = table.sort(pl.col("first_source").cast(pl.String), "first_position", maintain_order=True)
    return [
        _symptom(
            facts,
            lines[each.place],
            each.why,
            TELLING,
            EXHAUSTED,
            each.why,
            observed=each.used,
            expected=each.room,
        )
        for each in full(lines["sample"].fill_null("").to_list())
    ]


def _symptom(
    facts: Facts,
    rows: pl.DataFrame,
    message: str,
    alarming: float,
    weight: float,
    why: str,
    *,
    observed: float | str,
    expected: str | None = None,
) -> Symptom:
    """The symptom of some rows of the table, all of one series; `message` is what it is called by."""
    timed = facts.subject.panel.timed
    template_id, service, level = rows.select("template_id", pl.col("service").cast(pl.String), "severity").row(0)
    first, last = ("first_time", "last_time") if timed else ("bucket", "bucket")
    start, end = int(rows[first].min()), int(rows[last].max())  # type: ignore[arg-type]  # Int64
    return Symptom(
        anomaly=Anomaly(
            kind=AnomalyKind.NEW_TEMPLATE,
            template_id=template_id,
            template=facts.text(template_id),
            service=service,
            severity=level,
            observed=observed,
            expected=expected,
            score=round(min(1.0, weight), 4),
            p_value=None,
            why=why,
            count=int(rows["count"].sum()),
            first_seen=to_datetime(start) if timed else None,
            last_seen=to_datetime(end) if timed else None,
        ),
        alarm=alarming,
        weight=weight,
        timed=timed,
        start=start,
        end=end,
        message=message,
        examples=places(rows),
        trace_ids=frozenset(rows["trace_id"].drop_nulls().head(20).to_list()),
        mentions=mentions(message, facts.subject.services, service),
    )


def failing_share(table: pl.DataFrame, facts: Facts, start: int, end: int, services: tuple[str, ...]) -> float:
    """Share of failing records among those of `services` (all where empty) whose bucket touches [start, end].

    A warning is none: a service that warns of each of its callers still answers.
    """
    bad = {key for key, value in zip(facts.subject.panel.series, facts.alarms, strict=True) if value >= ERRORS}
    inside = table.filter((pl.col("bucket") <= end) & (pl.col("bucket") > start - facts.subject.panel.width))
    grouped = inside.group_by("template_id", pl.col("service").cast(pl.String), "severity").agg(pl.col("count").sum())
    total = failing = 0
    for template_id, service, level, count in grouped.iter_rows():
        if services and service is not None and service not in services:
            continue
        total += count
        failing += count if (template_id, service, level) in bad else 0
    return failing / total if total else 0.0
