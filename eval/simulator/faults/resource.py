# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Resources that run out: connections, threads, files, memory, disk, processor."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.labels import RootCause
from eval.simulator.stores import log_postgres
from eval.simulator.traces import build
from eval.simulator.wording import Chain

_ENTRY = {
    "payment": "charge",
    "inventory": "reserve",
    "checkout": "place_order",
    "users": "login",
    "worker": "confirm_order",
}


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
        platform.reconfigure(w, setting.start, service, f"resources.limits.memory: 512Mi -> {small}", setting.change)
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
        platform.reconfigure(w, setting.start, service, f"resources.limits.cpu: 1 -> {small}", setting.change)
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
    )


FAULTS = (
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
