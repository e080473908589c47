# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Containers that die: crash loops with Kubernetes' back-off, and what the kubelet and the programs say about it."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.faults.base import Setting
from eval.simulator.style import hexes, suffix
from eval.simulator.traces import build
from eval.simulator.wording import Chain
from eval.simulator.world import RUNTIMES, Pod, World

_BACKOFF = (10, 20, 40, 80, 160, 300)


def unreachable(setting: Setting, service: str, start: float, share: float = 1.0) -> None:
    """No pod of a service answers from `start` on: clients are refused, the gateway has no live upstream."""
    failure = setting.failure(setting.choose("no_endpoints", "refused"), 0.004, 503)
    refused = setting.failure("refused", 0.004, 502)
    site = f"service:{service}"
    setting.fail(site, setting.sometimes(share, failure if failure.kind == "no_endpoints" else refused), start)


def crash_site(service: str) -> tuple[str, str | None]:
    """File and function that the last words of a program name: none where its runtime prints no stack."""
    if RUNTIMES[service] == "go":
        return f"deployment/{service}", None
    return OWN[service]["settings"]


def crash_output(w: World, t: float, service: str, chain: Chain, place: str, cause: str) -> None:
    """The last words of a program that dies at start."""
    s = w.services[service]
    trace = build(w.style, service, s.runtime, (place,), chain, s.version)
    if s.runtime == "java":
        w.say(
            t,
            service,
            "error",
            "org.springframework.boot.SpringApplication",
            "",
            "Application run failed",
            trace=trace,
            cause=cause,
            thread="main",
        )
    elif s.runtime == "python":
        lines = [line for line in trace.text.split("\n") if "starlette" not in line and "fastapi" not in line]
        kept = [
            line
            for line in lines
            if line.strip()
            not in ("response = await func(request)", "return await run_in_threadpool(dependant.call, **values)")
        ]
        w.write(t, service, "\n".join(kept), cause)
    elif s.runtime == "go":
        w.say(
            t,
            service,
            "fatal",
            "cmd/inventory/main.go:41",
            w.style.pick("go/fatal", ("cannot start", "startup failed", "invalid configuration")),
            None,
            {"error": chain[-1][1]},
            cause=cause,
        )
    else:
        w.say(t, service, "fatal", "", "cannot start", None, trace=trace, cause=cause)


def died(w: World, t: float, service: str, pod: Pod, attempt: int, exit_code: int, cause: str) -> float:
    """Events and kubelet lines of one death; returns when Kubernetes tries again."""
    wait = _BACKOFF[min(attempt, len(_BACKOFF) - 1)]
    name = f"{w.style.namespace}/{pod.name}"
    platform.node_log(
        w,
        t,
        "I",
        "generic.go:334",
        f'"Generic (PLEG): container finished" podID="{hexes(w.rng, 8)}" pod="{name}" containerID="{hexes(w.rng, 12)}" exitCode={exit_code}',
        cause,
    )
    platform.event(
        w,
        t + 1,
        "Pod",
        pod.name,
        "BackOff",
        f"Back-off restarting failed container {service} in pod {pod.name}_{w.style.namespace}({hexes(w.rng, 8)})",
        True,
        cause,
    )
    platform.node_log(
        w,
        t + 1.1,
        "E",
        "pod_workers.go:1298",
        f'"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"{service}\\" with CrashLoopBackOff: \\"back-off {wait}s restarting failed container={service} pod={pod.name}\\"" pod="{name}"',
        cause,
    )
    return t + wait + w.rng.uniform(0.5, 2)


def crash_loop(setting: Setting, chain: Chain, place: str, new_version: bool, lives: float = 0.0) -> None:
    """Pods of the target crash `lives` seconds after their start until the fault ends; callers meet a closed door.

    With `new_version`, a rollout (strategy Recreate) brings it; otherwise the running pods begin to crash.
    """
    w, service, start = setting.world, setting.target, setting.start
    s = w.services[service]
    t = start
    if new_version:
        version = platform.next_version(s.version, w)
        image = platform.image_of(w, service, version)
        platform.delivery(
            w, t, "Initiated automated sync", service, setting.change, revision=hexes(w.rng, 7), image=image
        )
        t += w.rng.uniform(1.5, 4)
        revision = suffix(w.rng, 10)
        platform.scale_to_zero(w, t, service, setting.change)
        t += 3
        platform.event(
            w,
            t,
            "Deployment",
            service,
            "ScalingReplicaSet",
            f"Scaled up replica set {service}-{revision} to {len(s.pods)} from 0",
            cause=setting.change,
        )
        pods = [platform.new_pod(w, service, index, revision) for index in range(len(s.pods))]

        def switch(_: float) -> None:
            s.version, s.pods = version, pods

        w.at(t, switch)
        begun = [
            platform.create_pod(w, t + 0.3 * index, service, pod, image, setting.change)
            for index, pod in enumerate(pods)
        ]
        unreachable(setting, service, t - 2)
    else:
        pods = list(s.pods)
        begun = [t + index * w.rng.uniform(0.5, 6) for index in range(len(pods))]
        unreachable(setting, service, max(begun))

    for pod, first in zip(pods, begun, strict=True):

        def attempt(at: float, pod: Pod = pod, number: int = 0) -> None:
            if at >= setting.end:
                return
            dead = at + lives + (w.rng.uniform(2.5, 5) if s.runtime == "java" else w.rng.uniform(0.4, 1.5))
            crash_output(w, dead, service, chain, place, setting.id)
            again = died(w, dead + 0.1, service, pod, number, 2 if s.runtime == "go" else 1, setting.id)
            w.at(again, lambda later: attempt(_recreated(w, later, service, pod, setting.id), pod, number + 1))

        w.at(first, attempt)

    def recover(at: float) -> None:
        for index in range(len(s.pods)):
            platform.restart(w, at + index, service, index, "Recovered", 0, None)

    w.at(setting.end, recover)


def _recreated(w: World, t: float, service: str, pod: Pod, cause: str) -> float:
    image = platform.image_of(w, service, w.services[service].version)
    platform.event(
        w, t, "Pod", pod.name, "Pulled", f'Container image "{image}" already present on machine', cause=cause
    )
    platform.event(w, t + 0.1, "Pod", pod.name, "Created", f"Created container {service}", cause=cause)
    platform.event(w, t + 0.3, "Pod", pod.name, "Started", f"Started container {service}", cause=cause)
    return t + 0.4
