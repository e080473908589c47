"""What the mechanisms look at: the templates of an incident, each with one record, its reading and its traces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from core import severity as levels
from core.domain import (
    Anomaly,
    ChangeEvent,
    Citation,
    Incident,
    LogRecord,
    TemplateActivity,
)
from core.findings import Detection
from core.stacktrace import StackTrace, parse
from rag.suspects.access import Access, access_of
from rag.suspects.carriers import told_of
from rag.suspects.changes_told import changes_near, places
from rag.suspects.clue import Clue, base_service, logger_of
from rag.suspects.dumps import Dumps, read_dumps
from rag.suspects.failing_test import with_frames
from rag.suspects.loose_frames import with_loose_frames
from rag.suspects.novelty import COMMON_NOVELTY, SINGULAR, is_common, novelty_of, passing, told_until
from rag.suspects.objects import is_event, is_platform, of_kubernetes, subject
from rag.suspects.origin import named_after_file, program_of, told_apart
from rag.suspects.reading import Reading, persistent, read, recovered

MAX_CLUES: Final = 160
"""Templates of one incident that are looked at, the most telling first: bounds the work for a storm."""

PROGRAMS: Final = 60
"""Templates that are read to learn which programs write into a shared file."""

DIRECT: Final = 0.7
"""Strength from which an exception's own words name a cause."""

RARE: Final = 6
RARE_STRENGTH: Final = 0.8
RARE_NOVELTY: Final = 0.3
"""Of failures long before: so many are read, those that name a cause this directly are kept, with this novelty."""

RECENT: Final = timedelta(minutes=25)
RECENT_NOVELTY: Final = 0.8
"""What began so shortly before an incident counts as new, if a little less."""

LEAD: Final = timedelta(minutes=2)
"""How far before the incident's start a first sign may stand."""

_TROUBLE: Final = re.compile(
    r"error|fail|fatal|panic|exception|traceback|warn|denied|refused|timed? ?out|timeout|unable|cannot|could not|can't"
    r"|kill|crash|back-?off|oom|evict|unhealthy|expired|invalid|missing|not found|no such|exceed|exhaust|throttl|slow"
    r"|unreachable|unavailable|lost|reset|abort|reject|forbidden|corrupt|deadlock|lock|full|leak|pressure|insufficient"
    r"|exit ?code|undefined|not set"
    r"|unauthori|mismatch|does not exist|duplicate key|violates|rolled|rollback|retry|overdue|lag"
    r"|stale|^# Time: "
    r"|\btook\b|(?:completed|finished|rendered|processed|done) in|latency|duration|elapsed|response ?time",
    re.IGNORECASE,
)
"""A cheap first look at a template: does it speak of trouble at all?"""


@dataclass(frozen=True)
class Scene:
    """An incident and what surrounds it. Times are None throughout where the logs carry none."""

    incident: Incident
    detection: Detection
    clues: tuple[Clue, ...]
    background: tuple[Clue, ...]
    changes: tuple[ChangeEvent, ...]
    onset: datetime | None
    dumps: Dumps

    @cached_property
    def services(self) -> frozenset[str]:
        """Every service that the logs know, in the incident or not."""
        names = [base_service(row.service) for row in self.detection.history.activity(None, None)]
        names += [clue.service for clue in (*self.clues, *self.background)]
        names += [change.service for change in self.changes]
        if any(clue.service != base_service(clue.activity.service) for clue in self.clues):
            names += self._programs()
        return frozenset(name for name in names if name)

    def _programs(self) -> list[str | None]:
        """Programs that write into a shared file without trouble, and workloads that the platform speaks of.

        They have no clue, but others may name them.
        """
        rows = sorted(self.detection.history.activity(None, None), key=lambda row: -row.during)[:PROGRAMS]
        records = self.detection.reader.read([row.first for row in rows])
        told = [subject(record.line) for record in records.values() if is_event(record.line)]
        shared = [record for record in records.values() if _of_shared_file(record)]
        return [
            *(program_of(record, (), logger_of(record)) for record in shared),
            *(about.service for about in told if about is not None),
        ]

    @cached_property
    def symptomatic(self) -> tuple[str, ...]:
        """Services with a failing clue, the earliest first. A probe that fails for a moment is no trouble yet."""
        return tuple(dict.fromkeys(clue.service for clue in self.clues if clue.troubled and clue.service))

    @cached_property
    def kubernetes(self) -> bool:
        """Whether Kubernetes runs these services: it speaks in the logs, or its objects are described in them."""
        return bool(self.dumps.objects) or any(map(of_kubernetes, self.services)) or any(c.object for c in self.clues)

    def onset_of(self, service: str) -> datetime | None:
        """When trouble of some weight that concerns a service began: its own, or what others say of it."""
        word = re.compile(rf"\b{re.escape(service)}\b", re.IGNORECASE)
        for clue in self.clues:
            ours = clue.service == service or (clue.failing and word.search(clue.text[:2_000]) is not None)
            if ours and clue.weighty and clue.record.timestamp is not None:
                return clue.record.timestamp
        return None

    def of(self, service: str | None) -> tuple[Clue, ...]:
        """The clues of one service, the earliest first."""
        return tuple(clue for clue in self.clues if clue.service == service)


