"""The first new thing, not the loudest: each failing clue is a candidate, the earlier and more telling the better."""

from __future__ import annotations

from collections.abc import Iterator

from core.domain import SuspectKind
from core.severity import WARN
from rag.suspects.clue import Clue
from rag.suspects.proposal import Proposal, cause_of, clue_facts, component_of, counted
from rag.suspects.scene import Scene


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each clue that reports trouble or is itself an anomaly."""
    for clue in scene.clues:
        odd = clue.anomaly is not None and clue.novelty >= 0.9
        if not (clue.failing or clue.severity >= WARN or odd):
            continue
        yield Proposal(
            kind=SuspectKind.FIRST_NEW,
            cause=cause_of(clue),
            why=_why(clue),
            facts=clue_facts(clue),
            evidence=(clue.evidence,),
            fault_type=clue.reading.fault_type if clue.reading is not None else None,
            service=clue.service,
            component=component_of(clue),
        )


def _why(clue: Clue) -> tuple[str, ...]:
    reasons = []
    if clue.age == 0.0 and clue.novelty > 0.5 and clue.record.timestamp is not None:
        reasons.append("the first new sign of the incident")
    reasons.append(counted(clue))
    return tuple(reasons)
