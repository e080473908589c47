# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Pools that run dry: connections, threads, open files."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.leaks import leak_connections
from eval.simulator.traces import build, java_class, own_frame
from eval.simulator.world import Slots

_STATEMENT_PLACES = {
    "payment": "db.append_ledger",
    "inventory": "db.reserve_stock",
    "checkout": "db.load_order",
    "users": "db.find_account",
}


def pool_exhausted(setting: Setting) -> Planted:
    """Connections leave the pool and do not come back: a new version leaks them, or a setting leaves too few.

    Callers wait for a connection until the acquisition times out; their callers time out first and try again.
    """
    w, service = setting.world, setting.target
    s = w.services[service]
    if service == "payment" and setting.rng.random() < 0.5:
        small = setting.choose(2, 2, 3)
        key = "spring.datasource.hikari.maximum-pool-size"
        done = platform.configure(w, setting.start, service, key, setting.change, str(s.pool.size), str(small))

        def shrink(t: float) -> None:
            s.pool.resize(small, t)
            s.pool.cause = s.threads.cause = setting.id
            w.facts["settlement_seconds"] = setting.rng.uniform(48, 75)

        w.at(done, shrink)
        component, function = f"configmap/{service}-config", None
        text = f"The configuration of {service} cut its database connection pool to {small}; the settlement batch holds them, charges wait until they time out"
    else:
        # The rarer a service asks its database, the more of its connections must leak for the pool to run dry in time.
        share = (
            setting.rng.uniform(0.8, 1.2) * {"payment": 0.45, "inventory": 0.2, "checkout": 0.45, "users": 0.6}[service]
        )
        done = platform.rollout(w, setting.start, service, setting.change)

        watched = service == "payment" and setting.rng.random() < 0.6
        place = _STATEMENT_PLACES[service] if service == "payment" else None
        leak_connections(w, service, share, setting.id, done + 0.1, setting.end, place=place, watched=watched)
        component, function = OWN[service][_STATEMENT_PLACES[service]] if watched else (f"deployment/{service}", None)
        text = f"The new version of {service} does not return database connections to its pool; once all are gone, requests wait until they time out"
    w.at(setting.end, lambda t: _restore(setting, service))
    symptom = setting.choose(
        "Requests hang and then fail",
        f"Requests of {service} take very long and then fail",
        f"Latency of {service} climbed and requests now time out",
    )
    return Planted(RootCause(service, component, "connection_pool_exhaustion", text, function), symptom)


def _restore(setting: Setting, service: str) -> None:
    s = setting.world.services[service]
    s.pool = Slots(10, s.pool.timeout)
    s.threads = s.threads.fresh()
    setting.world.facts.pop("settlement_seconds", None)


def thread_pool_exhausted(setting: Setting) -> Planted:
    """Some requests never end and keep their worker thread; when all are stuck, new requests are turned away."""
    w, service = setting.world, setting.target
    s = w.services[service]
    place = {"payment": "psp.authorize", "checkout": "pricing", "users": "tokens"}[service]
    share = setting.rng.uniform(0.2, 0.4)
    op = {"payment": "charge", "checkout": "place_order", "users": "login"}[service]
    before = setting.rng.random() < 0.5
    done = platform.rollout(w, setting.start, service, setting.change) if before else setting.start
    frame = own_frame(w.style, service, place, s.version)

    def narrow(_: float) -> None:
        s.threads = Slots(setting.rng.choice((8, 10)), 20.0)
        s.threads.cause = setting.id

    w.at(done, narrow)

    def hang(t: float, tag: str) -> float:
        if w.rng.random() >= share:
            return 0.0
        if service == "payment":
            identity = w.rng.randrange(30, 90)
            for waited in (60, 120):
                text = (
                    f"Thread [http-nio-8080-exec-{identity % 24 + 1}] (id=[{identity}]) has been active for [{waited * 1000 + w.rng.randrange(10, 900):,}] milliseconds (since [{w.clock.dotted(t)}]) "
                    f"to serve the same request for [http://payment:8080/v1/charges] and may be stuck (configured threshold for this StuckThreadDetectionValve is [60] seconds).\n"
                    f"java.lang.Throwable\n\tat java.base/jdk.internal.misc.Unsafe.park(Native Method)\n\tat java.base/java.util.concurrent.locks.LockSupport.park(LockSupport.java:221)\n"
                    f"\tat {java_class(w.style, frame.file)}.{frame.function}({frame.file.rpartition('/')[2]}:{frame.line})"
                )
                w.say(
                    t + waited,
                    service,
                    "warning",
                    "org.apache.catalina.valves.StuckThreadDetectionValve",
                    "",
                    text,
                    cause=setting.id,
                    thread="Catalina-utility-1",
                    pod=identity % 2,
                )
        return 1800.0

    setting.slow(f"op:{service}.{op}", hang, done)
    w.at(setting.end, lambda t: _restore(setting, service))
    file, function = OWN[service][place]
    text = f"Requests of {service} hang in {function} ({file}) and keep their threads; when all {service} threads are taken, it refuses requests"
    return Planted(
        RootCause(service, file, "thread_pool_exhaustion", text, function),
        setting.choose(f"{service} stopped answering", "Requests hang, then the shop answers with errors"),
    )


