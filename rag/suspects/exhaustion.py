"""Exhaustion named with what consumed it: the limit that was hit, and who took it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

from core.domain import AnomalyKind, Category, SuspectKind
from core.severity import WARN
from rag.suspects.clue import Clue
from rag.suspects.objects import subject
from rag.suspects.proposal import Proposal, cause_of, clue_facts, component_of, counted, shorten
from rag.suspects.scene import Scene

_LIMITED: Final = frozenset({"queue_backlog", "rate_limited", "cache_failure"})
"""Fault types outside the resource category that are about a limit too."""

_CONSUMERS: Final = (
    re.compile(r"killed process (?P<pid>\d+) \((?P<who>[^)]+)\)", re.IGNORECASE),
    re.compile(r"(?P<who>[\w.-]+) invoked oom-killer", re.IGNORECASE),
    re.compile(r"(?:process|pid|command|program|task)[= :]+[\"'`]?(?P<who>[A-Za-z][\w./-]{2,})", re.IGNORECASE),
    re.compile(
        r"(?:used|consumed|held|taken|occupied|leaked|opened|filled) (?:up )?by (?:the )?(?P<who>[\w./-]{3,})",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:could not (?:extend|write)(?: to)? file|write(?: error)?(?: to)?|writing|open(?:ing)?) "
        r"[\"'`]?(?P<who>/[\w./-]+)",
        re.IGNORECASE,
    ),
)
_LIMITS: Final = re.compile(
    r"(?:limit|max(?:imum)?(?:_\w+)?|size|quota|capacity|total|ulimit)(?: of size)?[ =:(]+"
    r"(?P<limit>\d[\d.,]*\s?(?:[kmgt]i?b?|%|ms|s)?)\b"
    r"|\b(?P<used>\d+)\s?(?:/|of|out of)\s?(?P<of>\d+)\b",
    re.IGNORECASE,
)


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each clue that reports a used-up resource."""
    for clue in scene.clues:
        reading = clue.reading
        if reading is None or not (reading.category is Category.RESOURCE or reading.fault_type in _LIMITED):
            continue
        consumer, culprit = _consumer(clue, scene)
        limit = _limit(clue.text)
        details = [text for text in (limit and f"limit {limit}", consumer and f"taken by {consumer}") if text]
        yield Proposal(
            kind=SuspectKind.EXHAUSTION,
            cause=cause_of(clue) + (f" ({', '.join(details)})" if details else ""),
            why=(counted(clue), *((f"grew before it: {shorten(culprit.text, 120)}",) if culprit is not None else ())),
            facts=replace(clue_facts(clue), exhausted=1.0 if consumer else 0.6),
            evidence=(clue.evidence, *((culprit.evidence,) if culprit is not None else ())),
            fault_type="memory_leak"
            if reading.fault_type == "out_of_memory" and _grew(clue, scene)
            else reading.fault_type,
            service=clue.service,
            component=component_of(clue),
        )


LEAK_INTERVAL: Final = timedelta(minutes=4)
"""A process that lives at least so long between two kills grew slowly; one that is killed at once needs more memory."""
GROWTH: Final = timedelta(seconds=10)
"""So long before it ran out, at least, memory must have been told to be short."""
_KILLS: Final = 40


def _killed_slowly(clue: Clue, scene: Scene) -> bool:
    """Whether the same service is killed again and again, each time after a while: it leaks."""
    row, detection = clue.activity, scene.detection
    places = detection.history.examples(row.template_id, row.service, None, None, _KILLS)
    times = sorted(
        record.timestamp
        for record in detection.reader.read(places).values()
        if record.timestamp is not None and (clue.object is None or _same_object(record.line, clue.object))
    )
    gaps = sorted(later - sooner for sooner, later in pairwise(times) if later - sooner > timedelta(seconds=5))
    return bool(gaps) and gaps[len(gaps) // 2] >= LEAK_INTERVAL


def _same_object(line: str, component: str) -> bool:
    about = subject(line)
    return about is not None and about.component == component


def _grew(clue: Clue, scene: Scene) -> bool:
    """Whether the memory of the service grew before it ran out: a leak, not a limit that is too small."""
    if _killed_slowly(clue, scene):
        return True
    for other in scene.of(clue.service):
        if other.reading is not None and other.reading.fault_type == "memory_leak" and _well_before(other, clue):
            return True
        shifted = other.anomaly is not None and other.anomaly.kind is AnomalyKind.NUMERIC_SHIFT
        if shifted and re.search(r"heap|rss|memory|\bmem\b", other.activity.text, re.IGNORECASE):
            return True
    return False


def _well_before(one: Clue, other: Clue) -> bool:
    """Whether one was told some time before the other: what a runtime says as it dies is no growth before it."""
    first, second = one.record.timestamp, other.record.timestamp
    return one.age <= other.age if first is None or second is None else second - first >= GROWTH


def _consumer(clue: Clue, scene: Scene) -> tuple[str | None, Clue | None]:
    """Who took the resource: named in the record itself, else what grew in the same service before it."""
    for pattern in _CONSUMERS:
        match = pattern.search(clue.text)
        if match is not None:
            return match["who"], None
    grown = [
        other
        for other in scene.of(clue.service)
        if other.anomaly is not None and other.severity <= WARN and other.age <= clue.age and other is not clue
        and (other.reading is None or other.reading.fault_type == clue.reading.fault_type if clue.reading else False)
    ]  # fmt: skip
    if not grown:
        return None, None
    culprit = max(grown, key=lambda other: other.activity.during)
    return None, culprit


def _limit(text: str) -> str | None:
    match = _LIMITS.search(text)
    if match is None:
        return None
    if match["limit"]:
        return match["limit"].strip(" ,.")
    return f"{match['used']} of {match['of']}" if int(match["used"]) >= 0.9 * int(match["of"]) > 0 else None
