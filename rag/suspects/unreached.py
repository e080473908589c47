"""A service that goes on with its work, and that its callers do not reach: the network between them is cut.

A refused connection says that nothing listens; a connection that is never answered, to a service that still writes its
ordinary records and reports no trouble, was lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from core.domain import SuspectKind
from rag.suspects.clue import Clue, base_service
from rag.suspects.names import is_product
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of
from rag.suspects.scene import Scene

_HANGS: Final = re.compile(
    r"connect(?:ion|ing)?\b[^\n]{0,60}\b(?:timed? ?out|timeout)|connecttimeout\w*|dial tcp [^\n]{0,60}i/o timeout"
    r"|\bETIMEDOUT\b|no route to host|network is unreachable",
    re.IGNORECASE,
)
_CONNECTED: Final = re.compile(r"timed out[^\n]{0,40} while (?:reading|sending to|waiting for)\b", re.IGNORECASE)
"""A proxy that has its connection, and no answer."""
_AFTER: Final = timedelta(seconds=20)
FEWEST: Final = 3
"""Records of the callee after the first failure, and failures, that it takes."""


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each service that works and that others cannot connect to."""
    for service, clues in graph.callers.items():
        if service not in scene.services or is_product(service) or any(clue.troubled for clue in scene.of(service)):
            continue
        hanging = [clue for clue in clues if clue.novelty > 0.3 and _hangs(clue.text[:1_000])]
        if (
            sum(clue.activity.during for clue in hanging) < FEWEST
            or _refused(clues)
            or not _works(service, hanging, scene)
        ):
            continue
        lead = max(hanging, key=lambda clue: clue.activity.during)
        callers = ", ".join(dict.fromkeys(clue.service for clue in hanging if clue.service)) or "callers"
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{service}: the network between {callers} and it is cut; it works and is not reached:"
            f" {message_of(lead)}",
            why=(f"{service} goes on to write its ordinary records", counted(lead)),
            facts=replace(clue_facts(lead), strength=0.85, upstream=graph.upstream(service, scene)),
            evidence=tuple(clue.evidence for clue in hanging[:3]),
            fault_type="network_partition",
            service=service,
            words=frozenset({service, "network"}),
        )


def _hangs(text: str) -> bool:
    return _HANGS.search(text) is not None and _CONNECTED.search(text) is None


def _refused(clues: tuple[Clue, ...]) -> bool:
    return any(clue.reading is not None and clue.reading.fault_type == "connection_refused" for clue in clues)


def _works(service: str, hanging: list[Clue], scene: Scene) -> bool:
    """Whether a service wrote records while its callers could not connect."""
    start = min((clue.record.timestamp for clue in hanging if clue.record.timestamp is not None), default=None)
    if start is None:
        return False
    rows = scene.detection.history.activity(start + _AFTER, scene.incident.ends_at)
    return sum(row.during for row in rows if base_service(row.service) == service) >= FEWEST
