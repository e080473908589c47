"""A job that ran as regularly as a clock and runs no more: nothing fails, its records are simply not there.

A scheduled job writes a few records every so many minutes, too few for a rate. What tells of its end is its own
rhythm: runs at even distances from the beginning of the log, then none for several of them. What began in the middle
was a piece of work with several steps, and is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from core.domain import Citation, LogRecord, SuspectKind, TemplateActivity
from core.ports import TemplateHistory
from rag.suspects.clue import KERNELS, base_service, evidence_of
from rag.suspects.objects import is_event, is_platform, subject
from rag.suspects.proposal import Facts, Proposal, shorten
from rag.suspects.scene import Scene

RUNS: Final = 4
"""So many runs make a rhythm."""
MISSED: Final = 2.5
"""Intervals without a run: one may be late."""
UNEVEN: Final = 0.35
"""How far an interval of a rhythm may be from the usual one, as a share of it."""
_LATE: Final = 2.0
"""Intervals after the beginning of the log by which a schedule must have shown."""
SHORTEST: Final = timedelta(seconds=50)
LONGEST: Final = timedelta(hours=13)
_RUN: Final = re.compile(r"\b(?:cron)?job/|\bkind=\W{0,2}(?:cron)?job\b|created (?:scheduled )?job\b", re.IGNORECASE)
"""What a cluster says of the runs of a job."""
_MOST: Final = 60
_CANDIDATES: Final = 12


@dataclass(frozen=True, slots=True)
class _Rhythm:
    service: str
    row: TemplateActivity
    interval: timedelta
    last: LogRecord
    until: datetime
    back: datetime | None
    """When the runs came back; None where they did not."""
    missed: float
    component: str | None


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each service or job whose regular runs end around the incident."""
    found: dict[str, _Rhythm] = {}
    for rhythm in _ended(scene):
        known = found.get(rhythm.service)
        if known is None or _rank(rhythm.component) > _rank(known.component):
            found[rhythm.service] = rhythm
    for rhythm in found.values():
        minutes = rhythm.interval.total_seconds() / 60.0
        runs, gone = ("does not run any more", "then no more") if rhythm.back is None else ("paused", "then none after")
        yield Proposal(
            kind=SuspectKind.SILENCE,
            cause=f"{rhythm.service} {runs}, a scheduled run is missing: every {minutes:.3g} min until"
            f" {rhythm.until:%H:%M:%S}, {gone} {shorten(rhythm.last.body or rhythm.last.line, 140)!r}",
            why=(f"{rhythm.row.during + rhythm.row.before} runs {minutes:.3g} min apart, {rhythm.missed:.1f} missed",),
            facts=Facts(
                strength=0.7 if rhythm.back is None else 0.5,
                novelty=0.9,
                earliness=0.8,
                severity=0.4,
                silence=1.0 - 0.5 ** (rhythm.missed if rhythm.back is None else rhythm.missed - 1.0),
                remote=0.0 if not _troubled(rhythm.service, scene) else 1.0,
            ),
            evidence=(evidence_of(rhythm.last),),
            fault_type="heartbeat_missing",
            service=rhythm.service,
            component=rhythm.component,
            words=frozenset(
                {"stopped", "missing", "schedule", "job", "not", "stale", "old", *rhythm.service.split("-")}
            ),
        )


def _rank(component: str | None) -> int:
    """What is scheduled says more than one of its runs, and that more than nothing."""
    return 0 if component is None else 2 if component.startswith("cronjob/") else 1


def _troubled(service: str, scene: Scene) -> bool:
    return any(clue.failing and clue.novelty > 0.3 for clue in scene.of(service))


