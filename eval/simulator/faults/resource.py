# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Resources that run out: connections, threads, files, memory, disk, processor."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.labels import RootCause
from eval.simulator.stores import log_postgres
from eval.simulator.traces import build, java_class, own_frame
from eval.simulator.wording import Chain
from eval.simulator.world import Effect, Failure, Slots

_STATEMENT_PLACES = {
    "payment": "db.append_ledger",
    "inventory": "db.reserve_stock",
    "checkout": "db.load_order",
    "users": "db.find_account",
}
_ENTRY = {
    "payment": "charge",
    "inventory": "reserve",
    "checkout": "place_order",
    "users": "login",
    "worker": "confirm_order",
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
        share = setting.rng.uniform(0.12, 0.3)
        done = platform.rollout(w, setting.start, service, setting.change)

        def blame(_: float) -> None:
            s.pool.cause = s.threads.cause = setting.id

        w.at(done + 0.1, blame)
        leak = Effect(setting.id, failure=lambda t, tag: Failure("leak", None) if w.rng.random() < share else None)
        w.add(f"leak:{service}", leak, done, setting.end)
        component, function = OWN[service][_STATEMENT_PLACES[service]]
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


def memory_leak(setting: Setting) -> Planted:
    """Memory grows for a long time; then requests slow down, and the process is killed, and it begins again."""
    w, service = setting.world, setting.target
    s = w.services[service]
    limit = 430.0
    climb = setting.rng.uniform(700, 1100)
    site = f"heap/{service}"
    state = {"since": setting.start}
    w.blame[site] = setting.id

    def level(t: float) -> float:
        return min(limit, (t - state["since"]) / climb * limit)

    def grow(t: float) -> None:
        w.facts[site] = level(t)
        if level(t) >= limit:
            state["since"] = t + 30
            w.facts[site] = 0.0
            if s.runtime == "java":
                _java_out_of_memory(setting, t - 2, "charge")
            platform.restart(w, t, service, setting.rng.randrange(2), "OOMKilled", 137, setting.id)

    setting.repeat(10, 0.5, grow)
    setting.slow(
        f"op:{service}.{_ENTRY[service]}",
        lambda t, tag: 0.0 if level(t) < 0.7 * limit else w.rng.uniform(0.3, 2.5) * (level(t) / limit),
    )
    failure = setting.failure("refused", 0.01, 502)
    setting.fail(
        f"service:{service}", lambda t, tag: failure if 0 < state["since"] - t < 30 and w.rng.random() < 0.5 else None
    )

    def clear(_: float) -> None:
        w.facts[site] = 0.0

    w.at(setting.end, clear)
    text = f"{service} leaks memory: it grows until the process is killed, again and again"
    return Planted(
        RootCause(service, f"deployment/{service}", "memory_leak", text),
        setting.choose(f"{service} gets slower and slower and restarts", "Latency creeps up, then a short outage"),
        ("slow_burn",),
    )


def _java_out_of_memory(setting: Setting, t: float, place: str) -> None:
    w = setting.world
    chain: Chain = (("java.lang.OutOfMemoryError", "Java heap space"),)
    wrapped: Chain = (
        ("jakarta.servlet.ServletException", "Handler dispatch failed: java.lang.OutOfMemoryError: Java heap space"),
        *chain,
    )
    trace = build(w.style, "payment", "java", (place, "service"), wrapped, w.services["payment"].version)
    w.say(
        t,
        "payment",
        "error",
        "o.a.c.c.C.[.[.[/].[dispatcherServlet]",
        "",
        "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception",
        trace=trace,
        cause=setting.id,
    )


def out_of_memory(setting: Setting) -> Planted:
    """One kind of request takes more memory than the container may have: it is killed each time."""
    w, service = setting.world, setting.target
    s = w.services[service]
    lowered = setting.rng.random() < 0.5
    if lowered:
        small = setting.choose("96Mi", "128Mi", "160Mi")
        platform.delivery(
            w,
            setting.start,
            f"deployment.apps/{service} configured",
            service,
            setting.change,
            kind="Deployment",
            change=f'"resources.limits.memory: 512Mi -> {small}"',
        )
        done = platform.rollout(w, setting.start + 1, service, setting.change, same_version=True)
        how = f"its memory limit was lowered to {small}"
    else:
        done = setting.start
        how = "a large export is built in memory"
    period = setting.rng.uniform(40, 90)
    down = {"until": 0.0}

    def kill(t: float) -> None:
        index = setting.rng.randrange(2)
        if not lowered:
            logger = {
                "python": f"{service}.export",
                "java": "service.ExportService",
                "go": "api/export.go:44",
                "node": "",
            }[s.runtime]
            w.say(
                t - 1.5,
                service,
                "info",
                logger,
                "export requested",
                f"Export requested: {setting.rng.randrange(2, 9)} years",
                {"rows": setting.rng.randrange(2_000_000, 9_000_000)},
                cause=setting.id,
                pod=index,
            )
        if s.runtime == "java":
            _java_out_of_memory(setting, t - 0.5, "charge")
        ready = platform.restart(w, t, service, index, "OOMKilled", 137, setting.id)
        platform.event(
            w,
            t + 0.6,
            "Pod",
            s.pods[index].name,
            "BackOff",
            f"Back-off restarting failed container {service} in pod {s.pods[index].name}_{w.style.namespace}",
            True,
            setting.id,
        )
        down["until"] = ready + setting.rng.uniform(2, 12)

    setting.repeat(period, 8, kill, done + 2)
    reset = setting.failure("reset", 0.2, 502)
    setting.fail(
        f"service:{service}", lambda t, tag: reset if t < down["until"] and w.rng.random() < 0.6 else None, done
    )
    text = f"{service} is killed for want of memory: {how}"
    return Planted(
        RootCause(service, f"deployment/{service}", "out_of_memory", text),
        setting.choose(f"{service} keeps restarting", "Requests fail in bursts"),
    )


def disk_full(setting: Setting) -> Planted:
    """The volume of a store is full: it cannot write, and then says so to everyone."""
    w, target = setting.world, setting.target
    device = setting.choose("/var/lib/postgresql/data", "/data") if target == "postgres" else "/data"
    if target == "postgres":
        path = f"base/16384/{setting.rng.randrange(16400, 18900)}"
        full = database_error(
            setting, "DiskFull", "53100", f'could not extend file "{path}": No space left on device', "OperationalError", "jdbc.UncategorizedSQLException",
            hint="Check free disk space.",
        )  # fmt: skip
        for query in ("insert_order", "append_ledger", "reserve_stock", "save_invoice"):
            setting.fail(f"query:{query}", setting.sometimes(0.9, full))
        who = f"[{w.style.number('pid/checkpointer', 20, 90)}]"
        setting.repeat(
            60,
            20,
            lambda t: log_postgres(
                w,
                t,
                who,
                "ERROR",
                'could not write to file "pg_logical/replorigin_checkpoint.tmp": No space left on device',
                setting.id,
            ),
            setting.start + 20,
        )
        symptom = setting.choose("Orders cannot be saved", "Nobody can buy; looking around works")
    else:
        message = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled"
        failure = setting.failure("redis_error", 0.002, fields={"redis": "ResponseError", "message": message})
        setting.fail("edge:checkout>redis", setting.sometimes(0.9, failure))

        def save(t: float) -> None:
            pid = setting.rng.randrange(20, 9000)
            w.write(t, "redis", f"1:M {w.clock.redis(t)} * 100 changes in 300 seconds. Saving...", setting.id)
            w.write(
                t + 0.01, "redis", f"1:M {w.clock.redis(t + 0.01)} * Background saving started by pid {pid}", setting.id
            )
            w.write(
                t + 0.1,
                "redis",
                f"{pid}:C {w.clock.redis(t + 0.1)} # Write error while saving DB to the disk(rdbSaveRio): No space left on device",
                setting.id,
            )
            w.write(t + 0.2, "redis", f"1:M {w.clock.redis(t + 0.2)} # Background saving error", setting.id)

        setting.repeat(8, 2, save)
        symptom = "Customers cannot put things into their carts"
    for left in (9, 5, 2):
        platform.node_log(
            w,
            setting.start - left * 30,
            "W",
            "volume_stat_calculator.go:88",
            f'"Volume is running full" volume="data-{target}-0" path="{device}" available="{left}%"',
            setting.id,
        )
    text = f"The volume of {target} is full: it cannot write"
    return Planted(RootCause(target, f"persistentvolumeclaim/data-{target}-0", "disk_full", text), symptom)


def cpu_saturated(setting: Setting) -> Planted:
    """A service gets too little processor: everything that it does takes many times as long, little fails."""
    w, service = setting.world, setting.target
    s = w.services[service]
    work = {"users": 0.06, "payment": 0.015, "inventory": 0.005, "checkout": 0.01}[service]
    factor = setting.rng.uniform(0.7, 2.2) / work
    cut = setting.rng.random() < 0.5
    if cut:
        small = setting.choose("50m", "100m")
        platform.delivery(
            w,
            setting.start,
            f"deployment.apps/{service} configured",
            service,
            setting.change,
            kind="Deployment",
            change=f'"resources.limits.cpu: 1 -> {small}"',
        )
        done = platform.rollout(w, setting.start + 1, service, setting.change, same_version=True)
        how = f"its limit was cut to {small}"
    else:
        done = setting.start
        job = setting.choose("image-resize", "report-build", "search-reindex")
        pod = f"{job}-{setting.rng.randrange(100, 999)}-{setting.rng.getrandbits(20):05x}"
        platform.event(
            w,
            done,
            "Pod",
            pod,
            "Scheduled",
            f"Successfully assigned {w.style.namespace}/{pod} to {s.pods[0].node}",
            cause=setting.change,
        )
        platform.event(w, done + 2, "Pod", pod, "Started", f"Started container {job}", cause=setting.change)
        how = f"the job {job} takes the processors of its node"

    def slow() -> None:
        s.slowdown, s.slow_cause = factor, setting.id
        s.threads.cause = s.pool.cause = setting.id

    def recover() -> None:
        s.slowdown, s.slow_cause = 1.0, None

    setting.during(slow, recover, done)

    def starve(t: float) -> None:
        pod = setting.rng.choice(s.pods)
        platform.event(
            w,
            t,
            "Pod",
            pod.name,
            "Unhealthy",
            f'Liveness probe failed: Get "http://{pod.ip}:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            True,
            setting.id,
        )
        if s.runtime == "java":
            w.say(
                t + 1,
                service,
                "warning",
                "com.zaxxer.hikari.pool.HikariPool",
                "",
                f"HikariPool-1 - Thread starvation or clock leap detected (housekeeper delta={setting.rng.randrange(46, 95)}s{setting.rng.randrange(100, 999)}ms).",
                thread="HikariPool-1 housekeeper",
                cause=setting.id,
            )
        elif s.runtime == "python":
            w.say(
                t + 1,
                service,
                "warning",
                "asyncio",
                "slow_callback",
                f"Executing <Task pending name='Task-{setting.rng.randrange(100, 9999)}'> took {setting.rng.uniform(0.4, 2.9):.3f} seconds",
                {"seconds": round(setting.rng.uniform(0.4, 2.9), 3)},
                cause=setting.id,
            )

    setting.repeat(50, 25, starve, done + 10)
    text = f"{service} is starved of processor time: {how}"
    return Planted(
        RootCause(service, f"deployment/{service}", "cpu_saturation", text),
        setting.choose(f"Everything in {service} is slow", "Pages take seconds to load"),
        ("no_error_line",),
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
    Fault("memory_leak", ("payment", "checkout", "inventory", "users"), memory_leak, "memory grows until the kill"),
    Fault(
        "out_of_memory",
        ("payment", "checkout", "inventory", "users"),
        out_of_memory,
        "a request or a limit gets the process killed",
    ),
    Fault("disk_full", ("postgres", "redis"), disk_full, "a store cannot write"),
    Fault("cpu_saturation", ("users", "payment", "inventory", "checkout"), cpu_saturated, "too little processor time"),
)
