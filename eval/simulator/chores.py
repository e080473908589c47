"""What the shop's programs do and report on their own: batches, scheduled jobs, collectors, gauges."""

from __future__ import annotations

from typing import Final

from eval.simulator import platform
from eval.simulator.style import hexes
from eval.simulator.world import RUNTIMES, Failure, World

HEARTBEATS: Final = ("stock-export", "feed-export", "price-sync")
"""Names that the scheduled job may have."""


def start(w: World) -> None:
    """Sets all of it going."""
    n = w.noise
    w.every(n.uniform(5, 30), 45, 35, lambda t: _collect_garbage(w, t))
    w.every(n.uniform(5, 60), 60, 0.2, lambda t: _pool_stats(w, t))
    w.every(n.uniform(20, 60), 60, 0.5, lambda t: _settlement(w, t))
    w.every(n.uniform(20, 290), 300, 1, lambda t: _scheduled_job(w, t))
    w.every(n.uniform(5, 60), 60, 0.1, lambda t: _queue_stats(w, t))
    for service in ("inventory", "checkout", "users", "worker"):
        w.every(n.uniform(5, 60), 60, 0.1, lambda t, service=service: _runtime_stats(w, t, service))  # type: ignore[misc]


def heap(w: World, service: str) -> float:
    """Megabytes that a fault added to a service's memory."""
    return w.facts.get(f"heap/{service}", 0.0)


def _collect_garbage(w: World, t: float) -> None:
    if w.suffer(("service:payment",), t, "background")[2]:
        return
    n = w.noise
    number = int(w.facts.get("gc", w.style.number("gc/first", 40, 900)))
    w.facts["gc"] = number + 1
    extra = heap(w, "payment")
    after = min(505.0, extra + n.uniform(60, 110))
    used = min(511.0, after + n.uniform(120, 220) * (1 - min(0.95, extra / 460)))
    cause = w.blame.get("heap/payment") if extra > 120 else None
    pause = n.uniform(3, 14) * (1 + extra / 60)
    if extra >= 330:
        pause *= 9
    kind = "Pause Young (Normal) (G1 Evacuation Pause)" if extra < 330 else "Pause Full (G1 Compaction Pause)"
    uptime = t + w.style.number("gc/uptime", 4000, 400000)
    stamp = w.clock.iso(t).removesuffix("Z") + "+0000"
    w.write(
        t,
        "payment",
        f"[{stamp}][{uptime:.3f}s][info][gc] GC({number}) {kind} {used:.0f}M->{after:.0f}M(512M) {pause:.3f}ms",
        cause,
    )


def _pool_stats(w: World, t: float) -> None:
    s = w.services["payment"]
    if not w.style.pick("hikari/stats", (True, True, False)) or w.suffer(("service:payment",), t, "background")[2]:
        return
    busy = min(s.pool.size, s.pool.busy(t))
    cause = s.pool.cause if busy > s.pool.size // 2 + 1 else None
    waiting = w.noise.randrange(2, 12) if busy == s.pool.size else 0
    text = (
        f"HikariPool-1 - Pool stats (total={s.pool.size}, active={busy}, idle={s.pool.size - busy}, waiting={waiting})"
    )
    w.say(
        t,
        "payment",
        "debug",
        "com.zaxxer.hikari.pool.HikariPool",
        "",
        text,
        thread="HikariPool-1 housekeeper",
        pod=0,
        cause=cause,
    )


def _stopped(w: World, name: str, t: float) -> bool:
    return w.suffer((f"beat:{name}",), t, name)[2] is not None


