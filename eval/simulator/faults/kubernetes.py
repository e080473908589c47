# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of the platform: pods that crash, are not pulled, not placed, not ready, or lose their node."""

from __future__ import annotations

from functools import partial

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.crashes import crash_loop, unreachable
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.lifecycle import started, stopping
from eval.simulator.style import hexes, suffix
from eval.simulator.wording import Chain
from eval.simulator.world import Effect, Pod

_SERVICES = ("checkout", "users", "payment", "inventory", "worker")


def _outage(setting: Setting, service: str) -> str:
    return setting.choose(
        f"{service} is down", f"{service} does not answer any more", "Parts of the shop answer with errors"
    )


def crash_looping(setting: Setting) -> Planted:
    """Running pods begin to crash at every start: what they read at start is broken."""
    w, service = setting.world, setting.target
    options: dict[str, tuple[Chain, ...]] = {
        "python": (
            (("json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)"),),
            (("OSError", "[Errno 5] Input/output error: '/data/catalog.snapshot'"),),
        ),
        "java": (
            (
                ("org.springframework.context.ApplicationContextException", "Unable to start web server"),
                ("java.lang.IllegalStateException", "Ledger journal is truncated at offset 40960"),
            ),
        ),
        "go": (
            (("*errors.errorString", "load snapshot: unexpected EOF"),),
            (("*errors.errorString", "restore stock index: checksum mismatch at segment 7"),),
        ),
        "node": (
            (("SyntaxError", "Unexpected end of JSON input"),),
            (("Error", "invalid job state in /data/jobs.db: version 0"),),
        ),
    }
    crash_loop(setting, setting.choose(*options[w.services[service].runtime]), "settings", new_version=False)
    function = OWN[service]["settings"][1]
    text = f"{service} crashes at every start ({function} cannot read its local state): Kubernetes restarts it again and again"
    return Planted(RootCause(service, f"deployment/{service}", "crash_loop", text, function), _outage(setting, service))


def image_not_pulled(setting: Setting) -> Planted:
    """A rollout names an image that cannot be pulled, and the old pods are gone already."""
    w, service = setting.world, setting.target
    s = w.services[service]
    version = platform.next_version(s.version, w)
    image = platform.image_of(w, service, version + setting.choose("", "-rc1", "-hotfix"))
    t = setting.start
    platform.delivery(w, t, "Initiated automated sync", service, setting.change, revision=hexes(w.rng, 7), image=image)
    t += w.rng.uniform(1.5, 4)
    revision = suffix(w.rng, 10)
    platform.event(
        w,
        t,
        "Deployment",
        service,
        "ScalingReplicaSet",
        f"Scaled down replica set {service}-{s.pods[0].hash} to 0 from {len(s.pods)}",
        cause=setting.change,
    )
    for old in s.pods:
        platform.event(w, t + 0.3, "Pod", old.name, "Killing", f"Stopping container {service}", cause=setting.change)
    w.at(t + 0.5, lambda at: stopping(w, at, service, setting.change))
    platform.event(
        w,
        t + 1,
        "Deployment",
        service,
        "ScalingReplicaSet",
        f"Scaled up replica set {service}-{revision} to {len(s.pods)} from 0",
        cause=setting.change,
    )
    reason = setting.choose(
        f'failed to resolve reference "{image}": {image}: not found',
        f'failed to resolve reference "{image}": unexpected status from HEAD request: 401 Unauthorized',
        "failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull limit",
    )
    unreachable(setting, service, t + 0.6)
    for index in range(len(s.pods)):
        pod = platform.new_pod(w, service, index, revision)
        platform.event(
            w,
            t + 1.2,
            "Pod",
            pod.name,
            "Scheduled",
            f"Successfully assigned {w.style.namespace}/{pod.name} to {pod.node}",
            cause=setting.change,
        )
        wait = {"n": 0}

        def attempt(at: float, pod: Pod = pod, wait: dict[str, int] = wait) -> None:
            if at >= setting.end:
                return
            platform.event(w, at, "Pod", pod.name, "Pulling", f'Pulling image "{image}"', cause=setting.id)
            platform.event(
                w,
                at + 1.1,
                "Pod",
                pod.name,
                "Failed",
                f'Failed to pull image "{image}": rpc error: code = Unknown desc = failed to pull and unpack image "{image}": {reason}',
                True,
                setting.id,
            )
            platform.event(w, at + 1.2, "Pod", pod.name, "Failed", "Error: ErrImagePull", True, setting.id)
            platform.event(w, at + 8, "Pod", pod.name, "BackOff", f'Back-off pulling image "{image}"', True, setting.id)
            platform.event(w, at + 8.1, "Pod", pod.name, "Failed", "Error: ImagePullBackOff", True, setting.id)
            wait["n"] += 1
            w.at(at + min(300, 10 * 2 ** wait["n"]), attempt)

        w.at(t + 2 + index, attempt)
    w.at(setting.end, lambda at: _come_back(setting, service, at))
    text = f"The new image of {service} ({image}) cannot be pulled, and the old pods were taken down first"
    return Planted(RootCause(service, f"deployment/{service}", "image_pull_failure", text), _outage(setting, service))


def _come_back(setting: Setting, service: str, t: float) -> None:
    platform.rollout(setting.world, t, service, same_version=True)


