"""Who names whom: the service that others blame stands upstream of them.

An edge runs from a service whose failing records name another to the one that is named. The service at the end of the
edges is where the fault came from; a dependency that says nothing itself, or is not in the logs at all, can be it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.domain import Citation, SuspectKind
from core.stacktrace import root_frame
from rag.suspects.access import access_of
from rag.suspects.clue import Clue
from rag.suspects.handed_on import Origins, handed_on
from rag.suspects.instances import instance_of
from rag.suspects.lexicon import NOT_RENEWED
from rag.suspects.names import called_host, hosts, is_outside, is_product, machine_of, named, without_own_names
from rag.suspects.novelty import OF_REQUEST, PASSING_NOVELTY
from rag.suspects.proposal import Facts, Proposal, clue_facts, message_of
from rag.suspects.scene import Scene

_TO_DEPENDENCY = {
    "connection_refused": "dependency_down",
    "dependency_slow": "dependency_slow",
    "dependency_down": "dependency_down",
    "network_partition": "network_partition",
    "cache_failure": "cache_failure",
    "slow_query": "slow_query",
    "rate_limited": "rate_limited",
    "lock_contention": "lock_contention",
    "data_corruption": "data_corruption",
    "disk_full": "disk_full",
    "certificate_expired": "certificate_expired",
    "out_of_memory": "out_of_memory",
    "version_mismatch": "version_mismatch",
}
"""What a caller's complaint says about the callee."""


@dataclass(frozen=True, slots=True)
class Blame:
    """`callers[callee]` are the clues that blame it; `of_clue[citation]` whom a clue blames; `named[service]` are the
    failing clues that name it in any way; `handed_on` the records that only hand on a failure, with its origins."""

    callers: Mapping[str, tuple[Clue, ...]]
    of_clue: Mapping[Citation, tuple[str, ...]]
    named: Mapping[str, tuple[Clue, ...]]
    handed_on: Origins

    def upstream(self, service: str | None, scene: Scene) -> float:
        """Share of the other troubled services that name this one, directly or through others."""
        if service is None:
            return 0.0
        others = {name for name in scene.symptomatic if name != service}
        if not others:
            return 0.0
        reached: set[str] = set()
        frontier = [service]
        while frontier:
            for clue in self.callers.get(frontier.pop(), ()):
                caller = clue.service
                if caller is not None and caller not in reached and caller != service:
                    reached.add(caller)
                    frontier.append(caller)
        return len(reached & others) / len(others)

    def mentions(self, service: str) -> bool:
        return service in self.named

    def naming(self, service: str) -> tuple[Clue, ...]:
        return self.named.get(service, ())

    def names(self, clue: Clue) -> tuple[str, ...]:
        return self.of_clue.get(clue.citation, ())

    def blames(self, clue: Clue, scene: Scene) -> float:
        """1 where a clue blames a service of these logs, less where what it blames is not in them."""
        named_here = self.of_clue.get(clue.citation, ())
        if not named_here:
            return 0.0
        return 1.0 if any(name in scene.services for name in named_here) else 0.2


def blame(scene: Scene) -> Blame:
    """The graph of who names whom, or hands on whose failure, among the failing clues."""
    callers: dict[str, list[Clue]] = {}
    mentioned: dict[str, list[Clue]] = {}
    of_clue: dict[Citation, tuple[str, ...]] = {}
    for clue in scene.clues:
        if not clue.failing:
            continue
        meant = (instance_of(name, clue.service, scene.services) for name in named(_complaint_of(clue), scene.services))
        names = tuple(dict.fromkeys(name for name in meant if name != clue.service))
        if _of_store(clue):
            continue  # whom it names there is its client
        for name in names:
            mentioned.setdefault(name, []).append(clue)
        if clue.reading is None or clue.reading.fault_type not in _TO_DEPENDENCY or NOT_RENEWED in clue.reading.term:
            continue  # whose certificate cannot be renewed is not to blame for that
        of_clue[clue.citation] = names
        for name in names:
            callers.setdefault(name, []).append(clue)
    origins = _first_hand(handed_on(scene.clues), of_clue)
    for clue in scene.clues:
        told = of_clue.get(clue.citation, ())
        for service in dict.fromkeys(origin.service for origin in origins.get(clue.citation, ())):
            if service is not None and service not in (clue.service, *told):
                callers.setdefault(service, []).append(clue)
    _blame_by_address(scene, callers, of_clue)
    return Blame(_frozen(callers), of_clue, _frozen(mentioned), origins)


