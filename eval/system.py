"""The border between the harness and what it measures: what a system may see of a case, and what it answers.

A `CaseInput` carries no label. The harness hands it to a `System` in another process; the labels stay with the scorer
(`eval.labels`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.memory import MemoryDocument, MemoryFilter, MemoryMatch
from core.severity import Level


@dataclass(frozen=True, slots=True)
class CaseInput:
    """All that may be seen of a case.

    `window_start` and `window_end` bound what is judged (None: all of the logs); what lies before is history.
    `symptom` is for the ranking of causes only, never for detection. `sessions` maps the id of a session to the 1-based
    line numbers of the first log that belong to it. `timezone` is the IANA zone of times that name none.
    """

    case_id: str
    logs: tuple[Path, ...]
    baseline_logs: tuple[Path, ...] = ()
    window_start: datetime | None = None
    window_end: datetime | None = None
    symptom: str | None = None
    sessions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class PredictedEvidence:
    """A line that supports a suspect. `source` is the path as it stands in `CaseInput.logs`, `position` 1-based."""

    source: str
    position: int
    text: str


@dataclass(frozen=True, slots=True)
class PredictedSuspect:
    """A candidate cause; `rank` is 1-based inside its incident, `score` in [0, 1] comparable within the case."""

    rank: int
    score: float
    service: str | None = None
    component: str | None = None
    function: str | None = None
    fault_type: str | None = None
    category: str | None = None
    cause: str = ""
    evidence: tuple[PredictedEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictedIncident:
    """An incident found. `ends_at` is the last symptom; both times are None only where the logs carry none."""

    starts_at: datetime | None
    ends_at: datetime | None
    level: Level = "warning"
    services: tuple[str, ...] = ()
    suspects: tuple[PredictedSuspect, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system says about one case. An empty prediction is a prediction.

    `anomalous_lines` are 1-based lines of the first log; `line_scores` rates lines in [0, 1] (absent is 0);
    `document` is what a memory of incidents would keep of the case (its `id` is replaced by the case's), made from
    logs only; `report` a self-contained HTML page about the case, where the system makes one.
    """

    verdict: str = "no_incident"
    incidents: tuple[PredictedIncident, ...] = ()
    anomalous_lines: tuple[int, ...] = ()
    line_scores: Mapping[int, float] = field(default_factory=dict)
    anomalous_sessions: tuple[str, ...] = ()
    document: MemoryDocument | None = None
    report: str | None = None


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """Another case that a memory found; `score` as the memory gives it, best first."""

    case_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case: a prediction, or the error it ended with (then `prediction` is empty and scored as wrong).

    `known_item_rank` is set for documents (`text` cases): the 1-based rank at which the case's own symptom finds it.
    """

    case_id: str
    seconds: float
    prediction: Prediction
    similar: tuple[SimilarCase, ...] = ()
    error: str | None = None
    known_item_rank: int | None = None


@runtime_checkable
class System(Protocol):
    """What is measured. Made once per worker process; cases come one at a time."""

    def predict(self, case: CaseInput) -> Prediction:
        """Judges one case from its logs. Any exception counts as a wrong answer to this case."""
        ...


@runtime_checkable
class TemplateSystem(Protocol):
    """A system that mines templates too (measured on Loghub CSVs)."""

    def templates(self, messages: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Template id and text of each message, in order, with the final texts."""
        ...


class CaseMemory(Protocol):
    """The part of `core.ports.IncidentMemory` that retrieval is measured through."""

    def add(self, documents: Sequence[MemoryDocument]) -> object:
        """Stores documents by id."""
        ...

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        """At most `k` documents that resemble the query and pass the filter, best first."""
        ...

    def close(self) -> None:
        """Releases what the memory holds."""
        ...
