"""Whose queue grows: a waiting line that only numbers tell of, and the service that takes too little from it.

A monitor, or the broker itself, writes how much waits; nothing fails. What grows is the queue that the record names,
and the one to look at is its consumer: the service that does less than before while the line grows, the more so where
it was changed just then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import Anomaly, AnomalyKind, SuspectKind
from rag.suspects.change import closeness
from rag.suspects.clue import Clue, base_service
from rag.suspects.names import is_product
from rag.suspects.objects import is_platform
from rag.suspects.place import queue_named
from rag.suspects.proposal import Proposal, clue_facts, message_of
from rag.suspects.scene import Scene

_WAITING: Final = re.compile(
    r"^\S*?(?:messages_?ready|unack\w*|backlog|queue_?(?:depth|length|size)|depth|lag|pending|waiting|queued|enqueued"
    r"|unprocessed|undelivered)"
    r"\S*: .*\bwhere\b.*\busual\b.*\((?P<times>\d+(?:\.\d+)?)x",
    re.IGNORECASE,
)
"""How an anomaly of a number tells that a waiting line grew."""
_POOL: Final = re.compile(r"pool|connections?\b|threads?\b", re.IGNORECASE)
"""Who waits for one of these is no message in a queue."""
GROWN: Final = 3.0
"""How many times longer than usual a waiting line is a backlog."""
FALLEN: Final = 0.6
"""What share of its usual records a consumer writes at most where it takes too little."""
USUAL: Final = 20
"""Records before, at least, from which a share means anything."""


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for the waiting line that grew most."""
    grown = [(times, item) for item in scene.incident.anomalies if (times := _grew(item)) >= GROWN]
    if not grown:
        return
    times, anomaly = max(grown, key=lambda each: each[0])
    clue = next((clue for clue in scene.clues if _told_by(clue, anomaly)), None)
    if clue is None or (_POOL.search(clue.text[:1_000]) and queue_named(clue) is None):
        return
    consumer = _consumer(clue, scene)
    queue = queue_named(clue)
    named = f" ({queue.split('/', 1)[1]})" if queue is not None else ""
    whose = f"; {consumer} does less than before" if consumer is not None else ""
    change = max((closeness(each, scene) for each in scene.changes if each.service == consumer), default=0.0)
    yield Proposal(
        kind=SuspectKind.PROPAGATION,
        cause=f"the queue{named} backs up, {times:g} times what is usual{whose}: {message_of(clue)}",
        why=(anomaly.why, *((f"{consumer} writes less than {FALLEN:.0%} of its usual records",) if consumer else ())),
        facts=replace(clue_facts(clue), strength=0.85, novelty=0.8, upstream=0.5 if consumer else 0.0, change=change),
        evidence=(clue.evidence,),
        fault_type="queue_backlog",
        service=consumer or clue.service,
        component=queue,
        words=frozenset(filter(None, (consumer, "queue", "delay", "late"))),
    )


def _told_by(clue: Clue, anomaly: Anomaly) -> bool:
    service = base_service(clue.activity.service)
    return clue.activity.template_id == anomaly.template_id and service == base_service(anomaly.service)


def _grew(anomaly: Anomaly) -> float:
    """How many times longer than usual the waiting line is that an anomaly tells of; 0 where it tells of none."""
    found = _WAITING.match(anomaly.why) if anomaly.kind is AnomalyKind.NUMERIC_SHIFT else None
    return float(found["times"]) if found is not None else 0.0


def _consumer(told: Clue, scene: Scene) -> str | None:
    """The service whose records fell furthest while the line grew."""
    incident = scene.incident
    if incident.starts_at is None:
        return None
    shares: dict[str, tuple[float, float]] = {}
    for row in scene.detection.history.activity(incident.starts_at, incident.ends_at):
        service = base_service(row.service)
        if service in (None, told.service) or row.window is None or row.reference is None:
            continue
        if is_platform(service) or is_product(service) or row.reference.total_seconds() <= 0:
            continue
        usual = row.before * row.window.total_seconds() / row.reference.total_seconds()
        during, expected = shares.get(service, (0.0, 0.0))
        shares[service] = (during + row.during, expected + usual)
    fallen = {
        name: during / expected
        for name, (during, expected) in shares.items()
        if expected >= USUAL and during <= FALLEN * expected
    }
    return min(fallen, key=lambda name: fallen[name], default=None)
