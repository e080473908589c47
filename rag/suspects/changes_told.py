"""The changes near an incident: those that detection found, and those that tools report in their own words.

Each is read again, so that its time and the program or object it concerns are known even where they stand only in the
text of the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from core import severity as levels
from core.domain import Category, ChangeEvent, ChangeKind, Citation, Evidence, Incident, LogRecord
from core.findings import Detection
from rag.suspects.dumps import Dumps
from rag.suspects.reading import read

BEFORE: Final = timedelta(minutes=20)
AFTER: Final = timedelta(minutes=2)
EACH: Final = 6
MOST: Final = 40
"""Change records that are read for one incident."""

_CONFIG: Final = re.compile(
    r"\b(?:configmap|secret|networkpolicy|ingress|service)\S*/\S+ (?:configured|created|changed|patched|deleted)"
    r"|\b(?:feature|flag|toggle|experiment)s?\b.{0,60}\b(?:on|off|enabled|disabled|true|false|updated|changed|switched|rolled)\b"
    r"|\b(?:feature|flag|toggle|experiment)s?\b.{0,60}\d+ ?%",
    re.IGNORECASE,
)
_DEPLOY: Final = re.compile(
    r"\b(?:initiated|started|running|starting)\b.{0,30}\b(?:sync|rollout|(?<!user )deploy\w*|release)\b"
    r"|\bpulling image\b|\bsuccessfully pulled image\b|\brolled out\b|\bnew (?:version|release|image)\b",
    re.IGNORECASE,
)
_SCALE: Final = re.compile(r"\bscaled (?:up|down)\b|ScalingReplicaSet", re.IGNORECASE)
_ISO: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
_SAME_IMAGE: Final = re.compile(r"already present on machine", re.IGNORECASE)
"""A container that starts again from the image it had is no new version."""
_WARNING: Final = re.compile(r"\b\w*Warning: ")


def places(incident: Incident, detection: Detection) -> list[Citation]:
    """What must be read to know the changes: those found without a time or a service, and those that tools tell."""
    found = [
        change.evidence.citation
        for change in (*incident.changes, *detection.changes)
        if change.service is None or change.service in change.evidence.source
    ]
    if incident.starts_at is not None:
        start, end = incident.starts_at - BEFORE, incident.starts_at + AFTER
        for row in detection.history.activity(start, end):
            if row.severity < levels.WARN and row.during <= 40 and _kind(row.text) is not None:
                found.extend(detection.history.examples(row.template_id, row.service, start, end, EACH))
    return list(dict.fromkeys(found))[:MOST]


def changes_near(
    incident: Incident, detection: Detection, dumps: Dumps, records: Mapping[Citation, LogRecord]
) -> list[tuple[ChangeEvent, LogRecord | None]]:
    """Changes in order of time, each with its record where it was read. `records` holds `places` and may hold more."""
    events = {
        change.evidence.citation: (change, records.get(change.evidence.citation))
        for change in (*detection.changes, *incident.changes)
    }
    for place in places(incident, detection):
        record = records.get(place)
        kind = _kind(record.body) if record is not None else None
        if record is not None and kind is not None:
            entry = Evidence(place.source, place.position, record.timestamp, record.line, service=record.service)
            events[place] = (ChangeEvent(kind, record.service, record.timestamp, record.body[:300], entry), record)
    timed = incident.starts_at is not None
    kept = []
    for place, (change, record) in events.items():
        moment = change.timestamp or _time_in(change.evidence.text)
        if place not in dumps.places and not _is_failure(change.text) and (moment is not None) == timed:
            again = change.kind is ChangeKind.DEPLOY and _SAME_IMAGE.search(change.text) is not None
            kind = ChangeKind.RESTART if again else change.kind
            kept.append((replace(change, timestamp=moment, kind=kind), record))
    return sorted(kept, key=lambda each: (_seconds(each[0].timestamp), each[0].evidence.citation))


def _kind(text: str) -> ChangeKind | None:
    if _CONFIG.search(text):
        return ChangeKind.CONFIG
    if _DEPLOY.search(text):
        return ChangeKind.DEPLOY
    return ChangeKind.SCALE if _SCALE.search(text) else None


def _is_failure(text: str) -> bool:
    """An error that gives advice ("update the configuration") or a warning of the runtime is no change."""
    if _WARNING.search(text):
        return True
    reading = read(text)
    return reading is not None and reading.strength >= 0.9 and reading.category is not Category.DEPLOY_CONFIG


def _time_in(text: str) -> datetime | None:
    """The last time that a line tells in full: an event's `lastTimestamp` comes after its first."""
    times = _ISO.findall(text)
    return datetime.fromisoformat(times[-1].replace("Z", "+00:00")) if times else None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0
