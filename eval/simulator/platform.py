# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Kubernetes and the delivery tool: events, rollouts, configuration changes, restarts, and how programs start and stop."""

from __future__ import annotations

import json

from eval.simulator.lifecycle import started, stopping
from eval.simulator.style import hexes, suffix
from eval.simulator.world import Pod, World


def event(
    w: World, t: float, kind: str, name: str, reason: str, message: str, warning: bool = False, cause: str | None = None
) -> None:
    """A Kubernetes event, as the cluster's event log shows it (one of three common exporters)."""
    type_ = "Warning" if warning else "Normal"
    form = w.style.pick("events/form", ("kubectl", "klog", "json"))
    namespace = w.style.namespace
    if form == "kubectl":
        text = f"{w.clock.iso_seconds(t)} {type_} {reason} {kind.lower()}/{name} {message}"
    elif form == "klog":
        quoted = message.replace('"', '\\"')
        text = (
            f'I{w.clock.klog(t)}       1 event.go:389] "Event occurred" object="{namespace}/{name}" fieldPath="" '
            f'kind="{kind}" apiVersion="v1" type="{type_}" reason="{reason}" message="{quoted}"'
        )
    else:
        values = {
            "type": type_,
            "reason": reason,
            "message": message,
            "firstTimestamp": w.clock.iso_seconds(t),
            "lastTimestamp": w.clock.iso_seconds(t),
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
        }
        text = json.dumps(values, separators=(",", ":"))
    w.write(t, "kubernetes", text, cause)


def node_log(w: World, t: float, level: str, source: str, message: str, cause: str | None = None) -> None:
    """A line of the kubelet, in klog's layout. `level` is I, W or E."""
    w.write(
        t,
        "kubelet",
        f"{level}{w.clock.klog(t)}    {w.style.number('kubelet/pid', 900, 2400)} {source}] {message}",
        cause,
    )


def delivery(w: World, t: float, message: str, app: str, cause: str | None = None, **fields: str) -> None:
    """A line of the GitOps controller (logrus, logfmt)."""
    more = "".join(f" {key}={value}" for key, value in fields.items())
    w.write(t, "argocd", f'time="{w.clock.iso_seconds(t)}" level=info msg="{message}" app={app}{more}', cause)


def reconfigure(w: World, t: float, service: str, change: str, cause: str | None = None) -> None:
    """The line that tells of a changed deployment: `resources.limits.cpu: 1 -> 100m`."""
    name = f"deployment.apps/{service}"
    delivery(w, t, f"{name} configured", service, cause, kind="Deployment", change=f'"{change}"')


def scale_to_zero(w: World, t: float, service: str, cause: str | None = None) -> None:
    """All pods of a service go, before new ones come."""
    pods = w.services[service].pods
    down = f"Scaled down replica set {service}-{pods[0].hash} to 0 from {len(pods)}"
    event(w, t, "Deployment", service, "ScalingReplicaSet", down, cause=cause)
    for pod in pods:
        event(w, t + 0.4, "Pod", pod.name, "Killing", f"Stopping container {service}", cause=cause)
    w.at(t + 0.5, lambda at: stopping(w, at, service, cause))


def create_pod(w: World, t: float, service: str, pod: Pod, image: str, cause: str | None = None) -> float:
    """Events from scheduling to start; returns when the container runs."""
    rng = w.rng
    event(
        w,
        t,
        "Pod",
        pod.name,
        "Scheduled",
        f"Successfully assigned {w.style.namespace}/{pod.name} to {pod.node}",
        cause=cause,
    )
    t += rng.uniform(0.4, 1.1)
    seconds = rng.uniform(0.9, 3.4)
    event(w, t, "Pod", pod.name, "Pulling", f'Pulling image "{image}"', cause=cause)
    t += seconds
    event(
        w,
        t,
        "Pod",
        pod.name,
        "Pulled",
        f'Successfully pulled image "{image}" in {seconds:.3f}s ({seconds:.3f}s including waiting)',
        cause=cause,
    )
    t += rng.uniform(0.1, 0.3)
    event(w, t, "Pod", pod.name, "Created", f"Created container {service}", cause=cause)
    t += rng.uniform(0.1, 0.4)
    event(w, t, "Pod", pod.name, "Started", f"Started container {service}", cause=cause)
    return t


def image_of(w: World, service: str, version: str) -> str:
    return f"{w.style.registry}/{service}:{version}"


def new_pod(w: World, service: str, index: int, revision: str, restarts: int = 0) -> Pod:
    node = w.style.nodes[(index + restarts) % len(w.style.nodes)]
    address = f"{w.style.subnet}.{w.rng.randrange(1, 39)}.{w.rng.randrange(2, 250)}"
    return Pod(f"{service}-{revision}-{suffix(w.rng, 5)}", node, address, revision)


def next_version(version: str, w: World) -> str:
    major, minor, patch = version.split(".")
    return f"{major}.{int(minor) + 1}.0" if w.rng.random() < 0.6 else f"{major}.{minor}.{int(patch) + 1}"