def _of_shared_file(record: LogRecord) -> bool:
    """Whether a record's service is unknown: its logger may name a program then, else only a package of the service."""
    service = base_service(record.service)
    return service is None or named_after_file(service, record.source)


def survey(incident: Incident, detection: Detection) -> Scene:
    """Collects the clues of an incident: bounded in number, each with its first record, in order of appearance."""
    anomalies = {(item.template_id, item.service): item for item in incident.anomalies}
    rows = [row for row in _rows(incident, detection) if _concerns(row, incident, anomalies)]
    picked = _pick(rows, anomalies)
    citations: dict[Citation, TemplateActivity] = {}
    for row in picked:
        citations.setdefault(row.first, row)
    earlier = {row.first: row for row in _rare_before(incident, detection)}
    usual = _usual(incident, detection)
    known = told_until(detection.history, incident.starts_at - LEAD if incident.starts_at is not None else None)
    citations.update({place: row for place, row in earlier.items() if place not in citations})
    for anomaly in incident.anomalies:  # an example's place is known even where the window's first is not
        for example in anomaly.examples[:1]:
            citations.setdefault(example.citation, _row_of(anomaly, picked))
    dumps = read_dumps(detection)
    wanted = [place for place in (*citations, *places(incident, detection)) if place not in dumps.places]
    records = detection.reader.read(list(dict.fromkeys(wanted)))  # once: each call costs the reader a start
    clues: list[Clue] = []
    background: list[Clue] = []
    seen: set[tuple[int, str | None]] = set()
    for citation, row in citations.items():
        record = records.get(citation)
        if record is None or (row.template_id, row.service) in seen:
            continue
        seen.add((row.template_id, row.service))
        found = anomalies.get((row.template_id, row.service))
        clue = _clue(row, record, found, dumps)
        told = clue.object is not None and clue.reading is not None and clue.reading.strength >= RARE_STRENGTH
        if usual is not None and told and row.before and (row.template_id, row.service) not in usual:
            clue = replace(clue, novelty=max(clue.novelty, RECENT_NOVELTY))
        if clue.object is None and is_common(row, known) and (found is None or found.kind not in SINGULAR):
            clue = replace(clue, novelty=min(clue.novelty, COMMON_NOVELTY))
        if citation in earlier and found is None:
            if clue.reading is None or clue.reading.strength < RARE_STRENGTH:
                continue
            clue = replace(clue, novelty=RARE_NOVELTY)
        if clue.novelty <= 0.05 and found is None:
            background.append(clue)
        elif not recovered(clue.text):
            clues.append(clue)
    reader = detection.reader
    clues = with_loose_frames(with_frames(sorted(clues, key=_appearance), reader), reader)
    owned = told_of(told_apart(clues), {row.service for row in rows if row.service})
    ordered = passing(owned, incident.anomalies)
    background = told_apart(background)
    return Scene(
        incident=incident,
        detection=detection,
        clues=tuple(_aged(ordered, incident)),
        background=tuple(sorted(background, key=_appearance)),
        changes=_changes(incident, detection, dumps, records),
        onset=_onset(ordered, incident),
        dumps=dumps,
    )