def _ended(scene: Scene) -> Iterator[_Rhythm]:
    start, end = scene.incident.starts_at, scene.incident.ends_at
    if start is None or end is None:
        return
    begin, now = scene.detection.window.start or start, scene.detection.window.end or end
    rows = list(scene.detection.history.activity(None, None))
    spoke = _last_words(rows)
    candidates = []
    for row in rows:
        interval = _interval(row)
        if interval is None or row.last_seen is None:
            continue
        told = is_platform(row.service) or is_event(row.text)  # others speak there, too
        silent = told or spoke[base_service(row.service)] <= row.last_seen + interval / 2
        if not row.before and row.first_seen is not None and row.first_seen - begin > _LATE * interval:
            continue
        if silent and now - row.last_seen >= MISSED * interval and _due(row.last_seen, interval, start, end):
            candidates.append((row, interval, (now - row.last_seen) / interval))
        elif row.last_seen >= start and (not told or _RUN.search(row.text)):
            candidates.append((row, interval, 0.0))  # it may have paused, and come back
    candidates.sort(key=lambda each: (-each[2] * each[0].during, each[0].during, each[0].template_id))
    history = scene.detection.history
    places = {
        (row.template_id, row.service): history.examples(row.template_id, row.service, None, None, _MOST)
        for row, _, _ in candidates[:_CANDIDATES]
    }
    records = scene.detection.reader.read([place for found in places.values() for place in found])
    for row, _, _ in candidates[:_CANDIDATES]:
        rhythm = _rhythm(row, places[row.template_id, row.service], records, now)
        if rhythm is None or not _due(rhythm.until, rhythm.interval, start, end):
            continue
        if rhythm.back is None or rhythm.component is not None or not _spoke_between(rhythm, rhythm.back, history):
            yield rhythm


def _due(last: datetime, interval: timedelta, start: datetime, end: datetime) -> bool:
    """Whether the run after the last one was due around an incident."""
    return start - 2 * interval <= last + interval <= end + interval / 2


def _spoke_between(rhythm: _Rhythm, back: datetime, history: TemplateHistory) -> bool:
    """Whether the service that paused said anything else meanwhile."""
    rows = history.activity(rhythm.until + rhythm.interval / 2, back - rhythm.interval / 2)
    return any(base_service(row.service) == rhythm.service for row in rows)


def _interval(row: TemplateActivity) -> timedelta | None:
    """The mean distance of a template's records, where it may be that of a schedule."""
    if row.first_seen is None or row.last_seen is None or not RUNS <= row.during <= _MOST:
        return None
    interval = (row.last_seen - row.first_seen) / (row.during - 1)
    return interval if SHORTEST <= interval <= LONGEST else None


def _last_words(rows: Sequence[TemplateActivity]) -> dict[str | None, datetime]:
    found: dict[str | None, datetime] = {}
    for row in rows:
        service = base_service(row.service)
        if row.last_seen is not None and (service not in found or found[service] < row.last_seen):
            found[service] = row.last_seen
    return found


def _rhythm(
    row: TemplateActivity, places: Sequence[Citation], records: Mapping[Citation, LogRecord], now: datetime
) -> _Rhythm | None:
    """The rhythm of a template whose records come at even distances until they end, or pause once, with whose it is."""
    told = sorted((record.timestamp, place) for place in places if (record := records.get(place)) and record.timestamp)
    if len(told) < RUNS:
        return None
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(told)]
    usual = sorted(gaps)[len(gaps) // 2]
    uneven = [place for place, gap in enumerate(gaps) if abs(gap - usual) > UNEVEN * usual]
    if uneven and (len(uneven) > 1 or gaps[uneven[0]] < MISSED * usual or len(gaps) < RUNS):
        return None
    until = told[uneven[0]] if uneven else told[-1]
    missed = (gaps[uneven[0]] if uneven else now - until[0]) / usual
    if missed < MISSED:
        return None
    last = records[until[1]]
    about = subject(last.line) if is_platform(row.service) or is_event(last.line) else None
    service = about.service if about is not None else base_service(row.service)
    if service is None or is_platform(service) or service in KERNELS:
        return None
    job = about is not None and about.component.startswith(("cronjob/", "job/"))
    if (is_platform(row.service) or about is not None) and not job:
        return None
    return _Rhythm(
        service,
        row,
        usual,
        last,
        until[0],
        told[uneven[0] + 1][0] if uneven else None,
        missed,
        about.component if about is not None and job else None,
    )
