"""How a request walks through the services: waits, calls, time-outs, retries, and what each program logs about it."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass, field, replace
from typing import Final

from eval.simulator.shop import OPERATIONS, STATEMENTS, Operation, Step, Words
from eval.simulator.stores import log_slow_statement, log_statement_error
from eval.simulator.style import hexes
from eval.simulator.world import Failure, Service, World

NOTICEABLE: Final = 0.15
"""Seconds of added latency from which on a fault is said to have caused a line."""
_FOREVER: Final = 600.0


@dataclass(slots=True)
class Request:
    """One request of a customer. `values` are what messages may show; `tag` tells effects apart (operation, id)."""

    id: str
    client: str
    values: dict[str, object]
    tag: str = ""
    marks: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Outcome:
    """How a call ended: when, with which HTTP status, and through which fault (None: none had a part)."""

    end: float
    status: int = 200
    cause: str | None = None
    reason: str = ""


@dataclass(slots=True)
class StepResult:
    end: float
    cause: str | None = None
    failure: Failure | None = None


def jitter(rng: random.Random, mean: float) -> float:
    """A service time around `mean`: log-normal, with the long tail that real latencies have."""
    return mean * math.exp(rng.gauss(0.0, 0.35))


def handle(w: World, service: str, op: str, request: Request, t: float, caller: str) -> Outcome:
    """Lets a service serve one operation from `t` on."""
    s = w.services[service]
    operation = OPERATIONS[service, op]
    wait, cause, failure = w.suffer((f"service:{service}",), t, request.tag)
    if failure is not None:
        return Outcome(t + wait, failure.status, cause, failure.kind)
    start = s.threads.take(t + wait)
    if start is None:
        return _rejected(w, s, request, t + wait + s.threads.timeout)
    if start - t > NOTICEABLE:
        cause = cause or s.threads.cause
    outcome = _serve(w, s, operation, request, start, cause)
    s.threads.put(outcome.end)
    return outcome


def _rejected(w: World, s: Service, request: Request, t: float) -> Outcome:
    cause = s.threads.cause
    if s.runtime == "java":
        w.say(
            t,
            s.name,
            "warning",
            "o.apache.tomcat.util.net.NioEndpoint",
            "",
            f"All {s.threads.size} request threads are busy, refusing the request",
            trace_id=request.id,
            cause=cause,
        )
    else:
        text = w.style.pick(
            f"busy/{s.name}",
            (
                "no free worker, request dropped",
                "all workers busy, rejecting request",
                "concurrency limit reached, request refused",
            ),
        )
        w.say(
            t, s.name, "warning", _logger(s, "server"), text, text, {"limit": s.threads.size}, request.id, cause=cause
        )
    return Outcome(t, 503, cause, "busy")


def _logger(s: Service, part: str) -> str:
    if s.runtime == "go":
        return f"{part}/{part}.go:{88}"
    return f"{s.name}.{part}" if s.runtime == "python" else part


def _serve(w: World, s: Service, operation: Operation, request: Request, start: float, cause: str | None) -> Outcome:
    t = start
    if operation.begun:
        words(w, s, operation.begun, request, t, start, None)
    work = jitter(w.rng, operation.seconds) * s.slowdown
    if s.slowdown > 1 and work > NOTICEABLE:
        cause = s.slow_cause
    t += work / 2
    delay, at_fault, failure = w.suffer((f"op:{s.name}.{operation.name}",), t, request.tag)
    t += delay
    if delay > NOTICEABLE or failure:
        cause = at_fault
    if failure is not None:
        return _fail(w, s, operation, (operation.name,), failure, request, t, "")
    if delay > _FOREVER:
        return Outcome(t, 504, cause)  # it hangs until the process ends, and says nothing
    for step in operation.steps:
        missed = f"miss:{step.target}" in request.marks or w.misses
        if step.chance < 1 and w.rng.random() >= step.chance and not missed:
            continue
        result = take_step(w, s, operation, step, request, t)
        t = result.end
        cause = result.cause or cause
        if result.failure is not None:
            if step.optional:
                _degraded(w, s, step, result.failure, request, t)
                continue
            return _fail(w, s, operation, _places(s, operation, step), result.failure, request, t, step.target)
    t += work / 2
    _, at_fault, wrong = w.suffer((f"result:{s.name}.{operation.name}",), t, request.tag)
    if wrong is not None:
        request.values.update(wrong.fields)
        cause = at_fault
    if operation.done:
        words(w, s, operation.done, request, t, start, cause)
    return Outcome(t, 200, cause)


def _places(s: Service, operation: Operation, step: Step) -> tuple[str, ...]:
    """The way through the code to a step."""
    return (operation.name, "service", step.place) if s.name == "payment" else (operation.name, step.place)


def take_step(w: World, s: Service, operation: Operation, step: Step, request: Request, t: float) -> StepResult:
    """One step: a statement, a cache access, or a call with its time-out and retries."""
    if step.target == "postgres":
        return _query(w, s, step, request, t)
    if step.target in ("redis", "psp", "smtp"):
        return _external(w, s, step, request, t)
    return _call(w, s, step, request, t)


def _query(w: World, s: Service, step: Step, request: Request, t: float) -> StepResult:
    begun = s.pool.take(t)
    if begun is None:
        waited = s.pool.timeout
        fields = {"size": s.pool.size, "waiting": 1 + w.rng.randrange(2, 14)}
        return StepResult(t + waited, s.pool.cause, Failure("pool_timeout", s.pool.cause, waited, 500, fields))
    cause = s.pool.cause if begun - t > NOTICEABLE else None
    sites = (f"edge:{s.name}>postgres", "store:postgres", f"query:{step.op}")
    delay, at_fault, failure = w.suffer(sites, begun, request.tag)
    seconds = jitter(w.rng, step.seconds)
    if delay > NOTICEABLE or failure:
        cause = at_fault
    limit = step.timeout
    if failure is None and delay + seconds > limit and w.facts.get("statement_timeout", 0) > 0:
        failure, delay, seconds = Failure("query_timeout", cause, limit), limit, 0.0
    end = begun + delay + seconds
    leak = w.effects.get(f"leak:{s.name}")
    leaked = any(effect.failure is not None and effect.failure(begun, step.place) for effect in leak) if leak else False
    s.pool.put(math.inf if leaked else end)
    if failure is not None:
        statement = re.sub(r"\$\d", "?", STATEMENTS[step.op]) if s.runtime == "java" else STATEMENTS[step.op]
        failure = replace(failure, fields={**failure.fields, "sql": statement})
        log_statement_error(w, s, step, failure, request.values, end)
        return StepResult(end, cause, failure)
    if delay + seconds > 1.0:
        log_slow_statement(w, s, step, delay + seconds, end, cause)
    return StepResult(end, cause)


def _external(w: World, s: Service, step: Step, request: Request, t: float) -> StepResult:
    cause = None
    for attempt in range(step.retries + 1):
        delay, at_fault, failure = w.suffer((f"edge:{s.name}>{step.target}", f"store:{step.target}"), t, request.tag)
        seconds = jitter(w.rng, step.seconds) + delay
        if delay > NOTICEABLE or failure:
            cause = at_fault
        if failure is None and seconds > step.timeout:
            failure = Failure("timeout", cause, step.timeout)
            seconds = step.timeout
        if failure is None:
            return StepResult(t + seconds, cause)
        t += delay if failure.kind != "timeout" else step.timeout
        if attempt < step.retries:
            t = _retry(w, s, step, failure, request, t, attempt)
    return StepResult(t, cause, failure)


def _call(w: World, s: Service, step: Step, request: Request, t: float) -> StepResult:
    cause: str | None = None
    failure: Failure | None = None
    for attempt in range(step.retries + 1):
        begun = t
        delay, at_fault, failure = w.suffer((f"edge:{s.name}>{step.target}",), t, request.tag)
        if delay > NOTICEABLE or failure:
            cause = at_fault
        if failure is not None:
            t += min(delay, step.timeout)
        else:
            outcome = handle(w, step.target, step.op, request, t + delay + jitter(w.rng, step.seconds), s.name)
            cause = outcome.cause or cause
            if outcome.end > begun + step.timeout:
                failure = Failure("timeout", cause, step.timeout, 504)
                t = begun + step.timeout
            elif outcome.status >= 500:
                kind = {"refused": "refused", "no_endpoints": "refused", "no_route": "no_route", "reset": "reset"}.get(
                    outcome.reason, "bad_status"
                )
                failure = Failure(kind, cause, 0, 502, {"status": outcome.status})
                t = outcome.end
            elif outcome.status >= 400:
                fields = {"status": outcome.status, "reason": f"{step.target} answered {outcome.status}"}
                return StepResult(outcome.end, cause, Failure("bad_status", cause, 0, outcome.status, fields))
            else:
                _, at_fault, failure = w.suffer((f"reply:{s.name}>{step.target}",), outcome.end, request.tag)
                return StepResult(outcome.end, at_fault if failure else cause, failure)
        if attempt < step.retries:
            t = _retry(w, s, step, failure, request, t, attempt)
    return StepResult(t, cause, failure)


def _retry(w: World, s: Service, step: Step, failure: Failure, request: Request, t: float, attempt: int) -> float:
    pause: float = 0.2 * 2**attempt + w.rng.uniform(0, 0.1)
    trace = w.exception(s.name, (step.place,), failure, step.target)
    place = step.place
    event, text = w.style.pick(
        f"retry/{s.name}",
        (
            ("retrying", "{peer}: {error}, retrying in {pause} ms (attempt {attempt})"),
            ("upstream_retry", "Retrying {place} after {error} (attempt {attempt}, backoff {pause} ms)"),
            ("request_retried", "Attempt {attempt} of {place} failed: {error}; next try in {pause} ms"),
        ),
    )
    values = {
        "peer": step.target,
        "place": place,
        "error": trace.message.split(";")[0],
        "attempt": attempt + 1,
        "pause": round(pause * 1000),
    }
    fields = {
        "upstream": w.host(step.target),
        "error": values["error"],
        "attempt": attempt + 1,
        "backoff_ms": values["pause"],
    }
    w.say(
        t,
        s.name,
        "warning",
        logger_of(s, place),
        event.replace("_", " ") if s.runtime in ("go", "node") else event,
        text.format_map(values),
        fields,
        request.id,
        cause=failure.cause,
    )
    return t + pause


def logger_of(s: Service, place: str) -> str:
    """The logger (or source position, in Go) of a place."""
    part, _, name = place.partition(".")
    if s.runtime == "python":
        folder = {"db": "db", "cache": "cache", "queue": "events"}.get(part, f"clients.{part}" if name else "api")
        return f"{s.name}.{folder}"
    if s.runtime == "java":
        return {"psp": "psp.PspClient", "db": "ledger.LedgerRepository"}.get(part, "service.ChargeService")
    if s.runtime == "go":
        return {"db": "store/store.go:71", "cache": "cache/products.go:38"}.get(part, "api/api.go:60")
    return name or part


def _degraded(w: World, s: Service, step: Step, failure: Failure, request: Request, t: float) -> None:
    """An optional step failed: the program says so and goes on without it."""
    request.marks.add("miss:postgres")
    trace = w.exception(s.name, (step.place,), failure, step.target)
    event, text = w.style.pick(
        f"degraded/{s.name}",
        (
            ("cache unavailable", "Cache unavailable ({error}), reading from the database"),
            ("cache lookup failed", "{place} failed: {error}; falling back"),
        ),
    )
    if step.place.startswith("queue"):
        event, text = "event not published", "Event of order {order} not published: {error}"
    values = {**request.values, "place": step.place, "error": trace.message}
    structured = event.replace(" ", "_") if s.runtime == "python" else event
    w.say(
        t,
        s.name,
        "warning",
        logger_of(s, step.place),
        structured,
        text.format_map(values),
        {"error": trace.message},
        request.id,
        cause=failure.cause,
    )


def _fail(
    w: World,
    s: Service,
    operation: Operation,
    places: tuple[str, ...],
    failure: Failure,
    request: Request,
    t: float,
    peer: str,
) -> Outcome:
    if failure.kind == "silent":
        return Outcome(t, failure.status, failure.cause)
    if failure.kind == "panic":
        from eval.simulator.traces import go_panic, own_frame

        frames = tuple(own_frame(w.style, s.name, place, s.version) for place in failure.places or places)
        address = f"{w.rng.choice(w.gateway_pods).ip}:{w.rng.randrange(32768, 60999)}"
        text = go_panic(frames, str(failure.fields["message"]), w.rng.randrange(900, 99999), address)
        w.write(t, s.name, f"{w.clock.nginx_error(t)} {text}", failure.cause)
        return Outcome(t, 502, failure.cause, "reset")
    if failure.status < 500:
        words(
            w,
            s,
            operation.failed,
            request,
            t,
            t,
            failure.cause,
            level="warning",
            reason=str(failure.fields.get("reason", "")),
        )
        return Outcome(t, failure.status, failure.cause)
    trace = w.exception(s.name, places, failure, peer)
    words(w, s, operation.failed, request, t, t, failure.cause, level="error", trace=trace)
    return Outcome(t, failure.status if failure.status in (503, 504, 502) else 500, failure.cause)


def words(
    w: World, s: Service, said: Words, request: Request, t: float, start: float, cause: str | None,
    level: str | None = None, trace: object = None, reason: str = "",
) -> None:  # fmt: skip
    """Says one of an operation's messages, in this shop's phrasing."""
    from eval.simulator.traces import Trace

    event, text = w.style.pick(f"words/{s.name}/{said.options[0]}", said.options)
    values = {**request.values, "took_ms": round((t - start) * 1000), "jobId": request.id[:8]}
    fields = {name: values[name] for name in said.fields if name in values}
    if reason:
        fields["reason"] = reason
    sentence = text.format_map(values) if text else event
    if reason and text:
        sentence = f"{sentence}: {reason}"
    w.say(
        t,
        s.name,
        level or said.level,
        said.logger,
        event or sentence,
        sentence,
        fields,
        request.id,
        trace if isinstance(trace, Trace) else None,
        cause,
    )


def new_request(w: World, client: str) -> Request:
    """A request with the values that messages may show."""
    rng = w.rng
    values: dict[str, object] = {
        "order": f"{w.style.pick('order/prefix', ('ORD-', 'o-', ''))}{rng.randrange(10**7, 10**8)}",
        "customer": rng.randrange(10_000, 99_999),
        "cart": hexes(rng, 12),
        "sku": f"SKU-{rng.randrange(1000, 4000)}",
        "quantity": rng.choice((1, 1, 1, 2, 2, 3, 5)),
        "amount": f"{rng.randrange(499, 29_900) / 100:.2f}",
        "currency": rng.choice(("EUR", "EUR", "EUR", "USD", "GBP")),
        "auth": hexes(rng, 10).upper(),
        "ip": client,
        "query": rng.choice(("lamp", "desk", "chair oak", "kettle", "rug 160x230", "shelf", "bed linen", "mug")),
        "results": rng.randrange(0, 21),
    }
    return Request(w.trace_id(), client, values)