def _onset(clues: Sequence[Clue], incident: Incident) -> datetime | None:
    """When the trouble itself began: the first new failure that is an error or repeats, in a service of the incident.

    An incident may start earlier, with something odd that only accompanies it.
    """
    for clue in clues:
        ours = not incident.services or clue.service in incident.services
        if clue.weighty and ours and clue.record.timestamp is not None:
            return clue.record.timestamp
    return incident.starts_at


def _rows(incident: Incident, detection: Detection) -> list[TemplateActivity]:
    """What templates did in the incident. What was new in the minutes before it is counted in: it may be its start."""
    history, start = detection.history, incident.starts_at
    rows = {(row.template_id, row.service): row for row in history.activity(start, incident.ends_at)}
    if start is not None:
        for row in history.activity(start - LEAD, start):
            key = (row.template_id, row.service)
            if row.before == 0 and row.first_seen is not None and row.first_seen < start:
                during = rows[key].during if key in rows else 0
                rows[key] = replace(
                    row, during=during + row.during, last_seen=rows[key].last_seen if during else row.last_seen
                )
    return list(rows.values())


def _rare_before(incident: Incident, detection: Detection) -> list[TemplateActivity]:
    """Failures that were told once or twice, some time before: the incident may be their late effect."""
    if incident.starts_at is None:
        return []
    rows = detection.history.activity(None, incident.starts_at - LEAD)
    rare = [row for row in rows if row.during <= 2 and row.first_seen is not None and _TROUBLE.search(row.text)]
    return sorted(rare, key=lambda row: (-row.severity, -_time(row.first_seen)))[:RARE]


def _usual(incident: Incident, detection: Detection) -> frozenset[tuple[int, str | None]] | None:
    """The templates that happened some time before the incident; None where no such time is known.

    An incident is often noticed when its effects add up: what the platform began to report of an object a little
    earlier is as new as it is.
    """
    if incident.starts_at is None:
        return None
    rows = detection.history.activity(None, incident.starts_at - RECENT)
    return frozenset((row.template_id, row.service) for row in rows) or None


def _concerns(row: TemplateActivity, incident: Incident, anomalies: Mapping[tuple[int, str | None], Anomaly]) -> bool:
    """Records without a time are in every window: they tell of this incident only where it has none, or names them."""
    if (row.template_id, row.service) in anomalies:
        return True
    return (row.first_seen is None) == (incident.starts_at is None)


def _row_of(anomaly: Anomaly, rows: Sequence[TemplateActivity]) -> TemplateActivity:
    for row in rows:
        if row.template_id == anomaly.template_id and row.service == anomaly.service:
            return row
    place = anomaly.examples[0]
    return TemplateActivity(
        anomaly.template_id, anomaly.template, anomaly.service, anomaly.severity, anomaly.count, 0, place.citation,
        anomaly.first_seen, anomaly.last_seen, None, None,
    )  # fmt: skip


def _pick(
    rows: Iterable[TemplateActivity], anomalies: Mapping[tuple[int, str | None], Anomaly]
) -> list[TemplateActivity]:
    """The rows worth a look, at most `MAX_CLUES`: anomalies, then what is severe or speaks of trouble."""
    scored = []
    for row in rows:
        anomalous = (row.template_id, row.service) in anomalies
        troubled = row.severity >= levels.WARN or _TROUBLE.search(row.text) is not None
        if anomalous or troubled:
            new = row.before == 0
            scored.append((anomalous + new * 0.5 + (row.severity >= levels.ERROR) * 0.5 + troubled * 0.5, row))
    scored.sort(key=lambda pair: (-pair[0], _time(pair[1].first_seen), pair[1].first))
    return [row for _, row in scored[:MAX_CLUES]]


def _clue(row: TemplateActivity, record: LogRecord, anomaly: Anomaly | None, dumps: Dumps) -> Clue:
    body = record.body or record.line
    traces = parse(body) if "\n" in body or "\\n" in body else ()
    service = base_service(row.service or record.service)
    if service is None or named_after_file(service, record.source):
        # A dump beside lines without a name says whose they are, where it is about one thing.
        service = dumps.only_workload(record.source) or service
    about = subject(record.line) if is_platform(service) or is_event(record.line) else None
    if about is not None and about.service is not None:
        service = about.service
    return Clue(
        row,
        record,
        anomaly,
        persistent(_stronger(_read_record(body, traces), _read_reason(record)), body, row.during),
        traces,
        novelty_of(row, anomaly),
        service,
        object=about.component if about is not None else None,
    )