def out_of_files(setting: Setting) -> Planted:
    """Sockets are opened and never closed; at the limit, nothing can be opened or accepted any more."""
    w, service = setting.world, setting.target
    done = platform.rollout(w, setting.start, service, setting.change) if setting.rng.random() < 0.5 else setting.start
    limit = setting.choose(1024, 4096)
    climb = setting.rng.uniform(120, 360)

    def grow(t: float) -> None:
        w.facts[f"files/{service}"] = min(limit, (t - done) / climb * limit)
        w.blame[f"files/{service}"] = setting.id

    setting.repeat(10, 1, grow, done)
    full = done + climb
    failure = setting.failure("too_many_files", 0.001, 503)
    for target in {
        "checkout": ("payment", "inventory", "users"),
        "inventory": ("postgres", "redis"),
        "payment": ("psp",),
    }[service]:
        if target in ("postgres", "redis"):
            continue
        setting.fail(f"edge:{service}>{target}", setting.sometimes(0.85, failure), full)
    refuse = setting.failure("refused", 0.01, 502)
    setting.fail(f"service:{service}", setting.sometimes(0.35 if service != "inventory" else 0.8, refuse), full)

    def complain(t: float) -> None:
        s = w.services[service]
        if s.runtime == "go":
            w.write(
                t,
                service,
                f"{w.clock.nginx_error(t)} http: Accept error: accept tcp [::]:8081: accept4: too many open files; retrying in {setting.choose(5, 10, 20, 40, 80, 160)}ms",
                setting.id,
            )
        elif s.runtime == "java":
            chain = (("java.io.IOException", "Too many open files"),)
            w.say(
                t,
                service,
                "error",
                "org.apache.tomcat.util.net.Acceptor",
                "",
                "Socket accept failed",
                trace=build(w.style, service, "java", ("charge",), chain),
                cause=setting.id,
                thread="http-nio-8080-Acceptor",
            )
        else:
            w.say(
                t,
                service,
                "error",
                "asyncio",
                "socket.accept() out of system resource",
                None,
                {"socket": f"('0.0.0.0', {8000})"},
                cause=setting.id,
            )

    setting.repeat(7, 4, complain, full)
    text = (
        f"{service} leaks sockets: at its limit of {limit} open files it can neither call others nor accept connections"
    )
    return Planted(
        RootCause(service, f"deployment/{service}", "file_descriptor_exhaustion", text),
        setting.choose(f"{service} fails at random, more and more", "Errors come and go and get worse"),
    )


FAULTS = (
    Fault(
        "connection_pool_exhaustion",
        ("payment", "checkout", "inventory", "users"),
        pool_exhausted,
        "a pool leaks or is cut; callers wait",
    ),
    Fault(
        "thread_pool_exhaustion",
        ("payment", "checkout", "users"),
        thread_pool_exhausted,
        "stuck requests keep all threads",
    ),
    Fault("file_descriptor_exhaustion", ("checkout", "inventory", "payment"), out_of_files, "sockets are never closed"),
)