def _first_hand(origins: Origins, of_clue: Mapping[Citation, tuple[str, ...]]) -> Origins:
    """The origins less those that are none: what blames another itself, and what a database or broker tells of its
    client's fault (the client did not get it from there)."""
    kept = {
        place: tuple(clue for clue in found if not _of_client(clue) and not of_clue.get(clue.citation))
        for place, found in origins.items()
    }
    return {place: found for place, found in kept.items() if found}


_OF_STORE: Final = frozenset({"slow_query", "lock_contention", "data_corruption", "disk_full", "cache_failure"})
"""What a database, cache or broker reports of itself, in whose words its tables and clients are named."""


def _of_store(clue: Clue) -> bool:
    told = clue.service is not None and is_product(clue.service)
    return told and clue.reading is not None and clue.reading.fault_type in _OF_STORE


def _of_client(clue: Clue) -> bool:
    told = clue.service is not None and is_product(clue.service)
    return told and clue.reading is not None and clue.reading.fault_type in _OF_CALLER


_UPSTREAM: Final = re.compile(
    r"upstream:? \\?\"?\w*(?:://)?\d{1,3}(?:\.\d{1,3}){3}:\d+|upstream (?:timed out|prematurely|sent)"
)


def _blame_by_address(scene: Scene, callers: dict[str, list[Clue]], of_clue: dict[Citation, tuple[str, ...]]) -> None:
    """A proxy knows its upstream by address alone: it blames the service that the other callers blame by name, where
    there is but one."""
    inside = {name for name in callers if name in scene.services and not is_product(name)}
    if len(inside) != 1:
        return
    (callee,) = inside
    for clue in scene.clues:
        unnamed = clue.citation in of_clue and not of_clue[clue.citation]
        if unnamed and clue.service not in (None, callee) and _UPSTREAM.search(clue.text[:1_000]):
            of_clue[clue.citation] = (callee,)
            callers[callee].append(clue)


def _frozen(clues: Mapping[str, list[Clue]]) -> dict[str, tuple[Clue, ...]]:
    return {name: tuple(found) for name, found in clues.items()}


def _complaint_of(clue: Clue) -> str:
    """The words that may name another service: the message, the exceptions and the file of the deepest own frame."""
    if access_of(clue.text) is not None:
        return ""  # an access log names the caller's page, not the server that failed
    heads = [f"{trace.exception}: {trace.message or ''}" for trace in clue.traces if not trace.suppressed]
    frame = root_frame(clue.traces)
    place = (frame[1].file or "").replace("/", " ").replace(".", " ") if frame is not None else ""
    fields = [f"{key}: {value}" for key, value in clue.record.attributes.items() if _CALLEE.fullmatch(key)]
    return "\n".join([without_own_names(clue.text.split("\n", 1)[0]), *fields, *heads, place])


