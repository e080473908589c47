"""What the database logs: PostgreSQL's server log, with the prefix that names user and database."""

from __future__ import annotations

import random
from collections.abc import Mapping

from eval.simulator.shop import STATEMENTS, Step
from eval.simulator.world import Failure, Service, World


def session(w: World, s: Service, rng: random.Random) -> str:
    """`[pid] user@database` of a connection of a service, as PostgreSQL's `log_line_prefix` shows it."""
    pid = w.style.number(f"pid/{s.name}", 200, 9000) + rng.randrange(s.pool.size)
    if w.style.pick("postgres/prefix", (0, 1)):
        return f"[{pid}] {s.name}@{w.style.database}"
    return f"[{pid}] user={s.name},db={w.style.database},app={s.name}"


def log_postgres(w: World, t: float, who: str, severity: str, text: str, cause: str | None) -> None:
    """A line of PostgreSQL's server log."""
    w.write(t, "postgres", f"{w.clock.dotted(t)} UTC {who} {severity}:  {text}", cause)


def log_slow_statement(w: World, s: Service, step: Step, seconds: float, t: float, cause: str | None) -> None:
    text = f"duration: {seconds * 1000:.3f} ms  execute <unnamed>: {STATEMENTS[step.op]}"
    log_postgres(w, t, session(w, s, w.rng), "LOG", text, cause)


def log_statement_error(
    w: World, s: Service, step: Step, failure: Failure, values: Mapping[str, object], t: float
) -> None:
    """What the server says about a failed statement (nothing where it was never reached)."""
    message = failure.fields.get("server")
    if not message:
        return
    who = session(w, s, w.rng)
    log_postgres(
        w,
        t,
        who,
        str(failure.fields.get("severity", "ERROR")),
        str(message).format_map({**failure.fields, **values}),
        failure.cause,
    )
    for word in ("detail", "hint"):
        if word in failure.fields:
            text = str(failure.fields[word]).format_map({**failure.fields, **values})
            log_postgres(w, t, who, word.upper(), text, failure.cause)
    if failure.fields.get("statement", True):
        log_postgres(w, t, who, "STATEMENT", STATEMENTS[step.op], failure.cause)
