"""Connections that are taken and never given back, and the pool's own watch over them."""

from __future__ import annotations

import math

from eval.simulator.style import hexes
from eval.simulator.traces import build
from eval.simulator.world import Effect, Failure, World

_THRESHOLD = 20.0
"""HikariCP's `leakDetectionThreshold` in this shop, in seconds."""


def leak_connections(
    w: World,
    service: str,
    share: float,
    cause: str,
    start: float,
    end: float = math.inf,
    *,
    place: str | None = None,
    watched: bool = False,
) -> None:
    """A share of the connections taken at `place` (None: anywhere) is kept for good during [start, end).

    With `watched`, the pool of a Java service reports each after a while, with the stack that took it.
    """
    s = w.services[service]

    def leak(t: float, taken_at: str) -> Failure | None:
        if (place is not None and taken_at != place) or w.rng.random() >= share:
            return None
        if watched and s.runtime == "java":
            _report(w, service, taken_at, t + _THRESHOLD, cause)
        return Failure("leak", cause)

    def blame(_: float) -> None:
        s.pool.cause = s.threads.cause = cause

    w.at(start, blame)
    w.add(f"leak:{service}", Effect(cause, failure=leak), start, end)


def _report(w: World, service: str, place: str, t: float, cause: str) -> None:
    chain = (("java.lang.Exception", "Apparent connection leak detected"),)
    trace = build(w.style, service, "java", ("charge", "service", place), chain, w.services[service].version)
    text = (
        f"Connection leak detection triggered for org.postgresql.jdbc.PgConnection@{hexes(w.rng, 7)} "
        f"on thread http-nio-8080-exec-{w.rng.randrange(1, 25)}, stack trace follows"
    )
    logger = "com.zaxxer.hikari.pool.ProxyLeakTask"
    thread = "HikariPool-1 housekeeper"
    w.say(t, service, "warning", logger, "", text, trace=trace, cause=cause, thread=thread)
