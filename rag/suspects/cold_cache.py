"""A cache that started again and lost what it held: nothing fails, and every look-up goes to what stands behind it.

The cache says that it is ready, its callers find nothing in it and ask the database: what is told is that requests, and
statements, take many times longer than usual since a restart that looks harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.domain import ChangeKind, SuspectKind
from rag.suspects.change import closeness, owner_of
from rag.suspects.clue import Clue
from rag.suspects.objects import is_platform
from rag.suspects.proposal import Facts, Proposal, shorten
from rag.suspects.scene import Scene
from rag.suspects.slowness import slower

NEAR: Final = 0.5
"""How close before the onset the cache must have started; the closeness of a change (`change.py`)."""
_CACHE: Final = re.compile(r"redis|memcache|varnish|hazelcast|\bcache\b|-cache$|^cache-", re.IGNORECASE)
_TOLD: Final = frozenset(
    {"cache_failure", "dependency_down", "connection_refused", "network_partition", "out_of_memory"}
)
"""What its callers tell of a cache that fails: then it is not only cold."""


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for a cache that started just before others grew slow, where no one reports that it fails."""
    grown = list(slower(scene))
    if not grown:
        return
    starts = [
        (near, change, owner)
        for change in scene.changes
        if change.kind is ChangeKind.RESTART
        and (near := closeness(change, scene)) >= NEAR
        and (owner := owner_of(change, scene)) is not None
        and not is_platform(owner)
        and _CACHE.search(owner)
    ]
    if not starts or any(map(_tells, scene.clues)):
        return
    near, change, cache = max(starts, key=lambda each: each[0])
    clue, anomaly = max(grown, key=lambda each: each[1].score)
    events = dict.fromkeys(event.evidence for _, event, owner in starts if owner == cache)
    yield Proposal(
        kind=SuspectKind.CHANGE,
        cause=f"{cache} started again ({shorten(change.text, 120)}) and holds nothing yet: look-ups go to what stands"
        f" behind it, and are slow since: {anomaly.why}",
        why=(anomaly.why, f"{cache} started just before, and nothing reports that it fails"),
        facts=Facts(strength=0.8, novelty=anomaly.score, earliness=1.0, severity=0.4, upstream=0.5, change=near),
        evidence=(*list(events)[:3], clue.evidence),
        fault_type="cache_failure",
        service=cache,
        words=frozenset({cache, "cache", "slow", "late", "long", "latency"}),
    )


def _tells(clue: Clue) -> bool:
    told = clue.reading is not None and clue.reading.fault_type in _TOLD
    return told and _CACHE.search(clue.text[:2_000]) is not None
