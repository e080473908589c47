"""What Kubernetes says: events, and the state that `kubectl describe` shows.

An event or a state is read together with the object that it is about: the reason of a crash with the limits and the
last state of the container, a failed scheduling with the selector or the claim that the pod asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from core.domain import Evidence, SuspectKind
from core.units import SUFFIXES
from core.wording import times
from rag.kubernetes import Event, KubernetesObject, Line, workload
from rag.suspects.clue import Clue
from rag.suspects.containers import container_faults
from rag.suspects.finding import Finding
from rag.suspects.objects import controller
from rag.suspects.proposal import EFFECTS, Facts, Proposal, cause_of, clue_facts, counted, shorten
from rag.suspects.reading import read
from rag.suspects.scene import Scene

_REASONS: Final = re.compile(
    r"\b(?:BackOff|CrashLoopBackOff|OOMKill(?:ed|ing)|Failed(?:Scheduling|Mount|AttachVolume|Create|CreatePodSandBox|Binding)|Unhealthy|Evicted|NodeNotReady"
    r"|NodeHasDiskPressure|NodeHasInsufficientMemory|ErrImagePull|ImagePullBackOff|ProvisioningFailed|BackoffLimitExceeded|FailedGetResourceMetric|ScalingReplicaSet"
    r"|Killing|Preempted|SystemOOM|TaintManagerEviction|NetworkNotReady|InvalidDiskCapacity|ContainerGCFailed|ImageGCFailed|FreeDiskSpaceFailed)\b"
)


def propose(scene: Scene) -> Iterator[Proposal]:
    """Proposals from dumps of objects and events, and from Kubernetes events among the log lines."""
    for item in scene.dumps.objects:
        for finding in (*container_faults(item), *_event_findings(item.events, item)):
            yield _proposal(item, finding)
    yield from _of_events(scene.dumps.events, {item.component: item for item in scene.dumps.objects})
    hungry = _hungriest(scene.clues)
    for clue in scene.clues:
        proposal = _ranked(clue) or _of_clue(clue)
        if proposal is not None:
            yield _causing(proposal) if clue is hungry else proposal


def _proposal(item: KubernetesObject, finding: Finding) -> Proposal:
    return Proposal(
        kind=finding.kind,
        cause=finding.cause,
        why=finding.why,
        facts=Facts(
            strength=finding.strength, novelty=0.7, earliness=0.7, severity=0.8, state=finding.state,
            exhausted=1.0 if finding.kind is SuspectKind.EXHAUSTION else 0.0, remote=finding.remote,
        ),
        evidence=tuple(_evidence(line, item.workload) for line in finding.lines[:4]),
        fault_type=finding.fault_type,
        service=item.workload,
        component=_controlled(item),
        words=frozenset({item.name, item.workload, item.kind}),
    )  # fmt: skip


def _controlled(item: KubernetesObject) -> str:
    """The object to mend: what controls a pod, where that outlives it."""
    owner = (item.value("Controlled By") or "").lower()
    kind, _, name = owner.partition("/")
    if kind == "replicaset":
        return f"deployment/{workload(name)}"
    return owner if kind in ("statefulset", "daemonset", "job") else controller(item.kind, item.name)


def _event_findings(events: Sequence[Event], item: KubernetesObject) -> Iterator[Finding]:
    for event in events:
        if not event.warning:
            continue
        reading = read(f"{event.reason}: {event.message}")
        detail = _asked_for(item, event)
        yield Finding(
            fault_type=reading.fault_type if reading is not None else None,
            strength=reading.strength if reading is not None else 0.3,
            cause=shorten(f"{item.kind} {item.name}: {reading.term if reading else event.reason}: {event.message}", 400)
            + detail[0],
            why=(f"Kubernetes event {event.reason}, {times(max(1, event.count))}",),
            lines=(event.line, *detail[1]),
        )


def _asked_for(item: KubernetesObject, event: Event) -> tuple[str, tuple[Line, ...]]:
    """What the pod asks for that an event says it cannot have."""
    message = event.message
    if "affinity" in message or "selector" in message:
        return _quoted(item, "Node-Selectors", "nodeSelector")
    if "PersistentVolumeClaim" in message:
        return _quoted(item, "ClaimName", "claim")
    wanted = re.search(r"Insufficient ([\w./-]+)", message)
    if wanted is not None:
        return _quoted(item, wanted[1], f"it requests {wanted[1]}")
    if "storageclass" in message.lower():
        return _quoted(item, "StorageClass", "StorageClass")
    return "", ()


def _quoted(item: KubernetesObject, key: str, words: str) -> tuple[str, tuple[Line, ...]]:
    found = item.find("Requests", key) or item.find(key)
    if found is None or found.value in ("", "<none>"):
        return "", ()
    return f" ({words}: {found.value})", (found.line,)


def _of_events(events: Sequence[Event], described: dict[str, KubernetesObject]) -> Iterator[Proposal]:
    for event in events:
        if event.object is None or event.object in described:
            continue  # its own description says more
        kind, _, name = event.object.partition("/")
        item = KubernetesObject(kind, name, None, event.line)
        for finding in _event_findings([event], item):
            yield _proposal(item, finding)


def _of_clue(clue: Clue) -> Proposal | None:
    """A Kubernetes event, or a message of its agents, among the ordinary log lines."""
    reason = _REASONS.search(clue.record.line)
    if clue.reading is None or (reason is None and clue.object is None):
        return None
    effect = clue.reading.fault_type in EFFECTS and clue.reading.strength < 0.8
    of_node = clue.reading.fault_type == "node_not_ready" and not (clue.object or "").startswith("node/")
    facts = clue_facts(clue)
    said = reason.group(0) if reason is not None else str(clue.object)
    return Proposal(
        kind=SuspectKind.KUBERNETES_EVENT,
        cause=cause_of(clue) if clue.object is None else f"{clue.object}: {cause_of(clue)}",
        why=(f"Kubernetes reports {said}", counted(clue)),
        facts=replace(
            facts,
            state=0.3 if effect or of_node else 0.8,
            remote=1.0 if of_node else max(facts.remote, 0.5 if effect else 0.0),
        ),  # a pod tells of its node
        evidence=(clue.evidence,),
        fault_type=clue.reading.fault_type,
        service=clue.service,
        component=clue.object,
        words=frozenset(filter(None, (clue.object, clue.service))),
    )


_RANKED: Final = re.compile(r'pods ranked for eviction"? pods=\["(?:[\w-]+/)?(?P<pod>[\w.-]+)"')
"""The kubelet's own order: the pod that exceeds its requests the most comes first."""
_USED: Final = re.compile(r"\bwas using (?P<amount>\d+(?:\.\d+)?)(?P<unit>[num]|[KMGTP]i?)?\b")
_MANY_TIMES: Final = 5.0
"""So much more than a neighbour uses what took the node's resources."""


