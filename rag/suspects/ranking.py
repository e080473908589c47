"""From proposals to an ordered list of suspects: merged, scored, cut; and what was ruled out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.domain import Citation, Evidence, Incident, RuledOut, Suspect
from core.findings import Detection
from rag.suspects import (
    backlog,
    change,
    cold_cache,
    exhaustion,
    first_new,
    frame,
    killed,
    kubernetes_event,
    listens,
    locks,
    logins,
    network,
    propagation,
    schedule,
    silence,
    slowness,
    stopped,
    unreached,
    written,
)
from rag.suspects.asked import addressed
from rag.suspects.calibration import probabilities
from rag.suspects.clue import Clue
from rag.suspects.mechanism import settle
from rag.suspects.place import place
from rag.suspects.proposal import Facts, Proposal, score, shorten, weighted
from rag.suspects.scene import Scene, survey

MAX_EVIDENCE: Final = 6
MAX_RULED_OUT: Final = 8
FAINT: Final = 0.15
"""Suspects below this share of the best one's strength are left out: they only distract."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{2,}|\d{3}\b")
_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        "the and for with what why did how has have was are not issue wrong working stop stopped work pod pods "
        "namespace name type default there this that from into out app application show logs deployment job which when "
        "where answers http",
    )
)
"""Words of a question that name nothing."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate causes of one incident, best first, and what looked like a cause and is not."""

    suspects: tuple[Suspect, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()


def rank(incident: Incident, detection: Detection, *, symptom: str | None = None, limit: int = 10) -> Ranking:
    """Candidate causes of an incident, best first, at most `limit`.

    A suspect's score is the probability that it names service and fault type rightly (`calibration.py`). Evidence comes
    from the detection's history, changes and reader, and is quoted verbatim; `symptom` (what the user or the alert saw)
    only steers the order.
    """
    scene = survey(incident, detection)
    graph = propagation.blame(scene)
    ordered = candidates(scene, graph, symptom)
    likely = probabilities(
        [weighted(item.facts) for item in ordered], [(item.service, item.fault_type) for item in ordered]
    )
    faintest = FAINT * score(ordered[0].facts) if ordered else 0.0
    suspects = [
        item.suspect(value) for item, value in zip(ordered, likely, strict=True) if score(item.facts) >= faintest
    ]
    return Ranking(tuple(suspects[:limit]), tuple(ruled_out(scene, graph))[:MAX_RULED_OUT])


def candidates(scene: Scene, graph: propagation.Blame, symptom: str | None = None) -> list[Proposal]:
    """Every candidate cause of a scene with its facts, merged, the strongest first."""
    merged = merge(steered(addressed(proposals(scene, graph), symptom), symptom))
    return sorted(merged, key=lambda item: (-weighted(item.facts), item.cause))


def proposals(scene: Scene, graph: propagation.Blame) -> list[Proposal]:
    """What every mechanism proposes, with the facts that concern several of them filled in."""
    by_place = {clue.citation: clue for clue in scene.clues}
    found = [
        *change.propose(scene, graph),
        *first_new.propose(scene),
        *frame.propose(scene),
        *exhaustion.propose(scene),
        *kubernetes_event.propose(scene),
        *killed.propose(scene),
        *propagation.propose(scene, graph),
        *silence.propose(scene),
        *network.propose(scene, graph),
        *slowness.propose(scene, graph),
        *backlog.propose(scene),
        *stopped.propose(scene, graph),
        *listens.propose(scene, graph),
        *schedule.propose(scene),
        *logins.propose(scene),
        *unreached.propose(scene, graph),
        *locks.propose(scene),
        *written.propose(scene),
        *cold_cache.propose(scene),
    ]
    judged = [propagation.decorate(item, scene, graph, _clue(item, by_place)) for item in found]
    return change.credited([place(item, _clue(item, by_place), scene) for item in judged], scene)


def _clue(proposal: Proposal, clues: dict[Citation, Clue]) -> Clue | None:
    return clues.get(proposal.evidence[0].citation) if proposal.evidence else None


def steered(items: Iterable[Proposal], symptom: str | None) -> Iterator[Proposal]:
    """The proposals with how much of the symptom each explains."""
    wanted = _words(symptom) if symptom else frozenset()
    for item in items:
        if not wanted:
            yield item
            continue
        named = {word for name in (item.service, item.component, *item.words) if name for word in _words(name)}
        told = wanted & (_words(item.cause) | named)
        whole = 0.5 if item.service is not None and item.service.lower() in (symptom or "").lower() else 0.0
        yield replace(item, facts=replace(item.facts, symptom=min(1.0, whole + len(told) / len(wanted))))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _COMMON


def merge(items: Iterable[Proposal]) -> list[Proposal]:
    """Proposals of the same fault at the same place become one; different places stay apart.

    A proposal without a component joins the one that has it. The wording is that of the best of them.
    """
    groups: list[list[Proposal]] = []
    for item in sorted(items, key=lambda item: (item.component is None, -score(item.facts), item.cause)):
        home = next((group for group in groups if _same(group[0], item)), None)
        if home is None:
            groups.append([item])
        else:
            home.append(item)
    merged = [_merged(group) for group in groups]
    stepped = settle([_where_it_stops(item, merged) for item in merged])
    return [_agreed(item, stepped) for item in stepped]


def _where_it_stops(item: Proposal, others: Sequence[Proposal]) -> Proposal:
    """A crash loop with the function in which every start ends, and what it says there."""
    if item.fault_type != "crash_loop" or item.function is not None:
        return item
    for other in others:
        if other.service == item.service and other.function and other.fault_type in ("code_defect", "bad_input"):
            cause = f"{item.cause}; every start ends with {other.cause}"
            evidence = _unique((*item.evidence, *other.evidence))
            return replace(item, function=other.function, cause=cause, evidence=evidence)
    return item


def _same(one: Proposal, other: Proposal) -> bool:
    if one.service != other.service or one.fault_type != other.fault_type:
        return False
    if one.evidence and other.evidence and one.evidence[0].citation == other.evidence[0].citation:
        return one.function is None or other.function is None or one.function == other.function
    if one.component is None or other.component is None:
        return one.fault_type is not None
    return (one.component, one.function) == (other.component, other.function)


def _merged(group: Sequence[Proposal]) -> Proposal:
    best = max(group, key=lambda item: (score(item.facts), -len(item.cause)))
    facts: Facts = best.facts
    for item in group:
        facts = facts.maximum(item.facts)
    kinds = {item.kind for item in group}
    placed = next((item for item in (best, *group) if item.function is not None), None) or next(
        (item for item in (best, *group) if item.component is not None), best
    )
    return replace(
        best,
        facts=replace(facts, agreement=min(1.0, (len(kinds) - 1) / 2)),
        component=placed.component,
        function=placed.function,
        why=tuple(dict.fromkeys(reason for item in (best, *group) for reason in item.why))[:5],
        evidence=_unique(entry for item in (best, *group) for entry in item.evidence),
    )


def _agreed(item: Proposal, others: Sequence[Proposal]) -> Proposal:
    """Other mechanisms that point at the same service by another way count a little."""
    kinds = {other.kind for other in others if other is not item and other.service == item.service and other.service}
    more = len(kinds - {item.kind})
    return replace(item, facts=replace(item.facts, agreement=min(1.0, item.facts.agreement + 0.25 * more)))


def _unique(entries: Iterable[Evidence]) -> tuple[Evidence, ...]:
    kept: dict[tuple[str, int], Evidence] = {}
    for entry in entries:
        kept.setdefault((entry.source, entry.position), entry)
    return tuple(kept.values())[:MAX_EVIDENCE]


def ruled_out(scene: Scene, graph: propagation.Blame) -> Iterator[RuledOut]:
    """What looked like a cause and is not: changes that do not fit, and noise that was there from the start."""
    yield from change.ruled_out(scene, graph)
    noisy = [clue for clue in scene.background if clue.failing]
    for clue in sorted(noisy, key=lambda clue: -clue.activity.during):
        row = clue.activity
        yield RuledOut(
            what=shorten(clue.text, 160),
            why=f"present from the start: {row.before} before, {row.during} during",
            evidence=(clue.evidence,),
        )
