"""The labels of a case, for the scorer alone. No system and no worker process imports this module."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from eval.datasets import Case, rfc3339

ATTRIBUTES: Final = ("service", "component", "function", "fault_type", "category")
"""What a root cause may name, and what is scored."""


@dataclass(frozen=True, slots=True)
class RootCause:
    """The labelled cause. Each attribute lists the values that count as right (usually one); absent is not scored."""

    values: Mapping[str, tuple[str, ...]]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class TrueIncident:
    """A labelled incident of a stream; `ends_at` None lasts to the end of the window."""

    id: str
    starts_at: datetime
    ends_at: datetime | None
    root_cause: RootCause | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of a case. None means not labelled, hence not scored; an empty tuple means labelled: none."""

    is_incident: bool | None = None
    onset: datetime | None = None
    root_cause: RootCause | None = None
    incidents: tuple[TrueIncident, ...] | None = None
    grey: tuple[tuple[datetime, datetime], ...] = ()
    anomalous_lines: tuple[int, ...] | None = None
    annotator2: tuple[int, ...] | None = None
    sessions: Mapping[str, bool] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    related_other_service: tuple[str, ...] = ()


def read_labels(case: Case, root: Path) -> Labels:
    """The labels of a case. Raises ValueError, KeyError or TypeError where they are malformed."""
    fields = case.fields
    incidents = fields.get("incidents")
    return Labels(
        is_incident=fields.get("is_incident"),
        onset=_time(fields.get("onset")),
        root_cause=_root_cause(fields.get("root_cause")),
        incidents=None if incidents is None else tuple(_incident(i, each) for i, each in enumerate(incidents, 1)),
        grey=tuple((rfc3339(each["starts_at"]), rfc3339(each["ends_at"])) for each in fields.get("grey") or ()),
        anomalous_lines=_lines(fields.get("anomalous_lines")),
        annotator2=_lines(fields.get("anomalous_lines_annotator2")),
        sessions=_sessions(root, fields.get("sessions")),
        related=tuple(fields.get("related") or ()),
        related_other_service=tuple(fields.get("related_other_service") or ()),
    )


def read_templates(case: Case, root: Path) -> tuple[list[str], list[str]]:
    """Messages and true templates of a Loghub CSV (columns Content, EventTemplate).

    Its EventId is not read: some corrected files have one template under two ids, and Loghub-2.0 groups by template.
    """
    with (root / case.fields["csv"]).open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    return [row["Content"] for row in rows], [row["EventTemplate"] for row in rows]


def _time(value: object) -> datetime | None:
    return None if value is None else rfc3339(value)


def _root_cause(value: Any) -> RootCause | None:
    if not value:
        return None
    values = {}
    for name in ATTRIBUTES:
        found = value.get(name)
        if found:
            values[name] = (found,) if isinstance(found, str) else tuple(str(each) for each in found)
    return RootCause(values, value.get("text"))


def _incident(number: int, value: Mapping[str, Any]) -> TrueIncident:
    return TrueIncident(
        id=str(value.get("id", number)),
        starts_at=rfc3339(value["starts_at"]),
        ends_at=_time(value.get("ends_at")),
        root_cause=_root_cause(value.get("root_cause")),
    )


def _lines(value: Any) -> tuple[int, ...] | None:
    return None if value is None else tuple(sorted({int(line) for line in value}))


def _sessions(root: Path, name: str | None) -> dict[str, bool]:
    if not name:
        return {}
    found = {}
    for line in (root / name).read_bytes().split(b"\n"):
        if line.strip():
            value = json.loads(line)
            if value.get("is_anomalous") is not None:
                found[value["session_id"]] = bool(value["is_anomalous"])
    return found


def cause_to_remember(case: Case, root: Path) -> str | None:
    """The labelled cause as the text that `--labelled-memory` puts into memory."""
    labels = read_labels(case, root)
    causes = [labels.root_cause, *(incident.root_cause for incident in labels.incidents or ())]
    parts = [
        part
        for cause in causes
        if cause
        for part in (*(v for each in cause.values.values() for v in each), cause.text)
        if part
    ]
    return "\n".join(dict.fromkeys(parts)) or None
