# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of the platform: pods that crash, are not pulled, not placed, not ready, or lose their node."""

from __future__ import annotations

from functools import partial

from eval.simulator import platform
from eval.simulator.crashes import crash_loop, crash_site, unreachable
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.lifecycle import stopping
from eval.simulator.style import hexes, suffix
from eval.simulator.wording import Chain
from eval.simulator.world import Pod

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
    function = crash_site(service)[1]
    text = f"{service} crashes at every start (it cannot read its local state): Kubernetes restarts it again and again"
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
    platform.scale_to_zero(w, t, service, setting.change)
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
        platform.reconfigure(w, t, service, f"resources.requests.cpu: 500m -> {size}", setting.change)
        what, how = "Insufficient cpu", f"its processor request was raised to {size}"
    else:
        label = setting.choose("disktype=ssd", "pool=payments", "zone=eu-1c")
        platform.reconfigure(w, t, service, f"nodeSelector: {label}", setting.change)
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
    platform.reconfigure(w, setting.start, service, f"readinessProbe.httpGet.path: /healthz -> {wrong}", setting.change)
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
)
