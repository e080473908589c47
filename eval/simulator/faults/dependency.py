# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of what the services lean on: providers, database, cache, queue, scheduled jobs."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.chores import scheduled_job
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.stores import log_postgres
from eval.simulator.world import Effect

_OWNER = {"psp": "payment", "smtp": "worker"}


def _whose(setting: Setting) -> tuple[str, str]:
    """Service and component of a target: a store is a service of its own, a provider is its client's."""
    w, target = setting.world, setting.target
    if target in _OWNER:
        return _OWNER[target], f"external/{w.host(target)}"
    return target, f"statefulset/{target}"


def _pain(setting: Setting, target: str) -> str:
    told = {
        "psp": ("Payments fail", "Customers cannot pay"),
        "smtp": ("Order confirmations do not arrive", "Mails are missing"),
        "postgres": ("The shop answers with errors", "Orders and product pages fail"),
        "redis": ("Carts are lost", "Customers cannot put things into their carts"),
    }
    return setting.choose(*told[target])


def dependency_down(setting: Setting) -> Planted:
    """A provider or a store goes away: connections are refused or cut."""
    w, target = setting.world, setting.target
    kind = setting.choose("refused", "reset", "no_route") if target in _OWNER else "refused"
    failure = setting.failure(kind, 0.02 if kind != "no_route" else 3.1, 502)
    t = setting.start
    if target == "postgres":
        who = f"[{w.style.number('pid/postmaster', 1, 60)}]"
        reason = setting.choose(
            "received fast shutdown request", "server process (PID {p}) was terminated by signal 9: Killed"
        ).format(p=setting.rng.randrange(300, 9000))
        log_postgres(w, t - 0.4, who, "LOG", reason, setting.id)
        log_postgres(
            w,
            t - 0.2,
            who,
            "LOG",
            "aborting any active transactions"
            if "shutdown" in reason
            else "terminating any other active server processes",
            setting.id,
        )
        log_postgres(w, t - 0.05, who, "LOG", "database system is shut down", setting.id)
        _node_trouble(setting, "postgres")
    elif target == "redis":
        w.write(
            t - 0.3,
            "redis",
            f"1:signal-handler ({round(w.clock.at(t).timestamp())}) Received SIGTERM scheduling shutdown...",
            setting.id,
        )
        w.write(t - 0.2, "redis", f"1:M {w.clock.redis(t - 0.2)} # User requested shutdown...", setting.id)
        w.write(t - 0.1, "redis", f"1:M {w.clock.redis(t - 0.1)} # Redis is now ready to exit, bye bye...", setting.id)
        _node_trouble(setting, "redis")
    setting.fail(f"store:{target}", setting.sometimes(1.0, failure))
    w.at(setting.end, lambda at: _back(setting, at))
    service, component = _whose(setting)
    text = (
        f"{w.host(target)} is down: every connection to it fails"
        if target in _OWNER
        else f"{target} stopped: nothing can connect to it"
    )
    return Planted(RootCause(service, component, "dependency_down", text), _pain(setting, target))


def _back(setting: Setting, t: float) -> None:
    """A store that comes back says so."""
    w = setting.world
    if setting.target == "redis":
        _redis_ready(setting, t, 0.31)
    elif setting.target == "postgres":
        who = f"[{w.style.number('pid/postmaster', 1, 60)}]"
        log_postgres(w, t - 0.2, who, "LOG", "database system was shut down; starting PostgreSQL 16.3", None)
        log_postgres(w, t, who, "LOG", "database system is ready to accept connections", None)


def _node_trouble(setting: Setting, store: str) -> None:
    """The stateful set's pod was moved and does not come back: its volume hangs on the old node."""
    w, t = setting.world, setting.start
    pod = f"{store}-0"
    claim = f"pvc-{setting.rng.getrandbits(32):08x}"
    platform.event(w, t - 0.5, "Pod", pod, "Killing", f"Stopping container {store}", cause=setting.id)
    platform.event(
        w,
        t + 3,
        "StatefulSet",
        store,
        "SuccessfulCreate",
        f"create Pod {pod} in StatefulSet {store} successful",
        cause=setting.id,
    )
    message = f'Multi-Attach error for volume "{claim}" Volume is already exclusively attached to one node and can\'t be attached to another'
    platform.event(w, t + 5, "Pod", pod, "FailedAttachVolume", message, True, setting.id)
    late = "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data]: timed out waiting for the condition"
    setting.repeat(120, 4, lambda at: platform.event(w, at, "Pod", pod, "FailedMount", late, True, setting.id), t + 125)


