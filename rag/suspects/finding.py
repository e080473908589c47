"""What the state of a Kubernetes object shows, before it becomes a proposal."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import SuspectKind
from rag.kubernetes import Line


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with an object; `lines` show it, the most telling first."""

    fault_type: str | None
    strength: float
    cause: str
    why: tuple[str, ...]
    lines: tuple[Line, ...]
    kind: SuspectKind = SuspectKind.KUBERNETES_EVENT
    state: float = 1.0
    remote: float = 0.0
