"""The vocabulary of incident memory: what is remembered, how it is asked for, and what people said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.severity import Level


class MemoryKind(StrEnum):
    """What a remembered document is."""

    INCIDENT = "incident"
    RUNBOOK = "runbook"
    POSTMORTEM = "postmortem"


class Outcome(StrEnum):
    """How an incident ended, as far as anyone said."""

    OPEN = "open"
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one person said about a remembered incident.

    `confirm` says that the cause on record (or the `cause` given here) is right, `reject` that it is wrong; `worked`
    says whether the fix helped, None where nobody knows. One person's word at one time counts once.
    """

    incident_id: str
    verdict: Literal["confirm", "reject"]
    at: datetime
    by: str = ""
    cause: str | None = None
    fix: str | None = None
    worked: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MemoryDocument:
    """A past incident, or a passage of a runbook or postmortem.

    `text` is what is searched (masked templates, symptoms, fault words, prose); `template_ids` are the incident's
    templates, the most telling first. `cause` and `fix` are what is known of them; those that people gave with
    feedback outlive a new `add` of the same id. `source` says where the document came from (a path, `analyze`).
    """

    id: str
    kind: MemoryKind
    title: str
    text: str
    services: tuple[str, ...] = ()
    level: Level | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    tenant: str = "default"
    outcome: Outcome = Outcome.OPEN
    fingerprint: str | None = None
    template_ids: tuple[int, ...] = ()
    cause: str | None = None
    fix: str | None = None
    source: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[Feedback, ...] = ()

    @property
    def confirmed(self) -> int:
        """How often the cause was confirmed."""
        return sum(entry.verdict == "confirm" for entry in self.feedback)

    @property
    def rejected(self) -> int:
        """How often the cause was rejected."""
        return sum(entry.verdict == "reject" for entry in self.feedback)

    @property
    def worked(self) -> int:
        """How often the fix worked."""
        return sum(entry.worked is True for entry in self.feedback)

    @property
    def failed(self) -> int:
        """How often the fix did not work."""
        return sum(entry.worked is False for entry in self.feedback)


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """What to look at. Empty or None does not filter; several values of one field mean any of them.

    `start` and `end` bound the start of the incident (documents without a time are left out where either is given).
    """

    kinds: tuple[MemoryKind, ...] = ()
    services: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    tenant: str | None = None
    exclude_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One search that found a document: its name (`dense`, `bm25`, `templates`, `signature`, `rerank`), 1-based rank
    and raw score (cosine, BM25, share of templates in common, cosine of the faults, the cross-encoder's)."""

    name: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class MemoryMatch:
    """A document found. `score` in [0, 1] orders one result list; 1 means first in every search, and confirmed.

    `times_seen` counts the remembered incidents with the same fingerprint, which are shown as this one; `last_seen` is
    the newest of them.
    """

    document: MemoryDocument
    score: float
    signals: tuple[Signal, ...]
    times_seen: int = 1
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddResult:
    """What an `add` did, in documents."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """What a memory holds. `location` is a path or a URI, `bytes` the size on disk where it is a file."""

    location: str
    schema: int
    model: str
    dimension: int
    incidents: int
    documents: int
    templates: int
    confirmed: int
    rejected: int
    oldest: datetime | None
    newest: datetime | None
    bytes: int | None = None
