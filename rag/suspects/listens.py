"""A program that listens on another port than it is called on: it says one, its probes and callers use the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from core.domain import Evidence, SuspectKind
from rag.suspects.clue import Clue, base_service
from rag.suspects.objects import is_event, is_platform
from rag.suspects.place import changed_object, workload_of
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, shorten
from rag.suspects.scene import Scene

LOOKBACK: Final = timedelta(minutes=20)
"""How long before the onset a program may have said where it listens."""

_LISTENS: Final = re.compile(
    r"\b(?:listen(?:ing|s)?|running|serving|started|bound)\b.{0,60}?"
    r"(?:\bport[ =:#\"']*|:|\bon |\bat )(?P<port>\d{2,5})\b(?![.:]\d)",
    re.IGNORECASE,
)
_PORT: Final = re.compile(r"(?<=[\w\]]):(?P<port>\d{2,5})\b(?!:)")
_REFUSED: Final = re.compile(
    r"refused|failed to connect|connect(?:ion)? failed|all connection attempts failed", re.IGNORECASE
)


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each service that is refused at a port on which it does not listen."""
    told = _announced(scene)
    for service, (ports, evidence, text) in told.items():
        if changed_object(service, scene) is not None:
            continue  # what was configured is known (`network.py`)
        refused = [
            (port, clue) for clue, port in _refusals(scene) if port not in ports and _is_of(clue, service, graph)
        ]
        if not refused:
            continue
        port, lead = refused[0]
        callers = [clue for clue, number in _refusals(scene) if number == port and clue.service != service]
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{service} listens on another port than it is called on: {shorten(text, 120)}; port {port} is"
            f" refused: {message_of(lead)}",
            why=(f"{service} says that it listens on {', '.join(sorted(ports))}", counted(lead)),
            facts=replace(
                clue_facts(lead),
                strength=0.95,
                earliness=1.0 - min(clue.age for clue in (lead, *callers)),
                severity=0.8,
                upstream=1.0 if callers else 0.0,
                state=0.5,
            ),
            evidence=(evidence, lead.evidence, *(clue.evidence for clue in callers[:2])),
            fault_type="bad_config",
            service=service,
            component=workload_of(service, scene),
            words=frozenset({service, "port"}),
        )


def _announced(scene: Scene) -> dict[str, tuple[frozenset[str], Evidence, str]]:
    """Where each service said, shortly before the onset or since, that it listens."""
    found: dict[str, tuple[frozenset[str], Evidence, str]] = {}
    entries = [
        (base_service(change.service), change.timestamp, change.text, change.evidence) for change in scene.changes
    ]
    entries += [
        (clue.service, clue.record.timestamp, clue.text, clue.evidence) for clue in scene.clues if not clue.object
    ]
    for service, moment, text, evidence in entries:
        match = _LISTENS.search(text[:300])
        if match is None or service is None or is_platform(service) or is_event(evidence.text) or moment is None:
            continue
        if scene.onset is not None and moment < scene.onset - LOOKBACK:
            continue
        ports = found[service][0] if service in found else frozenset()
        found[service] = (ports | {match["port"]}, evidence, text)
    return found


def _refusals(scene: Scene) -> Iterator[tuple[Clue, str]]:
    for clue in scene.clues:
        if clue.novelty > 0.3 and clue.failing and _REFUSED.search(clue.text[:1_000]):
            yield from ((clue, match["port"]) for match in _PORT.finditer(clue.text[:1_000]))


def _is_of(clue: Clue, service: str, graph: Blame) -> bool:
    """Whether a refusal concerns a service: a probe of it, or a caller that names it."""
    probe = clue.service == service and clue.object is not None
    return probe or (clue.service != service and service in graph.names(clue))