def _hungriest(clues: Sequence[Clue]) -> Clue | None:
    """The evicted pod that used most of what ran short, where it used far more than another that was evicted too."""
    used = sorted(((amount, clue) for clue in clues if (amount := _used(clue)) is not None), key=lambda pair: -pair[0])
    return used[0][1] if len(used) > 1 and used[0][0] >= _MANY_TIMES * used[-1][0] else None


def _used(clue: Clue) -> float | None:
    """Bytes (or cores) that a container used when its pod was evicted."""
    match = _USED.search(clue.text) if clue.reading is not None and clue.reading.fault_type == "eviction" else None
    return float(match["amount"]) * SUFFIXES[match["unit"] or ""] if match is not None else None


def _ranked(clue: Clue) -> Proposal | None:
    """The first of the pods that the kubelet means to evict."""
    first = _RANKED.search(clue.text)
    if first is None:
        return None
    owner = workload(first["pod"])
    return Proposal(
        kind=SuspectKind.KUBERNETES_EVENT,
        cause=f"{owner}: the pod that exceeds its requests the most, while the node runs short: {cause_of(clue)}",
        why=("the kubelet names it first among the pods to evict", counted(clue)),
        facts=replace(clue_facts(clue), state=0.8, exhausted=1.0),
        evidence=(clue.evidence,),
        fault_type="eviction",
        service=owner,
        component=controller("pod", first["pod"]),
        words=frozenset({owner, first["pod"]}),
    )


def _causing(proposal: Proposal) -> Proposal:
    """The eviction of the pod that took what ran short: the others are evicted for it (`mechanism`)."""
    why = (*proposal.why, f"it used at least {_MANY_TIMES:.0f} times as much of the node as others that were evicted")
    return replace(proposal, why=why, facts=replace(proposal.facts, exhausted=1.0))


def _evidence(line: Line, service: str) -> Evidence:
    return Evidence(line.citation.source, line.citation.position, None, line.text, service=service)
