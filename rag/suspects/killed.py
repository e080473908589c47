"""Whose process the kernel killed: its log knows the process, the cluster's events know the container.

The kernel of a node writes `Killed process 811 (java)` without a pod. Two things tell whose process it was: the
identifier of the pod in its control group, and the container that starts again right after each kill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.domain import ChangeKind, Evidence, SuspectKind
from rag.suspects.clue import Clue
from rag.suspects.objects import is_platform
from rag.suspects.proposal import Proposal, cause_of, clue_facts, counted
from rag.suspects.scene import Scene

SOON: Final = timedelta(seconds=90)
"""So long after a kill a container starts again, or is held back from starting."""
SHARE: Final = 0.5
"""Of the kills, so many must be followed by a start of the same service."""
_KILLS: Final = 40
_UID: Final = re.compile(r"[0-9a-f]{8}([-_])[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_KILLED: Final = re.compile(r"kill(?:ed)? process|oom-kill|oom_reaper|invoked oom-killer", re.IGNORECASE)
_STARTS: Final = re.compile(
    r"back-?off|crashloop|already present on machine|(?:created|started|starting|restarted) container|restart count",
    re.IGNORECASE,
)
"""What the cluster says of a container that has to start again."""


@dataclass(frozen=True, slots=True)
class _Start:
    """A start of a service after its process ended, or that it is held back from one."""

    service: str
    at: datetime
    evidence: Evidence


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each kill told by a kernel or node whose victim other records tell."""
    kills = [clue for clue in scene.clues if _is_kill(clue)]
    starts = list(_starts(scene)) if kills else []
    for clue in kills:
        victim = _by_identifier(clue, scene) or _by_time(clue, starts, scene)
        if victim is None:
            continue
        service, evidence, why = victim
        yield Proposal(
            kind=SuspectKind.EXHAUSTION,
            cause=f"{service}: {cause_of(clue)}",
            why=(why, counted(clue)),
            facts=replace(clue_facts(clue), state=0.8, exhausted=1.0, severity=0.8),
            evidence=(clue.evidence, evidence),
            fault_type="out_of_memory",
            service=service,
            words=frozenset({service}),
        )


def _is_kill(clue: Clue) -> bool:
    told = clue.reading is not None and clue.reading.fault_type == "out_of_memory" and _KILLED.search(clue.text)
    of_workload = clue.object is not None and not clue.object.startswith("node/")
    return bool(told) and clue.novelty > 0.3 and not of_workload and (clue.service is None or is_platform(clue.service))


def _starts(scene: Scene) -> Iterator[_Start]:
    for change in scene.changes:
        service, moment = change.service, change.timestamp
        if change.kind is ChangeKind.RESTART and moment and service and not is_platform(service):
            yield _Start(service, moment, change.evidence)
    for clue in scene.clues:
        if clue.object is None or clue.service is None or is_platform(clue.service) or not _STARTS.search(clue.text):
            continue
        places = scene.detection.history.examples(clue.activity.template_id, clue.activity.service, None, None, _KILLS)
        for record in scene.detection.reader.read(places).values():
            if record.timestamp is not None:
                yield _Start(clue.service, record.timestamp, clue.evidence)


def _by_identifier(clue: Clue, scene: Scene) -> tuple[str, Evidence, str] | None:
    """The service whose pod has the identifier that the kill names."""
    uid = _UID.search(clue.text[:2_000])
    if uid is None:
        return None
    wanted = uid.group(0).replace("_", "-").lower()
    for other in (*scene.clues, *scene.background):
        if other.service is not None and not is_platform(other.service) and wanted in other.text.lower():
            return other.service, other.evidence, f"the pod {wanted} of the kill is one of {other.service}"
    return None


def _by_time(clue: Clue, starts: list[_Start], scene: Scene) -> tuple[str, Evidence, str] | None:
    """The service that starts again after the kills."""
    row = clue.activity
    places = scene.detection.history.examples(row.template_id, row.service, None, None, _KILLS)
    times = [
        record.timestamp for record in scene.detection.reader.read(places).values() if record.timestamp is not None
    ]
    if not times:
        return None
    followed: dict[str, int] = {}
    for service in {start.service for start in starts}:
        own = [start.at for start in starts if start.service == service]
        followed[service] = sum(any(kill <= at <= kill + SOON for at in own) for kill in times)
    ranked = sorted(followed.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or ranked[0][1] < max(1.0, SHARE * len(times)):
        return None
    service, count = ranked[0]
    if len(ranked) > 1 and ranked[1][1] == count:
        return None
    first = next(
        start for start in starts if start.service == service and any(k <= start.at <= k + SOON for k in times)
    )
    return service, first.evidence, f"{service} starts again after {count} of {len(times)} kills"