def _read_record(body: str, traces: Sequence[StackTrace]) -> Reading | None:
    """The reading of a record: its message and its exceptions are read, not its stack frames and source lines."""
    if not traces:
        served = access_of(body)
        return _read_access(served, body) if served is not None else read(body)
    heads = [
        f"{trace.exception}: {trace.message or ''}" for trace in traces if trace.exception and not trace.suppressed
    ]
    found = [reading for text in heads if (reading := read(text)) is not None and reading.strength >= 0.4]
    if found:
        # The root cause comes first in a chain: what is told around it is what it led to.
        direct = (reading for reading in found if reading.strength >= DIRECT)
        return next(direct, None) or max(found, key=lambda reading: reading.strength)
    # What was being done ("login failed") matters less than what went wrong in it, even where that has no name.
    doing = read(body.split("\n", 1)[0])
    return doing if doing is not None and (doing.strength >= 0.85 or not heads) else None


_REASONS: Final = ("reason", "error", "err", "detail", "details", "cause", "description", "error_description", "result")
"""Fields in which a structured record says why, where its message is only a name (`request_rejected`)."""


def _stronger(one: Reading | None, other: Reading | None) -> Reading | None:
    found = [reading for reading in (one, other) if reading is not None]
    return max(found, key=lambda reading: reading.strength, default=None)


def _read_reason(record: LogRecord) -> Reading | None:
    said = (record.attributes.get(key) for key in _REASONS)
    found = (reading for text in said if isinstance(text, str) and (reading := read(text)) is not None)
    return max(found, key=lambda reading: reading.strength, default=None)


_FLAGGED: Final = re.compile(r'\\?" (?P<told>[1-5]\d\d (?:[A-Z]{2,6},?)+)(?= |$)')


def _read_access(served: Access, body: str) -> Reading | None:
    """What a served request tells: its status, and a proxy's flags right after it, whatever numbers stand beside it."""
    status = served.status
    flagged = _FLAGGED.search(body[:2_000])
    if flagged is not None and (told := read(f'" {flagged["told"]}')) is not None:
        return told
    if status == 429 or status >= 500:
        return read("429 too many requests" if status == 429 else f"HTTP {status}: internal server error")
    return None


def _aged(clues: Sequence[Clue], incident: Incident) -> Iterable[Clue]:
    """The clues with their age: by time where there is one, else by order."""
    failing = [clue for clue in clues if clue.failing and clue.novelty > 0.3] or list(clues)
    times = [clue.record.timestamp for clue in failing if clue.record.timestamp is not None]
    first = min(times, default=None)
    span = 60.0
    if incident.starts_at is not None and incident.ends_at is not None:
        span = max(60.0, (incident.ends_at - incident.starts_at).total_seconds())
    for index, clue in enumerate(clues):
        if first is not None and clue.record.timestamp is not None:
            behind = max((clue.record.timestamp - first).total_seconds(), 0.0)
            age = min(behind / span, 1.0) ** 0.5
        else:
            age = min(index / max(len(clues), 10), 1.0)
        yield replace(clue, age=age)


def _changes(
    incident: Incident, detection: Detection, dumps: Dumps, records: Mapping[Citation, LogRecord]
) -> tuple[ChangeEvent, ...]:
    """The changes near the incident, each with the program that tells of it."""
    return tuple(_of_program(change, record) for change, record in changes_near(incident, detection, dumps, records))


def _of_program(change: ChangeEvent, record: LogRecord | None) -> ChangeEvent:
    service = base_service(change.service)
    if record is not None and (service is None or named_after_file(service, record.source)):
        service = program_of(record, (), logger_of(record)) or service
    return replace(change, service=service)


def _appearance(clue: Clue) -> tuple[float, str, int]:
    return (_time(clue.record.timestamp), clue.record.source, clue.record.position)


def _time(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0
