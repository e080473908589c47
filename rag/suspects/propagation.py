"""Who names whom: the service that others blame stands upstream of them.

An edge runs from a service whose failing records name another to the one that is named. The service at the end of the
edges is where the fault came from; a dependency that says nothing itself, or is not in the logs at all, can be it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from core.domain import Citation, SuspectKind
from rag.suspects.names import named
from rag.suspects.proposal import Facts, Proposal, clue_facts, message_of
from rag.suspects.scene import Clue, Scene

_TO_DEPENDENCY = {
    "connection_refused": "dependency_down",
    "dependency_slow": "dependency_slow",
    "dependency_down": "dependency_down",
    "network_partition": "network_partition",
    "cache_failure": "cache_failure",
    "slow_query": "slow_query",
    "rate_limited": "rate_limited",
}
"""What a caller's complaint says about the callee."""


@dataclass(frozen=True, slots=True)
class Blame:
    """`callers[callee]` are the clues that name it; `clues[citation]` whom a clue names."""

    callers: Mapping[str, tuple[Clue, ...]]
    of_clue: Mapping[Citation, tuple[str, ...]]

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

    def blames(self, clue: Clue) -> bool:
        return bool(self.of_clue.get(clue.citation))


def blame(scene: Scene) -> Blame:
    """The graph of who names whom among the failing clues."""
    callers: dict[str, list[Clue]] = {}
    of_clue: dict[Citation, tuple[str, ...]] = {}
    for clue in scene.clues:
        if not clue.failing or clue.reading is None or clue.reading.fault_type not in _TO_DEPENDENCY:
            continue
        names = tuple(name for name in named(clue.text, scene.services) if name != clue.service)
        of_clue[clue.citation] = names
        for name in names:
            callers.setdefault(name, []).append(clue)
    return Blame({name: tuple(clues) for name, clues in callers.items()}, of_clue)


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each named service that has no failing clue of its own to speak for it."""
    for callee, clues in graph.callers.items():
        if any(clue.failing and clue.novelty > 0.3 for clue in scene.of(callee)):
            continue
        strongest = max(clues, key=lambda clue: (clue.reading.strength if clue.reading else 0.0, -clue.age))
        assert strongest.reading is not None  # blame() takes only clues with a reading
        fault_type = _TO_DEPENDENCY[strongest.reading.fault_type]
        services = dict.fromkeys(clue.service for clue in clues if clue.service)
        total = sum(clue.activity.during for clue in clues)
        seen = callee in scene.services
        facts = clue_facts(strongest)
        callers = ", ".join(services) or "callers"
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
                remote=0.3 if seen else 0.0,
            ),
            evidence=tuple(clue.evidence for clue in clues[:3]),
            fault_type=fault_type,
            service=callee,
            words=frozenset({callee}),
        )


def _complaint(fault_type: str) -> str:
    return {
        "dependency_down": "the dependency is unreachable or down",
        "dependency_slow": "the dependency answers too slowly or not at all",
        "network_partition": "the network between them is cut",
        "cache_failure": "the cache fails",
        "slow_query": "its queries are slow",
        "rate_limited": "it limits the rate of requests",
    }[fault_type]


def decorate(proposal: Proposal, scene: Scene, graph: Blame, clue: Clue | None) -> Proposal:
    """The proposal with what others say about its service, and whether its own record blames another."""
    facts: Facts = replace(
        proposal.facts,
        upstream=max(proposal.facts.upstream, graph.upstream(proposal.service, scene)),
        blames=1.0 if clue is not None and graph.blames(clue) else proposal.facts.blames,
    )
    return replace(proposal, facts=facts)