def dependency_slow(setting: Setting) -> Planted:
    """A provider answers late: sometimes within the time-outs (nothing fails), sometimes not."""
    w, target = setting.world, setting.target
    mild = setting.rng.random() < 0.6
    low, high = (1.5, 4.5) if mild else (5.0, 16.0)
    climb = setting.rng.uniform(20, 120)

    def delay(t: float, tag: str) -> float:
        return w.rng.uniform(low, high) * min(1.0, (t - setting.start + 5) / climb)

    setting.slow(f"store:{target}", delay)
    service, component = _whose(setting)
    text = f"{w.host(target)} answers {low:.0f} to {high:.0f} seconds late"
    symptom = (
        setting.choose("Paying takes very long", "Latency of payments is far above normal")
        if target == "psp"
        else "Order confirmations come late"
    )
    return Planted(RootCause(service, component, "dependency_slow", text), symptom)


def rate_limited(setting: Setting) -> Planted:
    """A provider answers 429 (or SMTP 451) to a part of the calls."""
    w, target = setting.world, setting.target
    service, component = _whose(setting)
    share = setting.rng.uniform(0.35, 0.8)
    if target == "psp":
        body = setting.choose(
            '{"code":"too_many_requests","retry_after":30}',
            '{"error":{"type":"throttled","message":"Request quota exceeded"}}',
            "quota exceeded, retry later",
        )
        fields: dict[str, object] = {
            "status": 429,
            "reason": "Too Many Requests",
            "exception": "TooManyRequests",
            "body": body,
        }
    else:
        fields = {
            "status": 451,
            "reason": setting.choose(
                "451 4.7.1 Sending limit reached, try again later",
                "421 4.7.0 Too many messages, slow down",
                "452 4.5.3 Hourly quota exceeded for this account",
            ),
        }
    setting.fail(f"store:{target}", setting.sometimes(share, setting.failure("answer", 0.08, 502, fields)))
    text = f"{w.host(target)} throttles the calls of {service}: its quota is used up"
    return Planted(RootCause(service, component, "rate_limited", text), _pain(setting, target) + " now and then")


def queue_backlog(setting: Setting) -> Planted:
    """The worker takes jobs more slowly than they come: the queue grows, nothing fails."""
    w = setting.world
    if setting.rng.random() < 0.5:
        done = platform.configure(w, setting.start, "worker", "QUEUE_CONCURRENCY", setting.change, "8", "1")
        w.at(done, lambda _: w.facts.update(concurrency=1))
        component, how = "configmap/worker-config", "its concurrency was cut from 8 to 1"
    else:
        done = setting.start
        component, how = "queue/orders", "a bulk mailing filled the queue in front of the orders"
        w.say(
            done - 1,
            "worker",
            "info",
            "",
            "bulk job enqueued",
            None,
            {"queue": "orders", "jobs": setting.rng.randrange(4000, 9000), "requestedBy": "marketing"},
            cause=setting.change,
        )
    growth = setting.rng.uniform(0.4, 0.9)
    arrivals = setting.rng.uniform(0.8, 2.5)
    setting.slow("queue:orders", lambda t, tag: (t - done) * growth, done)

    def depth(at: float) -> None:
        w.facts["queue_waiting"] = (at - done) * growth * arrivals

    setting.repeat(15, 1, depth, done)

    def clear() -> None:
        w.facts.update(queue_waiting=0.0, concurrency=8)

    setting.during(lambda: w.blame.update(queue=setting.id), clear, done)
    text = f"The worker falls behind the queue of orders: {how}"
    return Planted(
        RootCause("worker", component, "queue_backlog", text),
        "Order confirmations arrive later and later",
        ("slow_burn",),
    )