_CALLEE: Final = re.compile(
    r"(?:upstream|peer|target|remote|callee|dependency|downstream|destination)(?:[._](?:service|name|host))?",
    re.IGNORECASE,
)
"""Fields that hold whom a program called."""


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each named service that has no failing clue of its own to speak for it."""
    for callee, clues in graph.callers.items():
        if any(_tells_a_cause(clue, graph) for clue in scene.of(callee)):
            continue
        # A failure that is only handed on says where it came from, but not what is wrong there.
        complaints = [
            (clue, clue.reading) for clue in clues if clue.reading and clue.reading.fault_type in _TO_DEPENDENCY
        ]
        if not complaints:
            continue
        strongest, reading = max(complaints, key=lambda each: (each[1].strength, -each[0].age))
        fault_type = _TO_DEPENDENCY[reading.fault_type]
        services = dict.fromkeys(clue.service for clue in clues if clue.service)
        total = sum(clue.activity.during for clue in clues)
        seen = callee in scene.services
        facts = clue_facts(strongest)
        callers = ", ".join(services) or "callers"
        # What is not in the logs and has one caller is an external thing of that caller; else a service of its own.
        # A database or broker that is called by a bare name, or by one of the cluster, runs beside it.
        host = hosts(message_of(strongest), callee)
        called = re.search(rf"(?<![\w.-]){re.escape(host)}:\d{{2,5}}\b", message_of(strongest)) is not None
        machine = None if scene.kubernetes else machine_of(message_of(strongest), callee)
        beside = is_product(callee) and not is_outside(host) and called
        external = not seen and len(services) == 1 and not beside
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{callee}: {_complaint(fault_type)}; {callers} reports: {message_of(strongest)}",
            why=(
                f"named in {total} failing record{'s' if total != 1 else ''} of {callers}",
                f"{callee} reports no trouble itself" if seen else f"{callee} itself is not in these logs",
            ),
            facts=replace(
                facts,
                strength=max(facts.strength, 0.5),
                upstream=max(graph.upstream(callee, scene), 0.5 if len(services) == 1 else 0.0),
                remote=MIDDLEMAN if _waits_itself(callee, scene, graph) else 0.3 if seen else 0.0,
            ),
            evidence=tuple(clue.evidence for clue in clues[:3]),
            fault_type=fault_type,
            service=next(iter(services)) if external else callee,
            component=called_host(host) if external else f"host/{machine}" if machine else None,
            words=frozenset({callee}),
        )


MIDDLEMAN: Final = 0.9
"""How far a service that waits for another one itself steps back."""


def _waits_itself(callee: str, scene: Scene, graph: Blame) -> bool:
    """Whether all that a blamed service complains of, lastingly, is another service of these logs."""
    lasting = [clue for clue in scene.of(callee) if clue.weighty and clue.troubled]
    return bool(lasting) and all(any(name in scene.services for name in graph.names(clue)) for clue in lasting)


def _tells_a_cause(clue: Clue, graph: Blame) -> bool:
    """Whether a record of the blamed service says itself what is wrong, and does not pass the blame on."""
    direct = (clue.reading is not None and clue.reading.strength >= 0.7) or bool(clue.traces)
    return clue.weighty and clue.troubled and direct and not graph.names(clue)


def _complaint(fault_type: str) -> str:
    return {
        "lock_contention": "its locks are held for too long",
        "data_corruption": "its data are damaged",
        "disk_full": "its disk is full",
        "certificate_expired": "its certificate is refused",
        "out_of_memory": "it is out of memory",
        "dependency_down": "the dependency is unreachable or down",
        "dependency_slow": "the dependency answers too slowly or not at all",
        "network_partition": "the network between them is cut",
        "cache_failure": "the cache fails",
        "slow_query": "its queries are slow",
        "rate_limited": "it limits the rate of requests",
        "version_mismatch": "it answers in a form that its callers do not expect",
    }[fault_type]


_OF_CALLER: Final = frozenset(
    {
        "queue_backlog",
        "constraint_violation",
        "permission_denied",
        "credential_expired",
        "schema_migration",
        "bad_input",
        "code_defect",
    }
)
"""Faults that a database or broker reports of its clients: they are the caller's."""


def _echo(clue: Clue, scene: Scene, graph: Blame) -> float:
    """1 where another service reports the same fault and it is that one's: a full disk is the database's although its
    callers report it, a refused password the caller's although the database does."""
    if clue.reading is None or clue.service is None:
        return 0.0
    fault_type = clue.reading.fault_type
    others = {
        other.service
        for other in scene.clues
        if other.service not in (None, clue.service) and other.reading and other.reading.fault_type == fault_type
    }
    if fault_type in _OF_CALLER:
        return float(is_product(clue.service) and any(not is_product(name) for name in others if name))
    return float(any(name in graph.names(clue) or is_product(name) for name in others if name))


def _weight(own: Clue | None) -> float:
    """How far what others say of a service speaks for one record of it: not for its passing noise."""
    if own is None or own.reading is None or own.object is not None or own.reading.fault_type not in OF_REQUEST:
        return 1.0
    return 1.0 if own.novelty > PASSING_NOVELTY else own.novelty


def decorate(proposal: Proposal, scene: Scene, graph: Blame, clue: Clue | None) -> Proposal:
    """The proposal with what others say about its service, and whether its own record blames another."""
    own = clue if clue is not None and clue.service == proposal.service else None
    handed_on = clue is not None and clue.citation in graph.handed_on
    facts: Facts = replace(
        proposal.facts,
        # The words of an answer describe what the caller got, not what broke.
        strength=proposal.facts.strength * (0.5 if handed_on else 1.0),
        upstream=max(proposal.facts.upstream, graph.upstream(proposal.service, scene) * _weight(own)),
        blames=graph.blames(own, scene) if own is not None else 0.0,
        echo=1.0 if handed_on else _echo(own, scene, graph) if own is not None else 0.0,
    )
    return replace(proposal, facts=facts)
