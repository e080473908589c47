"""What one run of CALI found: the values that ingest hands to rag, and that `cali` hands to report and eval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain import (
    Analysis,
    ChangeEvent,
    Incident,
    LogTemplate,
    Quarantined,
    RuledOut,
    SimilarIncident,
    Stats,
    Suspect,
    TimeWindow,
)
from core.ports import LogReader, TemplateHistory


@dataclass(frozen=True, slots=True)
class TimelineBucket:
    """Records of one slice of the input by severity name (`INFO`, `WARN`, `ERROR`, `FATAL`, ...).

    Slices are equal spans of time; where the logs carry no times, equal spans of lines (`start` and `end` are None).
    """

    start: datetime | None
    end: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """What ingest found in some sources. `reference` says what the window was judged against, in words."""

    sources: tuple[str, ...]
    window: TimeWindow
    reference: str
    stats: Stats
    incidents: tuple[Incident, ...]
    changes: tuple[ChangeEvent, ...]
    timeline: tuple[TimelineBucket, ...]
    quarantined: tuple[Quarantined, ...]
    templates: Mapping[int, LogTemplate]
    history: TemplateHistory
    reader: LogReader


@dataclass(frozen=True, slots=True)
class Finding:
    """One incident with what is thought about it; suspects come best first."""

    incident: Incident
    suspects: tuple[Suspect, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    similar: tuple[SimilarIncident, ...] = ()
    analysis: Analysis | None = None
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """A whole run: what `cali.report/1` is made from. Findings come worst level first, then earliest."""

    generated_at: datetime
    sources: tuple[str, ...]
    window: TimeWindow
    reference: str
    stats: Stats
    findings: tuple[Finding, ...]
    timeline: tuple[TimelineBucket, ...] = ()
    changes: tuple[ChangeEvent, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question. `text` has a paragraph or a list item a line; the findings carry what it rests on, the
    most relevant first.

    `searched` says in words what was looked at, so that an empty answer differs from a failure; `others` counts
    incidents of that time which the question is not about.
    """

    question: str
    text: str
    services: tuple[str, ...]
    window: TimeWindow
    searched: str
    findings: Findings
    others: int
    session: str
    asked_at: datetime
