"""A dependency that was stopped on purpose: scaled to zero, or shut down in an orderly way, and then missed by others.

Its own last words report no trouble, and its callers' report what their clients make of it (a cache that fails, a pool
that times out). What they miss is the one that stopped and did not come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.domain import Evidence, SuspectKind
from rag.suspects.change import GRACE, about_of, owner_of
from rag.suspects.clue import Clue, base_service
from rag.suspects.objects import is_platform, subject
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, shorten
from rag.suspects.scene import Scene

LOOKBACK: Final = timedelta(minutes=15)
"""A stop longer than this before the onset is none that callers miss only now."""
LAST_WORDS: Final = timedelta(seconds=90)
"""What a program still says after it was told to stop."""

_STOPS: Final = re.compile(
    r"received sig(?:term|int|quit)|\bscheduling shutdown|shut(?:ting)? ?down (?:complete|now|initiated|request)"
    r"|(?:fast|smart|graceful) shutdown (?:request|complete|initiated)|\bis shutting down|\bis shut down|ready to exit"
    r"|\bgoing down\b"
    r"|stopping container|scaled down .{0,120}\bto 0\b|(?:server|service|process|broker) (?:stopped|terminated)\b"
    r"|\bstopped (?:server|service|broker)\b|\bSuccessfulDelete\b",
    re.IGNORECASE,
)
_SCALED: Final = re.compile(r"scaled down .{0,120}\bto 0\b|stopping container", re.IGNORECASE)
_STARTS: Final = re.compile(
    r"\bscaled up\b|successfulcreate|\bcreated pod\b|\bpull(?:ing|ed)\b|\bscheduled\b|failedscheduling"
    r"|nodes are available|(?:created|started|starting) container|already present on machine|back-?off",
    re.IGNORECASE,
)
"""What the cluster says of a workload that is to run."""
_LOST: Final = frozenset({"connection_refused", "dependency_down", "dependency_slow", "cache_failure", "dns_failure"})
"""What callers report of something that is not there any more."""


@dataclass(frozen=True, slots=True)
class _Stop:
    service: str
    at: datetime
    text: str
    evidence: Evidence


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each service that stopped near the onset, stays silent, and is missed by its callers."""
    gone = {service: stops for service, stops in _stopped(scene).items() if not _came_back(service, stops[0].at, scene)}
    for service, stops in gone.items():
        missed = [clue for clue in graph.callers.get(service, ()) if _misses(clue)]
        if not missed and len(gone) == 1:
            missed = [clue for clue in scene.clues if _refused_by_address(clue, service, graph)]
        if not missed:
            continue
        callers = ", ".join(dict.fromkeys(clue.service for clue in missed if clue.service))
        lead = max(missed, key=lambda clue: clue.activity.during)
        told = next((stop for stop in stops if _SCALED.search(stop.text)), stops[0])
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{service} is down, it was stopped: {shorten(told.text, 140)}; {callers} reports:"
            f" {message_of(lead)}",
            why=(f"{service} stopped at {stops[0].at:%H:%M:%S} and said nothing since", counted(lead)),
            facts=replace(
                clue_facts(lead),
                strength=0.95,
                upstream=graph.upstream(service, scene),
                change=0.6,
                state=0.5,
                severity=0.8,
            ),
            evidence=tuple(dict.fromkeys(entry for entry in (told.evidence, stops[0].evidence, lead.evidence))),
            fault_type="dependency_down",
            service=service,
            component=_object(service, stops, scene),
            words=frozenset({service, "down", "stopped"}),
        )


def _misses(clue: Clue) -> bool:
    return clue.novelty > 0.3 and clue.reading is not None and clue.reading.fault_type in _LOST


_REFUSED: Final = re.compile(r"refused", re.IGNORECASE)


def _refused_by_address(clue: Clue, service: str, graph: Blame) -> bool:
    """Whether a caller is refused by something that it knows by address alone."""
    told = clue.service != service and _misses(clue) and _REFUSED.search(clue.text[:600]) is not None
    return told and clue.weighty and not graph.names(clue)


def _stopped(scene: Scene) -> dict[str, list[_Stop]]:
    found: dict[str, list[_Stop]] = {}
    for stop in sorted(_stops(scene), key=lambda each: each.at):
        if scene.onset is not None and -GRACE <= scene.onset - stop.at <= LOOKBACK and not is_platform(stop.service):
            found.setdefault(stop.service, []).append(stop)
    return found


def _stops(scene: Scene) -> Iterator[_Stop]:
    for change in scene.changes:
        service = owner_of(change, scene)
        if service and change.timestamp and _STOPS.search(change.text):
            yield _Stop(service, change.timestamp, change.text, change.evidence)
    for clue in scene.clues:
        if clue.service and clue.record.timestamp and clue.novelty > 0.3 and _STOPS.search(clue.text[:400]):
            yield _Stop(clue.service, clue.record.timestamp, clue.text, clue.evidence)


def _came_back(service: str, at: datetime, scene: Scene) -> bool:
    """Whether a service still wrote after its last words, until the incident's end, or was to start again: a rollout
    stops what it replaces."""
    rows = scene.detection.history.activity(at + LAST_WORDS, scene.incident.ends_at)
    if any(base_service(row.service) == service for row in rows):
        return True
    told = [(change.timestamp, change.text, about_of(change)) for change in scene.changes]
    told += [(clue.record.timestamp, clue.text, subject(clue.record.line)) for clue in scene.of(service)]
    return any(
        moment is not None and moment >= at - LAST_WORDS and about is not None and about.service == service
        for moment, text, about in told
        if _STARTS.search(text[:600])
    )


def _object(service: str, stops: list[_Stop], scene: Scene) -> str | None:
    """The workload as its events name it."""
    for change in scene.changes:
        about = about_of(change)
        named = (
            about is not None
            and about.service == service
            and about.component.startswith(("deployment/", "statefulset/"))
        )
        if about is not None and named and any(stop.evidence == change.evidence for stop in stops):
            return about.component
    return None
