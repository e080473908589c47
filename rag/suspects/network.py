"""Faults between services: what no single record tells, but the failures of several peers together do.

A service whose calls to different peers, and those of its callers, break off or hang now and then sits behind a bad
link; many names that several services cannot resolve are the resolver's; a callee that was just configured, runs, and
refuses connections listens elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import ChangeKind, SuspectKind
from rag.suspects.change import closeness
from rag.suspects.clue import Clue
from rag.suspects.lexicon import PRESENTED
from rag.suspects.names import is_product, named, outside
from rag.suspects.objects import is_platform
from rag.suspects.place import changed_object, told
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of
from rag.suspects.scene import Scene

_TRANSPORT: Final = frozenset({"dependency_down", "dependency_slow", "cache_failure"})
_CUT: Final = re.compile(
    r"reset|\bclosed\b|broken pipe|\bEOF\b|hang ?up|aborted|disconnected|connection (?:was )?lost|prematurely",
    re.IGNORECASE,
)
_HUNG: Final = re.compile(r"timed? ?out|timeout|deadline exceeded|did not (?:answer|respond)|ETIMEDOUT", re.IGNORECASE)
_REFUSED: Final = re.compile(
    r"refused|all connection attempts failed|connect(?:ion)? failed|failed to connect", re.IGNORECASE
)
_RESOLVER: Final = re.compile(r"^(?:core-?dns|kube-?dns|node-local-dns|dnsmasq|unbound|bind9?|named|systemd-resolved)$")


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """Proposals of a lossy link, a failing resolver, a refused certificate, a callee that listens elsewhere."""
    yield from _lossy(scene, graph)
    yield from _resolver(scene)
    yield from _presented(scene)
    yield from _elsewhere(scene, graph)


def _lossy(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    kernel = [
        clue for clue in scene.clues if clue.reading and clue.reading.fault_type == "packet_loss" and clue.novelty > 0.3
    ]
    for service in scene.symptomatic:
        if is_product(service) or is_platform(service):
            continue
        inward = [clue for clue in graph.callers.get(service, ()) if _broken(clue)]
        outward = [
            (peer, clue)
            for peer, clues in graph.callers.items()
            for clue in clues
            if clue.service == service and _broken(clue) and not _troubled(peer, scene)
        ]
        peers = {peer for peer, _ in outward}
        own = [clue for clue in scene.of(service) if _broken(clue) and not graph.names(clue)]  # the peer is not told
        records = [*(clue for _, clue in outward), *inward, *own]
        mixed = any(_CUT.search(_words(clue)) for clue in records) and any(
            _HUNG.search(_words(clue)) for clue in records
        )
        if len(peers) + bool(inward) < 2 or not peers or not (mixed or kernel):
            continue
        lead = kernel[0] if kernel else max(records, key=lambda clue: clue.activity.during)
        names = ", ".join(sorted(peers))
        callers = ", ".join(dict.fromkeys(clue.service for clue in inward if clue.service))
        both = f" and {callers} loses those to {service}" if callers else ""
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"packet loss on the network of {service}: it loses connections to {names}{both}: {message_of(lead)}",
            why=(
                f"{len(peers)} peers of {service} fail in mixed ways, resets and timeouts; none reports trouble itself",
            )
            + ((f"the kernel of its node reports: {counted(kernel[0])}",) if kernel else ()),
            facts=replace(
                clue_facts(lead),
                strength=0.95 if kernel else 0.75,
                upstream=graph.upstream(service, scene),
                state=0.5 if kernel else 0.0,
            ),
            evidence=tuple(clue.evidence for clue in (*kernel[:1], *records))[:5],
            fault_type="packet_loss",
            service=service,
            words=frozenset({service, *peers, "slow", "fail"}),
        )


def _broken(clue: Clue) -> bool:
    """Whether a record tells of a connection that was cut or hung, not of one that was refused."""
    reading = clue.reading
    return reading is not None and reading.fault_type in _TRANSPORT and not _REFUSED.search(_words(clue))


def _words(clue: Clue) -> str:
    return f"{told(clue)[:1_500]} {clue.text[:600]}"


def _troubled(service: str, scene: Scene) -> bool:
    return any(clue.weighty and clue.reading is not None and clue.reading.strength >= 0.7 for clue in scene.of(service))


def _resolver(scene: Scene) -> Iterator[Proposal]:
    """Several services, or one with several names, cannot resolve: the resolver fails, not one name."""
    failed = [
        clue for clue in scene.clues if clue.reading and clue.reading.fault_type == "dns_failure" and clue.novelty > 0.3
    ]
    callers = {clue.service for clue in failed if clue.service and not _RESOLVER.match(clue.service)}
    hosts = {name for clue in failed for name in _unresolved(clue, scene)}
    resolver = next((service for service in sorted(scene.services) if _RESOLVER.match(service)), None)
    own = [clue for clue in scene.of(resolver) if clue.failing and not _NO_NAME.search(clue.text)] if resolver else []
    if not (len(callers) > 1 or (own and len(hosts) > 1)) or len(hosts) < 2 or not (own or scene.kubernetes):
        return
    lead = max((*own, *failed), key=lambda clue: (clue.service == resolver, clue.activity.during))
    named_so = f" ({resolver})" if resolver is not None else ""
    yield Proposal(
        kind=SuspectKind.PROPAGATION,
        cause=f"DNS: the resolver of the cluster{named_so} does not resolve host names:"
        f" {', '.join(sorted(hosts)[:4])} cannot be resolved by {', '.join(sorted(callers))}: {message_of(lead)}",
        why=(f"{len(hosts)} names fail in {len(callers)} services", counted(lead)),
        facts=replace(clue_facts(failed[0]), strength=0.97, upstream=1.0, state=0.5 if own else 0.0),
        evidence=tuple(clue.evidence for clue in (lead, *failed))[:5],
        fault_type="dns_failure",
        service=resolver,
        component=_configuration(resolver, scene) or f"deployment/{resolver}" if resolver is not None else None,
        words=frozenset({"dns"} if resolver is None else {"dns", resolver}),
    )


def _configuration(resolver: str, scene: Scene) -> str | None:
    """What the resolver was configured with just before: it reads the config map of its own name."""
    for change in scene.changes:
        if change.kind is ChangeKind.CONFIG and change.service == resolver and closeness(change, scene) > 0.0:
            return f"configmap/{resolver}"
    return None


_NO_NAME: Final = re.compile(r"\bNXDOMAIN\b")
"""The resolver's answer that a name does not exist: it works."""


