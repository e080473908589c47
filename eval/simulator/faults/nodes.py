# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Nodes that fail under their pods."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.lifecycle import started, stopping
from eval.simulator.world import Effect, Pod

_SERVICES = ("checkout", "users", "payment", "inventory", "worker")


def _outage(setting: Setting, service: str) -> str:
    return setting.choose(
        f"{service} is down", f"{service} does not answer any more", "Parts of the shop answer with errors"
    )


def node_lost(setting: Setting) -> Planted:
    """A node stops reporting: what ran there is gone at once, and is placed elsewhere minutes later."""
    w = setting.world
    node = w.services[setting.target].pods[0].node
    t = setting.start
    reason = setting.choose(
        "Kubelet stopped posting node status.",
        "container runtime is down",
        "PLEG is not healthy: pleg was last seen active 3m12s ago",
    )
    notice = t + setting.rng.uniform(35, 45)
    if "stopped" not in reason:
        for index in range(5):
            platform.node_log(
                w, t + index * 7, "E", "kubelet.go:2396", f'"Skipping pod synchronization" err="{reason}"', setting.id
            )
    platform.event(
        w, notice, "Node", node, "NodeNotReady", f"Node {node} status is now: NodeNotReady", cause=setting.id
    )
    moved = notice + setting.rng.uniform(60, 150)
    lost = [name for name in _SERVICES if any(pod.node == node for pod in w.services[name].pods)]
    for name in lost:
        s = w.services[name]
        share = sum(pod.node == node for pod in s.pods) / len(s.pods)
        failure = setting.failure("no_route", 2.0, 504)
        gone = Effect(setting.id, failure=setting.sometimes(share, failure))
        w.add(f"service:{name}", gone, t, min(setting.end, moved + 30))
        for index, pod in enumerate(s.pods):
            if pod.node != node:
                continue
            platform.event(w, notice + 0.4, "Pod", pod.name, "NodeNotReady", "Node is not ready", True, setting.id)
            platform.event(
                w,
                moved,
                "Pod",
                pod.name,
                "TaintManagerEviction",
                f"Marking for deletion Pod {w.style.namespace}/{pod.name}",
                cause=setting.id,
            )
            fresh = platform.new_pod(w, name, index + 1, pod.hash)
            if fresh.node == node:
                fresh = Pod(fresh.name, next(n for n in w.style.nodes if n != node), fresh.ip, fresh.hash)
            platform.event(
                w,
                moved + 0.5,
                "ReplicaSet",
                f"{name}-{pod.hash}",
                "SuccessfulCreate",
                f"Created pod: {fresh.name}",
                cause=setting.id,
            )
            at = platform.create_pod(w, moved + 1, name, fresh, platform.image_of(w, name, s.version), setting.id)
            w.at(at, lambda later, name=name, index=index, fresh=fresh: _placed(setting, name, index, fresh, later))  # type: ignore[misc]
    text = f"The node {node} was lost ({reason.rstrip('.')}); the pods of {', '.join(lost)} on it went with it"
    return Planted(
        RootCause("kubernetes", f"node/{node}", "node_not_ready", text),
        "Several services fail at once for a few minutes",
    )


def _placed(setting: Setting, service: str, index: int, pod: Pod, t: float) -> None:
    setting.world.services[service].pods[index] = pod
    started(setting.world, t, service, setting.id)


def evicted(setting: Setting) -> Planted:
    """A pod fills the disk (or memory) of its node; the kubelet evicts it, and it comes back, again and again."""
    w, service = setting.world, setting.target
    s = w.services[service]
    node = s.pods[0].node
    resource = setting.choose("ephemeral-storage", "memory")
    condition = {"ephemeral-storage": "NodeHasDiskPressure", "memory": "NodeHasInsufficientMemory"}[resource]
    signal = {"ephemeral-storage": "nodefs.available", "memory": "memory.available"}[resource]
    platform.node_log(
        w,
        setting.start - 20,
        "W",
        "kubelet_node_status.go:581",
        f'"Attempting to reclaim" resourceName="{resource}"',
        setting.id,
    )
    platform.event(
        w, setting.start - 10, "Node", node, condition, f"Node {node} status is now: {condition}", cause=setting.id
    )
    down = {"until": 0.0}

    def evict(t: float) -> None:
        index = setting.rng.randrange(len(s.pods))
        pod = s.pods[index]
        used = setting.rng.randrange(3_900_000, 14_000_000)
        platform.node_log(
            w,
            t - 0.5,
            "I",
            "kubelet_node_status.go:604",
            f'"Pods ranked for removal" pods=["{w.style.namespace}/{pod.name}"] signal="{signal}"',
            setting.id,
        )
        platform.event(
            w,
            t,
            "Pod",
            pod.name,
            "Evicted",
            f"The node was low on resource: {resource}. Threshold quantity: {setting.rng.randrange(900, 2100)}Mi, available: {setting.rng.randrange(200_000, 800_000)}Ki. Container {service} was using {used}Ki, request is 0, has larger consumption of {resource}. ",
            True,
            setting.id,
        )
        platform.event(w, t + 0.1, "Pod", pod.name, "Killing", f"Stopping container {service}", cause=setting.id)
        stopping(w, t + 0.2, service, setting.id)
        fresh = platform.new_pod(w, service, index, pod.hash)
        platform.event(
            w,
            t + 1,
            "ReplicaSet",
            f"{service}-{pod.hash}",
            "SuccessfulCreate",
            f"Created pod: {fresh.name}",
            cause=setting.id,
        )
        platform.event(
            w,
            t + 1.2,
            "Pod",
            fresh.name,
            "FailedScheduling",
            f"0/3 nodes are available: 1 node(s) had untolerated taint {{node.kubernetes.io/{'disk' if resource != 'memory' else 'memory'}-pressure: }}, 2 Insufficient memory.",
            True,
            setting.id,
        )
        at = platform.create_pod(
            w, t + setting.rng.uniform(20, 45), service, fresh, platform.image_of(w, service, s.version), setting.id
        )
        w.at(at, lambda later: _placed(setting, service, index, fresh, later))
        down["until"] = at + 3

    setting.repeat(110, 30, evict)
    failure = setting.failure("refused", 0.005, 502)
    setting.fail(f"service:{service}", lambda t, tag: failure if t < down["until"] and w.rng.random() < 0.55 else None)
    text = f"The pods of {service} use up the {resource} of {node} and are evicted again and again"
    return Planted(RootCause(service, f"node/{node}", "eviction", text), _outage(setting, service))


FAULTS = (
    Fault("node_not_ready", ("checkout", "payment"), node_lost, "a node stops reporting"),
    Fault("eviction", ("inventory", "worker", "checkout", "payment"), evicted, "pods are evicted again and again"),
)