def _settlement(w: World, t: float) -> None:
    """The payment service's batch: posts what was captured, on two connections at once."""
    s = w.services["payment"]
    if _stopped(w, "payment", t) or w.suffer(("service:payment",), t, "background")[2]:
        return
    hold = w.facts.get("settlement_seconds", 1.5) * w.noise.uniform(0.8, 1.3)
    run = int(t // 60) + w.style.number("settlement/run", 1000, 90000)

    def tell(at: float, level: str, text: str, failure: Failure | None, cause: str | None) -> None:
        trace = w.exception("payment", ("settlement", "db.append_ledger"), failure, "postgres") if failure else None
        w.say(
            at,
            "payment",
            level,
            "settlement.SettlementJob",
            "",
            text,
            trace=trace,
            thread="scheduling-1",
            pod=0,
            cause=cause,
        )

    tell(t, "info", f"Settlement run {run} started", None, None)
    delay, at_fault, failure = w.suffer(
        ("edge:payment>postgres", "store:postgres", "query:append_ledger"), t, "background"
    )
    if failure is not None:
        tell(t + delay, "error", f"Settlement run {run} failed, will be tried again", failure, at_fault)
        return
    begun = [s.pool.take(t) for _ in range(2)]
    got = [b for b in begun if b is not None]
    if len(got) < len(begun):
        for b in got:
            s.pool.put(b)
        failure = Failure("pool_timeout", s.pool.cause, s.pool.timeout, fields={"size": s.pool.size, "waiting": 3})
        tell(t + s.pool.timeout, "error", f"Settlement run {run} failed, will be tried again", failure, s.pool.cause)
        return
    end = max(got) + hold + delay
    for _ in got:
        s.pool.put(end)
    cause = s.pool.cause if end - t > 6 else None
    tell(
        end,
        "info",
        f"Settlement run {run} finished: {w.noise.randrange(8, 60)} captures posted in {round((end - t) * 1000)} ms",
        None,
        cause,
    )


def scheduled_job(w: World) -> str:
    """Name of the cluster's scheduled job in this shop."""
    return w.style.pick("cron/name", HEARTBEATS)


def _scheduled_job(w: World, t: float) -> None:
    """A CronJob of the cluster that exports to the warehouse, every five minutes."""
    name = scheduled_job(w)
    if w.suffer((f"cron:{name}",), t, name)[2] is not None:
        return
    job = f"{name}-{29_000_000 + int(t // 60) + w.style.number('cron/offset', 0, 9000)}"
    pod = f"{job}-{hexes(w.noise, 5)}"
    module = name.replace("-", "_")
    platform.event(w, t, "CronJob", name, "SuccessfulCreate", f"Created job {job}")
    platform.event(w, t + 0.2, "Job", job, "SuccessfulCreate", f"Created pod: {pod}")
    seconds = w.noise.uniform(4, 9)
    w.write(t + 2, "cron", f"{w.clock.comma(t + 2)} INFO {module} run started, target=sftp://warehouse.example/in")
    end = t + 2 + seconds
    w.write(
        end,
        "cron",
        f"{w.clock.comma(end)} INFO {module} run finished, {w.noise.randrange(2900, 3100)} rows in {seconds:.1f}s",
    )
    platform.event(w, end + 1, "Job", job, "Completed", "Job completed")
    platform.event(w, end + 1.2, "CronJob", name, "SawCompletedJob", f"Saw completed job: {job}, status: Complete")


def _queue_stats(w: World, t: float) -> None:
    if _stopped(w, "worker", t) or w.suffer(("service:worker",), t, "background")[2]:
        return
    n = w.noise
    waiting = int(w.facts.get("queue_waiting", 0.0)) + n.randrange(0, 4)
    oldest = n.randrange(40, 900) if waiting < 6 else int(waiting * n.uniform(300, 420))
    cause = w.blame.get("queue") if waiting > 12 else None
    w.say(
        t,
        "worker",
        "info",
        "",
        "queue stats",
        None,
        {
            "queue": "orders",
            "waiting": waiting,
            "active": min(int(w.facts.get("concurrency", 8)), 1 + waiting),
            "oldestMs": oldest,
        },
        pod=0,
        cause=cause,
    )


def _runtime_stats(w: World, t: float, service: str) -> None:
    """A gauge of the process; what a program reports depends on its runtime."""
    if w.suffer((f"service:{service}",), t, "background")[2]:
        return
    n = w.noise
    extra = heap(w, service)
    megabytes = w.style.number(f"rss/{service}", 90, 190) + n.uniform(-6, 6) + extra
    cause = w.blame.get(f"heap/{service}") if extra > 60 else None
    runtime = RUNTIMES[service]
    if runtime == "go":
        files = int(w.facts.get(f"files/{service}", 0)) + n.randrange(38, 60)
        w.say(
            t,
            service,
            "info",
            "runtime/stats.go:19",
            "runtime stats",
            None,
            {"heap_mb": round(megabytes), "goroutines": n.randrange(40, 90) + int(extra / 2), "open_fds": files},
            pod=0,
            cause=cause or (w.blame.get(f"files/{service}") if files > 200 else None),
        )
    elif runtime == "python":
        w.say(
            t,
            service,
            "info",
            f"{service}.stats",
            "process_stats",
            f"rss={megabytes:.0f}MB threads={n.randrange(11, 16)}",
            {"rss_mb": round(megabytes), "threads": n.randrange(11, 16)},
            pod=0,
            cause=cause,
        )
    else:
        w.say(
            t,
            service,
            "info",
            "",
            "memory usage",
            None,
            {"rssMb": round(megabytes), "heapMb": round(megabytes * 0.6)},
            pod=0,
            cause=cause,
        )