def cache_failure(setting: Setting) -> Planted:
    """Redis refuses writes, is loading, or has lost its keys."""
    w, variant = setting.world, setting.choose("full", "loading", "empty")
    t = setting.start
    if variant == "full":
        message = setting.choose(
            "OOM command not allowed when used memory > 'maxmemory'.",
            "command not allowed when used memory > 'maxmemory'.",
        )
        failure = setting.failure("redis_error", 0.002, fields={"redis": "OutOfMemoryError", "message": message})
        setting.fail("edge:checkout>redis", setting.sometimes(1.0, failure))
        text = "Redis is full (maxmemory, no eviction): it refuses writes, so carts cannot be saved"
        return Planted(RootCause("redis", "statefulset/redis", "cache_failure", text), _pain(setting, "redis"))
    caused = setting.id if variant == "loading" else setting.change
    platform.event(w, t - 2.5, "Pod", "redis-0", "Killing", "Stopping container redis", cause=caused)
    platform.event(w, t - 0.5, "Pod", "redis-0", "Started", "Started container redis", cause=caused)
    w.write(t, "redis", f"1:C {w.clock.redis(t)} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", caused)
    w.write(
        t + 0.1,
        "redis",
        f"1:C {w.clock.redis(t + 0.1)} * Redis version=7.2.4, bits=64, commit=00000000, modified=0, pid=1, just started",
        caused,
    )
    w.write(t + 0.2, "redis", f"1:M {w.clock.redis(t + 0.2)} * Server initialized", caused)
    if variant == "loading":
        w.write(t + 0.3, "redis", f"1:M {w.clock.redis(t + 0.3)} * Loading RDB produced by version 7.2.4", caused)
        refusal = setting.failure(
            "redis_error",
            0.002,
            fields={"redis": "BusyLoadingError", "message": "LOADING Redis is loading the dataset in memory"},
        )
        setting.fail("store:redis", setting.sometimes(1.0, refusal))
        probe = "Readiness probe failed: LOADING Redis is loading the dataset in memory"
        setting.repeat(
            60, 10, lambda at: platform.event(w, at, "Pod", "redis-0", "Unhealthy", probe, True, setting.id), t + 6
        )
        w.at(setting.end, lambda at: _redis_ready(setting, at, at - t))
        text = "Redis restarted and loads its data set for minutes: commands are refused meanwhile"
        return Planted(RootCause("redis", "statefulset/redis", "cache_failure", text), _pain(setting, "redis"))
    _redis_ready(setting, t + 0.4, None)
    for query in ("load_product", "load_account"):
        setting.slow(f"query:{query}", lambda at, tag: w.rng.uniform(0.3, 1.4))
    setting.during(lambda: w.misses.add(setting.id), lambda: w.misses.discard(setting.id))
    text = "Redis restarted without its data: every look-up goes to the database, which slows down"
    return Planted(RootCause("redis", "statefulset/redis", "cache_failure", text), "Product pages are slow")


def _redis_ready(setting: Setting, t: float, loaded: float | None) -> None:
    w = setting.world
    if loaded is not None:
        w.write(t, "redis", f"1:M {w.clock.redis(t)} * DB loaded from disk: {loaded:.3f} seconds")
    w.write(t + 0.01, "redis", f"1:M {w.clock.redis(t + 0.01)} * Ready to accept connections tcp")


def heartbeat_missing(setting: Setting) -> Planted:
    """Something that used to run on schedule stops, without a word."""
    w, target = setting.world, setting.target
    site = "cron:" + scheduled_job(w) if target == "cron" else f"beat:{target}"
    w.add(
        site, Effect(setting.id, failure=setting.sometimes(1.0, setting.failure("silent"))), setting.start, setting.end
    )
    name = site.partition(":")[2]
    service, component, text, symptom = {
        "cron": (
            "cron",
            f"cronjob/{name}",
            f"The scheduled job {name} no longer runs",
            "The warehouse has no fresh file",
        ),
        "payment": (
            "payment",
            "settlement/SettlementJob.java",
            "The settlement job of payment no longer runs: its scheduler thread is gone",
            "Captured payments are not settled",
        ),
        "worker": (
            "worker",
            "queue/orders",
            "The worker no longer takes jobs: its poll loop stands still",
            "No order confirmations since a while",
        ),
    }[target]
    if target == "worker":
        setting.slow("queue:orders", lambda t, tag: 1e9)
    return Planted(RootCause(service, component, "heartbeat_missing", text), symptom, ("silence",))


FAULTS = (
    Fault("dependency_down", ("psp", "smtp", "postgres", "redis"), dependency_down, "a provider or store goes away"),
    Fault("dependency_slow", ("psp", "smtp"), dependency_slow, "a provider answers late"),
    Fault("rate_limited", ("psp", "smtp"), rate_limited, "a provider throttles"),
    Fault("queue_backlog", ("worker",), queue_backlog, "the queue grows"),
    Fault("cache_failure", ("redis",), cache_failure, "Redis refuses, loads, or is empty"),
    Fault("heartbeat_missing", ("cron", "payment", "worker"), heartbeat_missing, "something on schedule stops"),
)
