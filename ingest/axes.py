"""One axis of a run: time, or the order of reading for records without times. Its symptoms, grouped into incidents.

A run is judged per axis; `groups` brings the incidents of both together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from core.domain import Anomaly, ChangeEvent, Incident, LogTemplate
from ingest import incidents
from ingest.anomalies import panel as panels
from ingest.anomalies.finder import find
from ingest.anomalies.outcome import succeeded
from ingest.anomalies.standing import failing_share, standing
from ingest.anomalies.subject import Facts, Subject, spoken
from ingest.anomalies.symptom import Symptom
from ingest.counts import SECOND, HistoryRow

LONGEST_GAP: Final = 1200 * SECOND
"""Microseconds without a symptom that one incident may have."""

RECURS: Final = 3
"""Gaps within which the same symptoms are the same incident again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both axes of a run are judged by.

    `known` are the counts of known-good logs (`ingest.counts.TABLE`), `learned` the rows of earlier runs that count,
    `since` the start of the window in microseconds, `reference` all of them in words; `bucket` is the width asked for,
    `rate` the false discovery rate.
    """

    templates: Mapping[int, LogTemplate]
    services: frozenset[str]
    known: pl.DataFrame | None
    learned: Sequence[HistoryRow]
    since: int | None
    reference: str
    bucket: timedelta | None
    rate: float


@dataclass(frozen=True, slots=True)
class Axis:
    """What one axis (time, or order for what has no times) of a run showed."""

    symptoms: list[Symptom]
    groups: list[list[Symptom]]
    facts: Facts
    horizon: incidents.Horizon


def judge(rows: pl.DataFrame, timed: bool, width: int, terms: Terms) -> Axis:
    """What one axis of a run's counts shows; `width` is that of its buckets."""
    subject = _subject(rows, timed, width, terms)
    symptoms, facts = find(subject)
    horizon = _horizon(subject.panel, subject.table)
    return Axis(symptoms, incidents.group(symptoms, horizon), facts, horizon)


def _subject(rows: pl.DataFrame, timed: bool, width: int, terms: Terms) -> Subject:
    judged = panels.analysis_width(rows, width, timed)
    if timed and terms.bucket is not None:
        judged = max(width, terms.bucket // timedelta(microseconds=1) // width * width)
    known = None if terms.known is None else spoken(terms.known, terms.templates)
    panel = panels.build(
        rows,
        judged,
        timed=timed,
        since=terms.since if timed else None,
        baseline=known,
        baseline_timed=known is not None and bool(known["timed"].all()),
        learned=terms.learned,
    )
    return Subject(rows, panel, terms.templates, terms.services, terms.reference, terms.rate, known, terms.learned)


def _horizon(panel: panels.Panel, rows: pl.DataFrame) -> incidents.Horizon:
    """Gaps in proportion to the length of the input, within what people mean by "the same incident"."""
    columns = panel.buckets - panel.start
    length = columns * panel.width
    end = int(panel.starts[-1]) + panel.width
    if not panel.timed:
        gap = max(4 * panel.width, length // 10)
        return incidents.Horizon(end, gap=gap, onset=panel.width, again=gap, width=panel.width, last=end)
    gap = max(4 * panel.width, min(max(length // 10, 120 * SECOND), LONGEST_GAP))
    again = min(RECURS * gap, max(gap, LONGEST_GAP))
    last = rows["last_time"].max()
    until = last if isinstance(last, int) else end
    return incidents.Horizon(end, gap, max(2 * panel.width, 30 * SECOND), again, panel.width, until)


def groups(axes: Mapping[bool, Axis]) -> list[list[Symptom]]:
    """The incidents of both axes; where there is none, what the log says by itself. None of a job that succeeded."""
    if succeeded(axis.facts.subject.table for axis in axes.values()):
        return []
    found = {timed: axis.groups for timed, axis in axes.items()}
    if not any(found.values()):
        records = sum(axis.facts.records for axis in axes.values())
        found = {
            timed: incidents.group([*axis.symptoms, *standing(axis.facts, records)], axis.horizon)
            for timed, axis in axes.items()
        }
    timed, untimed = found.get(True, []), found.get(False, [])
    if untimed and not timed and True in axes and axes[True].facts.records > axes[False].facts.records:
        untimed = incidents.certain(untimed)
    return incidents.merge_axes(timed, untimed)


def incident(
    group: Sequence[Symptom],
    axes: Mapping[bool, Axis],
    changes: Sequence[ChangeEvent],
    anomalies: Mapping[int, Anomaly],
) -> Incident:
    """The incident of one of `groups`; `anomalies` are its members' by their `id()`, with evidence."""
    axis = axes[any(symptom.timed for symptom in group)]

    def share(start: int, end: int, services: tuple[str, ...]) -> float:
        return failing_share(axis.facts.subject.table, axis.facts, start, end, services)

    return incidents.describe(group, axis.horizon, share, changes, anomalies)
