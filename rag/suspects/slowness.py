"""Who became slow: the service whose own durations grew, at the end of the chain of calls.

A caller's duration holds that of its callee, so of services that grew slow together the one that usually answers
fastest is the deepest. Why it is slow shows in what stands beside it: probes that time out mean that the process itself
is starved, else it waits for something outside these logs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import Anomaly, AnomalyKind, SuspectKind
from rag.suspects.clue import Clue
from rag.suspects.mechanism import BEHIND
from rag.suspects.names import is_product, outside
from rag.suspects.objects import is_platform
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, shorten
from rag.suspects.scene import Scene

FEWEST: Final = 2.0
"""How many times longer than usual is slow."""

AGAIN: Final = 4
"""Statements that a database reports as slow, or as waiting for a lock, so often are no chance."""
_OF_DATABASE: Final = frozenset({"slow_query", "lock_contention"})

_TIME: Final = re.compile(r"took|\bms\b|_ms\b|duration|elapsed|latency|seconds|(?:response|request|query)_?time", re.I)
_KINDS: Final = re.compile(r"\w+ of \d+ kinds of ")
_STARVED: Final = re.compile(
    r"thread starvation|clock leap|event ?loop|slow_callback|executing <(?:task|handle)|throttl|cpu|scheduling delay"
    r"|stop-the-world",
    re.IGNORECASE,
)
_HUNG: Final = re.compile(r"timeout|timed? ?out|deadline exceeded", re.IGNORECASE)


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for the deepest service that grew slow, where no database or lock explains it; and one for what the
    slow ones wait for in vain, where their records name it."""
    held = any(map(_slow_statement, scene.clues))
    for late in _late(scene):
        yield replace(late, facts=replace(late.facts, remote=BEHIND)) if held else late
    slow: dict[str, tuple[Clue, Anomaly]] = {}
    for clue, anomaly in slower(scene):
        if clue.service and (clue.service not in slow or _usual(anomaly) < _usual(slow[clue.service][1])):
            slow[clue.service] = (clue, anomaly)
    if not slow:
        return
    service = min(slow, key=lambda name: _usual(slow[name][1]))
    clue, anomaly = slow[service]
    starved = [other for other in scene.of(service) if other.novelty > 0.5 and _starves(other)]
    if starved:
        yield _proposal(
            clue, anomaly, starved, "cpu_saturation", f"{service} is starved of CPU time: it answers late", 0.8
        )
        return
    callee = _awaited(service, scene, graph)
    if callee is not None:
        yield _of_callee(*callee, clue, anomaly, scene, graph)
    host = _waits_for(service, scene)
    where = f"{host} answers too slowly" if host is not None else f"{service}, or what it waits for, answers too slowly"
    found = _proposal(clue, anomaly, [], "dependency_slow", f"high latency: {where}", _sureness(anomaly))
    waits = held or (callee is not None and callee[0] != service)
    behind = replace(found.facts, remote=BEHIND) if waits else found.facts
    yield replace(found, component=f"external/{host}" if host is not None else None, facts=behind)


def _usual(anomaly: Anomaly) -> float:
    """The usual duration; of several kinds together only the growth is known, and any single one says more."""
    return math.inf if _KINDS.match(anomaly.why) else _number(anomaly.expected)


def _slow_statement(clue: Clue) -> bool:
    """Whether a database tells again and again, since, that a statement takes long: its callers wait for that."""
    slow = clue.reading is not None and clue.reading.fault_type in _OF_DATABASE and is_product(clue.service or "")
    return slow and clue.novelty > 0.5 and clue.activity.during >= AGAIN


def _sureness(anomaly: Anomaly) -> float:
    """How directly a duration tells of a fault: that it doubled may have many reasons, that it is tenfold has few."""
    usual, now = _number(anomaly.expected), _number(anomaly.observed)
    return 0.55 + 0.25 * min(1.0, math.log10(now / usual)) if now > usual > 0 else 0.55


def _awaited(slow: str, scene: Scene, graph: Blame) -> tuple[str, tuple[Clue, ...]] | None:
    """Whom the slow service, or several others, time out on, with their records: the one most of them name, that does
    not wait for another itself."""
    waits = {callee: tuple(clue for clue in clues if _hangs(clue)) for callee, clues in graph.callers.items()}
    waits = {callee: clues for callee, clues in waits.items() if clues and callee in scene.services}
    blaming = {clue.service for clues in waits.values() for clue in clues}
    last = {callee: clues for callee, clues in waits.items() if callee not in blaming} or waits
    callers = {callee: {clue.service for clue in clues} for callee, clues in last.items()}
    return max(
        ((callee, clues) for callee, clues in last.items() if slow in callers[callee] or len(callers[callee]) > 1),
        key=lambda item: (len({clue.service for clue in item[1]}), sum(clue.activity.during for clue in item[1])),
        default=None,
    )


