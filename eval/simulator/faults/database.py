# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Statements that hold up others: without an index, behind a lock."""

from __future__ import annotations

from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.labels import RootCause
from eval.simulator.stores import log_postgres


def slow_query(setting: Setting) -> Planted:
    """A statement lost its index (or its plan flipped): it takes seconds, and holds its connection meanwhile."""
    w = setting.world
    query, table, owner = {
        "inventory": ("search_products", "products", "inventory"),
        "checkout": ("load_order", "orders", "checkout"),
        "users": ("find_account", "accounts", "users"),
    }[setting.target]
    who = f"[{setting.rng.randrange(4000, 30000)}] dba@{w.style.database}"
    if setting.rng.random() < 0.5:
        statement = setting.choose(
            f"DROP INDEX {table}_lookup_idx", f"ALTER TABLE {table} DROP CONSTRAINT {table}_lookup_key"
        )
        log_postgres(w, setting.start - 2, who, "LOG", f"statement: {statement};", setting.change)
        how = "its index was dropped"
    else:
        log_postgres(
            w,
            setting.start - 2,
            who,
            "LOG",
            f"duration: {setting.rng.uniform(20000, 70000):.3f} ms  statement: COPY {table} FROM STDIN WITH (FORMAT csv)",
            setting.change,
        )
        how = f"a bulk load made the statistics of {table} stale and its plan flipped"
    low, high = setting.choose((1.4, 3.5), (2.0, 6.0), (1.1, 2.5))
    setting.slow(f"query:{query}", lambda t, tag: w.rng.uniform(low, high))

    def blame() -> None:
        w.services[owner].pool.cause = w.services[owner].threads.cause = setting.id

    setting.during(blame, lambda: None)
    text = f"The statement {query} of {owner} takes seconds: {how}"
    symptom = {
        "inventory": "Search is very slow",
        "checkout": "The order page loads slowly",
        "users": "Log-in takes several seconds",
    }[setting.target]
    return Planted(RootCause("postgres", f"table/{table}", "slow_query", text), symptom)


def lock_contention(setting: Setting) -> Planted:
    """A long transaction holds a lock that ordinary statements need: they queue behind it, and some give up."""
    w = setting.world
    query, table, owner, lock = {
        "inventory": ("reserve_stock", "stock", "inventory", "ShareLock on transaction"),
        "checkout": ("insert_order", "orders", "checkout", "RowExclusiveLock on relation"),
        "payment": ("append_ledger", "ledger_entries", "payment", "RowExclusiveLock on relation"),
    }[setting.target]
    holder = setting.rng.randrange(4000, 30000)
    culprit = setting.choose("reporting", "dba", "backoffice")
    text = setting.choose(
        f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE",
        f"UPDATE {table} SET updated_at = now() WHERE updated_at < now() - interval '1 year'",
        f"ALTER TABLE {table} ADD COLUMN note text DEFAULT ''",
    )
    log_postgres(
        w,
        setting.start - 1,
        f"[{holder}] {culprit}@{w.style.database}",
        "LOG",
        f"statement: BEGIN; {text};",
        setting.change,
    )
    deadlocks = setting.rng.random() < 0.4
    number = setting.rng.randrange(16400, 17900)

    def wait(t: float, tag: str) -> float:
        if w.rng.random() < 0.15:
            return 0.0
        waited = w.rng.uniform(1.2, 7.0)
        pid = w.style.number(f"pid/{owner}", 200, 9000) + w.rng.randrange(8)
        who = f"[{pid}] {owner}@{w.style.database}"
        where = f"{lock} {number if 'relation' in lock else w.rng.randrange(700_000, 990_000)}" + (
            f" of database {16384}" if "relation" in lock else ""
        )
        log_postgres(
            w,
            t + 1.0,
            who,
            "LOG",
            f"process {pid} still waiting for {lock.split()[0]} on {where.split(' on ')[1]} after {1000 + w.rng.uniform(0.05, 0.9):.3f} ms",
            setting.id,
        )
        log_postgres(w, t + 1.0, who, "DETAIL", f"Process holding the lock: {holder}. Wait queue: {pid}.", setting.id)
        return waited

    setting.slow(f"query:{query}", wait)
    if deadlocks:
        failure = database_error(
            setting, "DeadlockDetected", "40P01", "deadlock detected", "OperationalError", "dao.CannotAcquireLockException",
            detail=f"Process {holder - 7} waits for ShareLock on transaction {number}8; blocked by process {holder}.\nProcess {holder} waits for ShareLock on transaction {number}9; blocked by process {holder - 7}.".replace("\n", "\n\t"),
            hint="See server log for query details.",
        )  # fmt: skip
    else:
        failure = database_error(
            setting,
            "LockNotAvailable",
            "55P03",
            "canceling statement due to lock timeout",
            "OperationalError",
            "dao.CannotAcquireLockException",
        )
    setting.fail(f"query:{query}", setting.sometimes(0.25, failure))

    def blame() -> None:
        w.services[owner].pool.cause = w.services[owner].threads.cause = setting.id

    setting.during(blame, lambda: None)
    cause = f"A long transaction of {culprit} holds a lock on {table}; statements of {owner} wait behind it"
    return Planted(
        RootCause("postgres", f"table/{table}", "lock_contention", cause),
        setting.choose("Orders hang and some fail", f"Requests of {owner} got very slow and some fail"),
    )


FAULTS = (
    Fault("slow_query", ("inventory", "checkout", "users"), slow_query, "a statement takes seconds"),
    Fault("lock_contention", ("inventory", "checkout", "payment"), lock_contention, "a long transaction holds a lock"),
)
