"""Which templates and lines matter: the evidence pack of an incident, inside a token budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain import Citation, Incident, Suspect
from core.findings import Detection


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One numbered piece of evidence. `id` is `E1`, `E2`, ...; `kind` is `template`, `line`, `change`, `timeline` or
    `frame`; `citations` are the records it stands on."""

    id: str
    kind: str
    text: str
    citations: tuple[Citation, ...] = ()
    timestamp: datetime | None = None
    service: str | None = None
    template_id: int | None = None


@dataclass(frozen=True, slots=True)
class EvidencePack:
    """Items in reading order; `tokens` is their conservative cost, `omitted` how many did not fit."""

    items: tuple[EvidenceItem, ...]
    tokens: int
    omitted: int = 0


def collect(
    incident: Incident, detection: Detection, suspects: Sequence[Suspect], token_budget: int
) -> EvidencePack:
    """The most useful evidence of an incident that fits the budget."""
    return EvidencePack((), 0)