def _hangs(clue: Clue) -> bool:
    return clue.weighty and clue.reading is not None and clue.reading.fault_type == "dependency_slow"


def _of_callee(
    callee: str, records: tuple[Clue, ...], slow: Clue, anomaly: Anomaly, scene: Scene, graph: Blame
) -> Proposal:
    callers = ", ".join(dict.fromkeys(clue.service for clue in records if clue.service))
    lead = max(records, key=lambda clue: clue.activity.during)
    return Proposal(
        kind=SuspectKind.PROPAGATION,
        cause=f"{callee} answers too slowly: {callers} waits for it in vain: {message_of(lead)};"
        f" {slow.service} grew slow: {anomaly.why}",
        why=(anomaly.why, counted(lead)),
        facts=replace(
            clue_facts(lead),
            strength=0.75,
            novelty=max(lead.novelty, anomaly.score),
            earliness=1.0 - min(lead.age, slow.age),
            upstream=graph.upstream(callee, scene),
        ),
        evidence=(lead.evidence, slow.evidence),
        fault_type="dependency_slow",
        service=callee,
        words=frozenset({"slow", "late", "long", "latency", callee}),
    )


LATE: Final = 1_000.0
"""Milliseconds: a request that takes longer is slow whatever is usual."""
_MILLISECONDS: Final = re.compile(
    r"^(?:response_?time|duration|elapsed|took|latency|request_?time)(?:_?(?:ms|millis|milliseconds))?$", re.IGNORECASE
)


def _late(scene: Scene) -> Iterator[Proposal]:
    """The service whose requests take longest, by what its records carry: weak, for no change is known."""
    late = [(value, clue) for clue in scene.clues if (value := _milliseconds(clue)) >= LATE and not clue.failing]
    if not late:
        return
    value, clue = max(late, key=lambda each: each[0])
    yield Proposal(
        kind=SuspectKind.PROPAGATION,
        cause=f"slow: {clue.service or 'a service'} takes {value / 1000:.1f} seconds for a request:"
        f" {shorten(clue.text)}",
        why=(f"{value:.0f} ms for one request",),
        facts=replace(clue_facts(clue), strength=0.45),
        evidence=(clue.evidence,),
        fault_type="dependency_slow",
        service=clue.service,
        words=frozenset({"slow", "latency", "late", "long"}),
    )


def _milliseconds(clue: Clue) -> float:
    values = [
        float(value)
        for key, value in clue.record.attributes.items()
        if _MILLISECONDS.match(key) and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return max(values, default=0.0)


def _proposal(
    clue: Clue, anomaly: Anomaly, beside: list[Clue], fault_type: str, cause: str, strength: float
) -> Proposal:
    told = "".join(f"; {shorten(other.text.split(chr(10), 1)[0], 120)}" for other in beside[:1])
    return Proposal(
        kind=SuspectKind.PROPAGATION,
        cause=f"{cause}: {anomaly.why}{told}",
        why=(anomaly.why, "of the services that grew slow, it is the deepest: it usually answers fastest"),
        facts=replace(clue_facts(clue), strength=strength, novelty=max(clue.novelty, anomaly.score), severity=0.4),
        evidence=(clue.evidence, *(other.evidence for other in beside[:2])),
        fault_type=fault_type,
        service=clue.service,
        words=frozenset({"slow", "late", "long", "latency"}),
    )


def slower(scene: Scene) -> Iterator[tuple[Clue, Anomaly]]:
    """Durations of services that grew, each with its clue; not those of edge, database or platform."""
    by_template = {clue.activity.template_id: clue for clue in scene.clues}
    for anomaly in scene.incident.anomalies:
        clue = by_template.get(anomaly.template_id)
        if anomaly.kind is not AnomalyKind.NUMERIC_SHIFT or clue is None or clue.service is None:
            continue
        usual, now = _number(anomaly.expected), _number(anomaly.observed)
        field = anomaly.why.split(":", 1)[0]
        if is_product(clue.service) or is_platform(clue.service) or not _TIME.search(field):
            continue
        if usual > 0 and now >= FEWEST * usual:
            yield clue, anomaly


def _number(value: float | str | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _starves(clue: Clue) -> bool:
    probe = clue.reading is not None and clue.reading.fault_type == "probe_failure" and _HUNG.search(clue.text)
    return bool(probe) or _STARVED.search(clue.text[:600]) is not None


def _waits_for(service: str, scene: Scene) -> str | None:
    """The host outside the cluster that a service calls, where its records name one."""
    named = [clue for clue in (*scene.of(service), *scene.background) if clue.service == service]
    hosts = [host for clue in named for host in outside(f"{clue.text[:1_500]} {_fields(clue)}", scene.services)]
    return hosts[0] if hosts else None


def _fields(clue: Clue) -> str:
    return " ".join(f"{key}={value}" for key, value in clue.record.attributes.items())