def _presented(scene: Scene) -> Iterator[Proposal]:
    """Who presents a certificate that its callers refuse: its server notes the broken handshakes."""
    told = [clue for clue in scene.clues if clue.reading and clue.reading.fault_type == "certificate_expired"]
    callers = [clue for clue in told if clue.reading and clue.reading.term != PRESENTED]
    for clue in told:
        refused = [each for each in callers if each.service != clue.service]
        if clue.reading is None or clue.reading.term != PRESENTED or not refused:
            continue
        lead = max(refused, key=lambda each: each.activity.during)
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{clue.service}: {PRESENTED}: {message_of(clue)}; {lead.service} reports: {message_of(lead)}",
            why=(f"{clue.service} notes that its callers break off the handshake", counted(lead)),
            facts=replace(clue_facts(lead), strength=0.97, upstream=1.0),
            evidence=(lead.evidence, clue.evidence, *(each.evidence for each in refused[:2])),
            fault_type="certificate_expired",
            service=clue.service,
            words=frozenset({str(clue.service), "certificate", "tls"}),
        )


def _unresolved(clue: Clue, scene: Scene) -> Iterator[str]:
    """The names that a record says cannot be resolved."""
    what = clue.reading.what if clue.reading is not None else None
    if what is not None:
        yield what
    else:
        yield from outside(told(clue), scene.services)
        yield from _inside(clue, scene)


def _inside(clue: Clue, scene: Scene) -> Iterator[str]:
    """Services of the cluster that a record of failed resolution names."""
    return (name for name in named(told(clue), scene.services) if name != clue.service and name in scene.services)


def _elsewhere(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """A callee that was configured just before, that runs, and that refuses its callers: it listens elsewhere."""
    for callee, clues in graph.callers.items():
        refused = [clue for clue in clues if clue.novelty > 0.3 and _REFUSED.search(_words(clue))]
        changed = changed_object(callee, scene) if refused and callee in scene.services else None
        if changed is None or _crashes(callee, scene):
            continue
        lead = max(refused, key=lambda clue: clue.activity.during)
        callers = ", ".join(dict.fromkeys(clue.service for clue in refused if clue.service))
        listens = next((clue for clue in scene.of(callee) if _LISTENS.search(clue.text)), None)
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{callee} refuses connections since its configuration changed ({changed}): its address or port"
            f" is not the one that {callers} uses: {message_of(lead)}"
            + (f"; {callee} says: {message_of(listens)}" if listens is not None else ""),
            why=(f"{changed} was changed just before; {callee} runs", counted(lead)),
            facts=replace(
                clue_facts(lead), strength=0.85, upstream=graph.upstream(callee, scene), change=0.8, severity=0.8
            ),
            evidence=tuple(clue.evidence for clue in (lead, *((listens,) if listens is not None else ()), *refused))[
                :4
            ],
            fault_type="connection_refused",
            service=callee,
            component=changed,
            words=frozenset({callee}),
        )


_LISTENS: Final = re.compile(r"\b(?:listening|running|serving|started|bound)\b.{0,60}:?\b\d{2,5}\b", re.IGNORECASE)
_CRASHED: Final = frozenset(
    {
        "crash_loop",
        "out_of_memory",
        "image_pull_failure",
        "unschedulable",
        "eviction",
        "missing_env_var",
        "node_not_ready",
    }
)


def _crashes(service: str, scene: Scene) -> bool:
    return any(clue.reading is not None and clue.reading.fault_type in _CRASHED for clue in scene.of(service))