def unschedulable(setting: Setting) -> Planted:
    """Pods are recreated (a node was drained, a request was raised) and fit on no node."""
    w, service = setting.world, setting.target
    s = w.services[service]
    t = setting.start
    revision = suffix(w.rng, 10)
    if setting.rng.random() < 0.5:
        size = setting.choose("16", "24", "32")
        platform.delivery(
            w,
            t,
            f"deployment.apps/{service} configured",
            service,
            setting.change,
            kind="Deployment",
            change=f'"resources.requests.cpu: 500m -> {size}"',
        )
        what, how = "Insufficient cpu", f"its processor request was raised to {size}"
    else:
        label = setting.choose("disktype=ssd", "pool=payments", "zone=eu-1c")
        platform.delivery(
            w,
            t,
            f"deployment.apps/{service} configured",
            service,
            setting.change,
            kind="Deployment",
            change=f'"nodeSelector: {label}"',
        )
        what, how = "node(s) didn't match Pod's node affinity/selector", f"its node selector {label} fits no node"
    t += w.rng.uniform(2, 5)
    for old in s.pods:
        platform.event(w, t, "Pod", old.name, "Killing", f"Stopping container {service}", cause=setting.change)
    w.at(t + 0.4, lambda at: stopping(w, at, service, setting.change))
    unreachable(setting, service, t + 0.6)
    for index in range(len(s.pods)):
        pod = platform.new_pod(w, service, index, revision)
        platform.event(
            w,
            t + 1,
            "ReplicaSet",
            f"{service}-{revision}",
            "SuccessfulCreate",
            f"Created pod: {pod.name}",
            cause=setting.change,
        )
        message = f"0/{len(w.style.nodes)} nodes are available: {len(w.style.nodes)} {what}. preemption: 0/{len(w.style.nodes)} nodes are available: {len(w.style.nodes)} Preemption is not helpful for scheduling."
        setting.repeat(60, 20, partial(_not_placed, setting, pod.name, message), t + 1.5 + index)
    w.at(setting.end, lambda at: _come_back(setting, service, at))
    text = f"The pods of {service} fit on no node: {how}"
    return Planted(RootCause(service, f"deployment/{service}", "unschedulable", text), _outage(setting, service))


def _not_placed(setting: Setting, pod: str, message: str, t: float) -> None:
    platform.event(setting.world, t, "Pod", pod, "FailedScheduling", message, True, setting.id)


def probe_failing(setting: Setting) -> Planted:
    """Pods run but are never ready (or are killed for not being alive): their probe asks for the wrong thing."""
    w, service = setting.world, setting.target
    s = w.services[service]
    wrong = setting.choose("/health/ready", "/readyz", "/api/healthz")
    platform.delivery(
        w,
        setting.start,
        f"deployment.apps/{service} configured",
        service,
        setting.change,
        kind="Deployment",
        change=f'"readinessProbe.httpGet.path: /healthz -> {wrong}"',
    )
    done = platform.rollout(w, setting.start + 1, service, setting.change, same_version=True)
    liveness = setting.rng.random() < 0.4
    word = "Liveness" if liveness else "Readiness"
    status = setting.choose(404, 404, 401)
    setting.fail(f"probe:{service}", setting.sometimes(1.0, setting.failure("silent")), done)

    def probe(t: float) -> None:
        pod = setting.rng.choice(s.pods)
        platform.event(
            w,
            t,
            "Pod",
            pod.name,
            "Unhealthy",
            f"{word} probe failed: HTTP probe failed with statuscode: {status}",
            True,
            setting.id,
        )
        if s.runtime == "python":
            w.write(
                t,
                service,
                f'INFO:     {pod.ip.rsplit(".", 1)[0]}.1:{setting.rng.randrange(32768, 60999)} - "GET {wrong} HTTP/1.1" {status} {"Not Found" if status == 404 else "Unauthorized"}',
                setting.id,
            )

    setting.repeat(5, 1, probe, done)
    if liveness:

        def kill(t: float) -> None:
            index = setting.rng.randrange(len(s.pods))
            platform.event(
                w,
                t,
                "Pod",
                s.pods[index].name,
                "Killing",
                f"Container {service} failed liveness probe, will be restarted",
                cause=setting.id,
            )
            stopping(w, t + 0.2, service, setting.id)
            platform.restart(w, t + 2, service, index, "Unhealthy", 143, setting.id)

        setting.repeat(45, 10, kill, done + 30)
        unreachable(setting, service, done + 30, 0.5)
    else:
        unreachable(setting, service, done + 3)
    text = f"The {word.lower()} probe of {service} asks for {wrong}, which it does not serve: its pods are never in service"
    return Planted(RootCause(service, f"deployment/{service}", "probe_failure", text), _outage(setting, service))


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
    Fault("crash_loop", _SERVICES, crash_looping, "pods crash at every start"),
    Fault(
        "image_pull_failure",
        ("checkout", "users", "payment", "inventory"),
        image_not_pulled,
        "an image cannot be pulled",
    ),
    Fault("unschedulable", ("checkout", "users", "payment", "inventory"), unschedulable, "pods fit on no node"),
    Fault("probe_failure", ("checkout", "users", "payment", "inventory"), probe_failing, "pods are never ready"),
    Fault("node_not_ready", ("checkout", "payment"), node_lost, "a node stops reporting"),
    Fault("eviction", ("inventory", "worker", "checkout", "payment"), evicted, "pods are evicted again and again"),
)
