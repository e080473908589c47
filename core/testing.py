"""In-memory versions of ports, for tests: a small log that is its own history and reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b

from core import severity as levels
from core.domain import (
    Anomaly,
    AnomalyKind,
    ChangeEvent,
    Citation,
    Incident,
    LogRecord,
    LogTemplate,
    Stats,
    TemplateActivity,
    TimeWindow,
)
from core.findings import Detection

_VARIABLE = re.compile(r"\b\d[\w.:-]*|0x[0-9a-f]+|\b[0-9a-f]{8,}\b")
_START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def record(
    line: str,
    position: int,
    *,
    seconds: float | None = None,
    severity: int = levels.INFO,
    service: str | None = None,
    source: str = "app.log",
    body: str | None = None,
    attributes: Mapping[str, object] | None = None,
) -> LogRecord:
    """A record `seconds` after 2026-03-02 10:00 UTC (None: without a time). Its template is its text less numbers."""
    message = line if body is None else body
    text = _VARIABLE.sub("<*>", message.split("\n", 1)[0])
    digest = blake2b(f"{service}|{text}".encode(), digest_size=8).digest()
    return LogRecord(
        source=source,
        position=position,
        timestamp=None if seconds is None else _START + timedelta(seconds=seconds),
        severity=severity,
        service=service,
        body=message,
        line=line.split("\n", 1)[0],
        line_count=message.count("\n") + 1,
        attributes=dict(attributes or {}),
        template_id=int.from_bytes(digest, "big") >> 1,
    )


@dataclass(frozen=True)
class MemoryLog:
    """A log in memory, `TemplateHistory` and `LogReader` at once. Records stand in reading order."""

    records: tuple[LogRecord, ...]

    @cached_property
    def _by_citation(self) -> dict[Citation, LogRecord]:
        return {item.citation: item for item in self.records}

    def read(self, citations: Sequence[Citation]) -> Mapping[Citation, LogRecord]:
        return {place: self._by_citation[place] for place in citations if place in self._by_citation}

    def around(self, citation: Citation, before: int, after: int) -> Sequence[LogRecord]:
        low, high = citation.position - before, citation.position + after
        return [item for item in self.records if item.source == citation.source and low <= item.position <= high]

    def activity(self, start: datetime | None, end: datetime | None) -> Sequence[TemplateActivity]:
        inside = [item for item in self.records if _within(item.timestamp, start, end)]
        earlier = [
            item for item in self.records if start is not None and item.timestamp is not None and item.timestamp < start
        ]
        before = Counter((item.template_id, item.service) for item in earlier)
        reference = _span(earlier) if earlier else None
        groups: dict[tuple[int | None, str | None], list[LogRecord]] = {}
        for item in inside:
            groups.setdefault((item.template_id, item.service), []).append(item)
        return [
            TemplateActivity(
                template_id=members[0].template_id or 0,
                text=self.template(members[0]).text,
                service=members[0].service,
                severity=max(item.severity for item in members),
                during=len(members),
                before=before[key],
                first=members[0].citation,
                first_seen=members[0].timestamp,
                last_seen=members[-1].timestamp,
                window=_span(inside),
                reference=reference,
            )
            for key, members in groups.items()
        ]

    def series(self, template_id: int, service: str | None) -> Sequence[tuple[datetime | None, int]]:
        minutes: Counter[datetime | None] = Counter()
        for item in self.records:
            if (item.template_id, item.service) == (template_id, service):
                minutes[item.timestamp.replace(second=0, microsecond=0) if item.timestamp else None] += 1
        return sorted(minutes.items(), key=lambda pair: pair[0] or _START)

    def examples(
        self, template_id: int, service: str | None, start: datetime | None, end: datetime | None, limit: int
    ) -> Sequence[Citation]:
        found = (
            item.citation
            for item in self.records
            if (item.template_id, item.service) == (template_id, service) and _within(item.timestamp, start, end)
        )
        return [place for place, _ in zip(found, range(limit), strict=False)]

    def template(self, item: LogRecord) -> LogTemplate:
        """The template of a record."""
        text = _VARIABLE.sub("<*>", item.body.split("\n", 1)[0])
        return LogTemplate(item.template_id or 0, text, severity=item.severity, service=item.service)

    def incident(self, since: float | None = None, *, anomalies: Sequence[Anomaly] | None = None) -> Incident:
        """An incident from `since` (seconds after the start; None: all of the log) to the last record.

        Templates that are new in it and are at least warnings are its anomalies, unless `anomalies` says otherwise.
        """
        start = None if since is None else _START + timedelta(seconds=since)
        rows = self.activity(start, None)
        times = [item.timestamp for item in self.records if item.timestamp is not None]
        found = (
            anomalies
            if anomalies is not None
            else [_new(row) for row in rows if row.before == 0 and row.severity >= levels.WARN]
        )
        services = tuple(dict.fromkeys(row.service for row in rows if row.service and row.severity >= levels.WARN))
        return Incident(
            id="incident", fingerprint="incident", level="high", level_reason="made for a test", status="firing",
            starts_at=start, ends_at=max(times, default=None), services=services,
            title="made for a test", anomalies=tuple(found),
        )  # fmt: skip

    def detection(self, *incidents: Incident, changes: Iterable[ChangeEvent] = ()) -> Detection:
        """A detection over this log."""
        times = [item.timestamp for item in self.records if item.timestamp is not None]
        return Detection(
            sources=tuple(dict.fromkeys(item.source for item in self.records)),
            window=TimeWindow(min(times, default=None), max(times, default=None)),
            reference="the input before the incident",
            stats=Stats(lines=len(self.records), parsed=len(self.records)),
            incidents=incidents,
            changes=tuple(changes),
            timeline=(),
            quarantined=(),
            templates={item.template_id or 0: self.template(item) for item in self.records},
            history=self,
            reader=self,
        )


def change_event(kind: str, item: LogRecord) -> ChangeEvent:
    """A change that a record reports."""
    from core.domain import ChangeKind, Evidence

    place = Evidence(
        item.source, item.position, item.timestamp, item.line, service=item.service, template_id=item.template_id
    )
    return ChangeEvent(ChangeKind(kind), item.service, item.timestamp, item.body, place)


def _new(row: TemplateActivity) -> Anomaly:
    return Anomaly(
        AnomalyKind.NEW_TEMPLATE, row.template_id, row.text, row.service, row.severity, row.during, 0, 0.9, None,
        "never seen before", row.during, row.first_seen, row.last_seen,
    )  # fmt: skip


def _within(moment: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    if moment is None:
        return start is None and end is None
    return (start is None or moment >= start) and (end is None or moment <= end)


def _span(records: Sequence[LogRecord]) -> timedelta | None:
    times = [item.timestamp for item in records if item.timestamp is not None]
    return max(times) - min(times) if times else None


def renumbered(records: Iterable[LogRecord]) -> tuple[LogRecord, ...]:
    """The records with positions 1, 2, 3, ... per source, counting folded lines."""
    following: Counter[str] = Counter()
    result = []
    for item in records:
        result.append(replace(item, position=following[item.source] + 1))
        following[item.source] += item.line_count
    return tuple(result)
