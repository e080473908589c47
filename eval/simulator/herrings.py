# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Red herrings: loud things that change and harm nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from eval.simulator import platform
from eval.simulator.background import syslog
from eval.simulator.stores import log_postgres
from eval.simulator.style import hexes
from eval.simulator.world import World

Herring = Callable[[World, float, str, random.Random], None]


def _rollout(w: World, t: float, service: str, rng: random.Random) -> None:
    """A version that complains about its cold cache for a while."""
    done = platform.rollout(w, t, service)
    runtime = w.services[service].runtime
    logger = {"python": f"{service}.cache", "java": "service.WarmUp", "go": "cache/warm.go:31", "node": ""}[runtime]
    event, text = rng.choice(
        (
            ("cache_cold", "Cache is cold, filled to {p}%"),
            ("warming_up", "Warming up: {p}% done, expect higher latency"),
            ("fallback_defaults", "Remote defaults not loaded yet ({p}%), using built-in ones"),
        )
    )
    for percent in sorted(rng.sample(range(3, 100), rng.randrange(12, 40))):
        done += rng.expovariate(0.8)
        spoken = event if runtime == "python" else event.replace("_", " ")
        w.say(
            done, service, "warning", logger, spoken, text.format(p=percent), {"filled": f"{percent}%"}, thread="main"
        )


def _configuration(w: World, t: float, service: str, rng: random.Random) -> None:
    """A setting that only says how much to log (or to sample)."""
    key, old, new = rng.choice(
        (
            ("LOG_LEVEL", "info", "debug"),
            ("TRACE_SAMPLE_RATIO", "0.01", "0.10"),
            ("METRICS_INTERVAL_SECONDS", "30", "15"),
        )
    )
    done = platform.configure(w, t, service, key, None, old, new)
    if key != "LOG_LEVEL":
        return
    runtime = w.services[service].runtime
    logger = {"python": f"{service}.http", "java": "api.RequestLog", "go": "api/log.go:18", "node": ""}[runtime]
    for _ in range(rng.randrange(30, 90)):
        done += rng.expovariate(0.6)
        size = rng.randrange(200, 9000)
        w.say(
            done,
            service,
            "debug",
            logger,
            "request_body" if runtime == "python" else "request body",
            f"Request body of {size} bytes read",
            {"bytes": size},
            thread="main",
        )


def _scaling(w: World, t: float, service: str, rng: random.Random) -> None:
    """An autoscaler adds a replica before the evening."""
    s = w.services[service]
    platform.event(
        w,
        t,
        "HorizontalPodAutoscaler",
        service,
        "SuccessfulRescale",
        f"New size: {len(s.pods) + 1}; reason: cpu resource utilization (percentage of request) above target",
    )
    pod = platform.new_pod(w, service, len(s.pods), s.pods[0].hash)
    platform.event(
        w,
        t + 0.2,
        "Deployment",
        service,
        "ScalingReplicaSet",
        f"Scaled up replica set {service}-{pod.hash} to {len(s.pods) + 1} from {len(s.pods)}",
    )
    ready = platform.create_pod(w, t + 0.5, service, pod, platform.image_of(w, service, s.version))
    platform.event(
        w,
        ready + 3,
        "Pod",
        pod.name,
        "Unhealthy",
        f'Readiness probe failed: Get "http://{pod.ip}:8080/healthz": dial tcp {pod.ip}:8080: connect: connection refused',
        True,
    )
    w.at(ready + 8, lambda _: s.pods.append(pod))


def _maintenance(w: World, t: float, service: str, rng: random.Random) -> None:
    """A person looks after the database: a vacuum, a new index, a few slow statements of their own."""
    who = f"[{rng.randrange(4000, 30000)}] dba@{w.style.database}"
    table = rng.choice(("sessions", "audit_log", "carts_archive"))
    for statement in (
        f"VACUUM (VERBOSE, ANALYZE) {table}",
        f"CREATE INDEX CONCURRENTLY {table}_created_at_idx ON {table} (created_at)",
        f"REINDEX TABLE CONCURRENTLY {table}",
    ):
        log_postgres(w, t, who, "LOG", f"statement: {statement};", None)
        seconds = rng.uniform(4, 40)
        t += seconds
        log_postgres(w, t, who, "LOG", f"duration: {seconds * 1000:.3f} ms", None)
    log_postgres(w, t + 1, who, "WARNING", "there is no transaction in progress", None)


def _scanner(w: World, t: float, service: str, rng: random.Random) -> None:
    """A security scan of one's own: hundreds of requests for pages that do not exist."""
    client = f"{w.style.subnet}.250.{rng.randrange(2, 250)}"
    for _ in range(rng.randrange(120, 400)):
        t += rng.expovariate(3.0)
        path = f"/{rng.choice(('admin', 'backup', 'old', 'test', 'static', 'api/v0'))}/{hexes(rng, 6)}{rng.choice(('', '.php', '.bak', '.zip'))}"
        w.write(
            t,
            "gateway/access",
            f'{client} - - [{w.clock.nginx_access(t)}] "GET {path} HTTP/1.1" {rng.choice((404, 404, 403))} 162 "-" "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)" rt=0.000 urt=- rid={hexes(rng, 32)}',
        )


def _renewal(w: World, t: float, service: str, rng: random.Random) -> None:
    """Certificates are renewed in time, with some words about it."""
    name = f"{service}-tls"
    platform.event(
        w,
        t,
        "Certificate",
        name,
        "Issuing",
        "Renewing certificate as renewal was scheduled at " + w.clock.iso_seconds(t),
    )
    platform.event(
        w,
        t + 2,
        "CertificateRequest",
        f"{name}-1",
        "Pending",
        'Waiting on certificate issuance from order: "pending"',
        True,
    )
    platform.event(w, t + 30, "Certificate", name, "Issuing", "The certificate has been successfully issued")


def _node_update(w: World, t: float, service: str, rng: random.Random) -> None:
    """A node is cordoned for an update and comes back; its kernel has much to say."""
    node = rng.choice(w.style.nodes)
    platform.event(w, t, "Node", node, "NodeNotSchedulable", f"Node {node} status is now: NodeNotSchedulable")
    uptime = w.style.number(f"uptime/{node}", 90_000, 900_000)
    for index in range(rng.randrange(8, 30)):
        at = t + 5 + index * rng.uniform(0.4, 2)
        message = rng.choice(
            (
                'audit: type=1400 apparmor="STATUS" operation="profile_replace"',
                "systemd-journald[412]: Time spent on flushing to /var is 31.2ms",
                "overlayfs: lowerdir is in-use as upperdir/workdir of another mount",
            )
        )
        syslog(w, at, node, "kernel", f"[{uptime + at:.6f}] {message}")
    platform.event(
        w, t + rng.uniform(60, 150), "Node", node, "NodeSchedulable", f"Node {node} status is now: NodeSchedulable"
    )


HERRINGS: Final[dict[str, Herring]] = {
    "rollout": _rollout,
    "configuration": _configuration,
    "scaling": _scaling,
    "maintenance": _maintenance,
    "scan": _scanner,
    "renewal": _renewal,
    "node update": _node_update,
}
"""Red herrings by name: (world, time, a service to happen to, generator)."""