def rollout(w: World, t: float, service: str, cause: str | None = None, same_version: bool = False) -> float:
    """A rolling update that works: new pods come, old pods go. Returns when all pods are new."""
    s = w.services[service]
    version = s.version if same_version else next_version(s.version, w)
    revision = suffix(w.rng, 10)
    old_revision = s.pods[0].hash
    if not same_version:
        delivery(
            w,
            t,
            "Initiated automated sync",
            service,
            cause,
            revision=hexes(w.rng, 7),
            image=image_of(w, service, version),
        )
    t += w.rng.uniform(1.5, 4.0)
    for index, old in enumerate(list(s.pods)):
        fresh = new_pod(w, service, index, revision)
        event(
            w,
            t,
            "Deployment",
            service,
            "ScalingReplicaSet",
            f"Scaled up replica set {service}-{revision} to {index + 1} from {index}",
            cause=cause,
        )
        event(
            w,
            t + 0.1,
            "ReplicaSet",
            f"{service}-{revision}",
            "SuccessfulCreate",
            f"Created pod: {fresh.name}",
            cause=cause,
        )
        t = create_pod(w, t + 0.2, service, fresh, image_of(w, service, version), cause)

        def switch(at: float, index: int = index, fresh: Pod = fresh) -> None:
            s.version = version
            s.pods[index] = fresh
            if index == len(s.pods) - 1:
                s.pool = s.pool.fresh()
                s.threads = s.threads.fresh()
            started(w, at, service, cause)

        w.at(t, switch)
        t += w.rng.uniform(8, 14)
        left = len(s.pods) - 1 - index
        event(
            w,
            t,
            "Deployment",
            service,
            "ScalingReplicaSet",
            f"Scaled down replica set {service}-{old_revision} to {left} from {left + 1}",
            cause=cause,
        )
        event(
            w,
            t + 0.1,
            "ReplicaSet",
            f"{service}-{old_revision}",
            "SuccessfulDelete",
            f"Deleted pod: {old.name}",
            cause=cause,
        )
        event(w, t + 0.3, "Pod", old.name, "Killing", f"Stopping container {service}", cause=cause)
        w.at(t + 0.4, lambda at: stopping(w, at, service, cause))
        t += w.rng.uniform(1, 3)
    if not same_version:
        delivery(w, t, "Sync operation succeeded", service, cause, phase="Succeeded", health="Healthy")
    return t


def configure(
    w: World, t: float, service: str, key: str, cause: str | None = None, old: str = "", new: str = ""
) -> float:
    """A configuration change that the program picks up without a restart. Returns when it has."""
    name = f"{service}-config"
    delivery(w, t, "Initiated automated sync", service, cause, revision=hexes(w.rng, 7))
    delivery(w, t + 1.2, f"configmap/{name} configured", service, cause, kind="ConfigMap", namespace=w.style.namespace)
    delivery(w, t + 1.6, "Sync operation succeeded", service, cause, phase="Succeeded", health="Healthy")
    t += 2 + w.rng.uniform(4, 20)
    s = w.services[service]
    change = f"{key}: {old} -> {new}" if old else key
    if s.runtime == "java":
        w.say(
            t,
            service,
            "info",
            "o.s.c.e.event.RefreshEventListener",
            "",
            f"Refresh keys changed: [{key}]",
            cause=cause,
            thread="scheduling-1",
        )
        if old:
            w.say(
                t + 0.1,
                service,
                "info",
                "config.PaymentProperties",
                "",
                f"Configuration reloaded, {change}",
                cause=cause,
                thread="scheduling-1",
            )
    else:
        event_, text = w.style.pick(
            f"configured/{service}",
            (
                ("config_reloaded", "Configuration reloaded ({change})"),
                ("settings_changed", "Settings changed: {change}"),
            ),
        )
        spoken = event_ if s.runtime == "python" else event_.replace("_", " ")
        logger = f"{service}.settings" if s.runtime == "python" else "config/config.go:57" if s.runtime == "go" else ""
        fields = {"key": key, **({"old": old, "new": new} if old else {})}
        w.say(t, service, "info", logger, spoken, text.format(change=change), fields, cause=cause)
    return t


def restart(
    w: World, t: float, service: str, index: int, reason: str, exit_code: int, cause: str | None = None
) -> float:
    """A container that died is started again in its pod. Returns when it is ready."""
    s = w.services[service]
    pod = s.pods[index % len(s.pods)]
    if reason == "OOMKilled":
        node_log(
            w,
            t,
            "W",
            "oom_watcher_linux.go:77",
            f'"Got sys oom event" event="pid: {w.rng.randrange(2000, 60000)}, process: {s.runtime}"',
            cause,
        )
        event(
            w,
            t + 0.1,
            "Node",
            pod.node,
            "SystemOOM",
            f"System OOM encountered, victim process: {s.runtime}, pid: {w.rng.randrange(2000, 60000)}",
            True,
            cause,
        )
    node_log(
        w,
        t + 0.4,
        "I",
        "generic.go:334",
        f'"Generic (PLEG): container finished" podID="{hexes(w.rng, 8)}" pod="{w.style.namespace}/{pod.name}" containerID="{hexes(w.rng, 12)}" exitCode={exit_code}',
        cause,
    )
    t += w.rng.uniform(1.0, 2.5)
    event(
        w,
        t,
        "Pod",
        pod.name,
        "Pulled",
        f'Container image "{image_of(w, service, s.version)}" already present on machine',
        cause=cause,
    )
    event(w, t + 0.2, "Pod", pod.name, "Created", f"Created container {service}", cause=cause)
    event(w, t + 0.5, "Pod", pod.name, "Started", f"Started container {service}", cause=cause)
    return started(w, t + 0.7, service, cause)
