"""Errors that a healthy shop lives with: logged every few minutes for months, and nobody's incident."""

from __future__ import annotations

from collections.abc import Callable

from eval.simulator.style import hexes
from eval.simulator.traces import build
from eval.simulator.wording import Chain
from eval.simulator.world import World

Habit = Callable[[World, float], None]


def start(w: World) -> None:
    """Sets this shop's own two or three of them going."""
    n = w.noise
    rng = w.style.rng("chronic")
    for habit in rng.sample(_HABITS, rng.choice((2, 3))):
        period = rng.uniform(70, 320)
        w.every(n.uniform(5, period), period, period * 0.6, lambda t, habit=habit: habit(w, t))  # type: ignore[misc]


def _gone(w: World, service: str, t: float) -> bool:
    return w.suffer((f"service:{service}",), t, "background")[2] is not None


def _bounced(w: World, t: float) -> None:
    """A mailbox that does not exist any more."""
    if _gone(w, "worker", t):
        return
    text = w.style.pick(
        "bounce",
        (
            "550 5.1.1 The email account that you tried to reach does not exist",
            "550 5.7.1 Recipient address rejected: mailbox unavailable",
            "552 5.2.2 Mailbox full",
        ),
    )
    chain: Chain = (("Error", f"Can't send mail - all recipients were rejected: {text}"),)
    trace = build(w.style, "worker", "node", ("confirm_order", "smtp.send"), chain, w.services["worker"].version)
    w.say(
        t,
        "worker",
        "error",
        "",
        "recipient rejected",
        None,
        {"jobId": hexes(w.noise, 8), "attempt": 1},
        hexes(w.noise, 32),
        trace,
        pod=0,
    )


def _declined(w: World, t: float) -> None:
    """A card without money on it."""
    if _gone(w, "payment", t):
        return
    n = w.noise
    order = f"{w.style.pick('order/prefix', ('ORD-', 'o-', ''))}{n.randrange(10**7, 10**8)}"
    reason = n.choice(("insufficient funds", "do not honor", "expired card", "authentication required"))
    text = w.style.pick(
        "declined", ("Card declined for order {o}: {r}", "Issuer declined order={o} reason={r}")
    ).format(o=order, r=reason)
    w.say(
        t,
        "payment",
        "warning",
        "service.ChargeService",
        "",
        text,
        trace_id=hexes(n, 32),
        thread=f"http-nio-8080-exec-{n.randrange(1, 25)}",
        pod=0,
    )


def _rates(w: World, t: float) -> None:
    """A feed of exchange rates that moved away long ago."""
    if _gone(w, "payment", t):
        return
    chain: Chain = (("java.io.FileNotFoundException", "https://rates.example/v1/daily.xml"),)
    trace = build(w.style, "payment", "java", ("currency",), chain, w.services["payment"].version)
    w.say(
        t,
        "payment",
        "error",
        "service.CurrencyConverter",
        "",
        "Refreshing exchange rates failed, keeping those of the last success",
        trace=trace,
        thread="scheduling-1",
        pod=0,
    )


def _metrics(w: World, t: float) -> None:
    """A metrics gateway that was never there in this namespace."""
    if _gone(w, "users", t):
        return
    event, text = w.style.pick(
        "metrics",
        (
            ("metrics_push_failed", "Could not push metrics: [Errno -2] Name or service not known"),
            ("stats_flush_error", "Flushing stats failed: statsd.monitoring: Name or service not known"),
        ),
    )
    w.say(
        t,
        "users",
        "error",
        "users.metrics",
        event,
        text,
        {"sink": "statsd.monitoring", "dropped": w.noise.randrange(20, 400)},
        pod=0,
    )


def _partner(w: World, t: float) -> None:
    """A partner that keeps asking for articles that are no longer sold."""
    if _gone(w, "inventory", t):
        return
    w.say(
        t,
        "inventory",
        "error",
        "api/partner.go:77",
        w.style.pick("partner", ("partner feed entry skipped", "feed item has no match")),
        None,
        {"partner": "omnimart", "sku": f"SKU-{w.noise.randrange(9000, 9999)}", "error": "no such product"},
        hexes(w.noise, 32),
        pod=0,
    )


def _disconnected(w: World, t: float) -> None:
    """A customer who went away in the middle of a request."""
    if _gone(w, "checkout", t):
        return
    chain: Chain = (("starlette.requests.ClientDisconnect", ""),)
    trace = build(w.style, "checkout", "python", ("cart_add",), chain, w.services["checkout"].version)
    event, text = w.style.pick(
        "disconnect",
        (
            ("request_aborted", "Request aborted by the client"),
            ("unhandled_exception", "Unhandled exception while reading the request"),
        ),
    )
    w.say(
        t,
        "checkout",
        "error",
        "checkout.http",
        event,
        text,
        {"path": f"/api/cart/{hexes(w.noise, 12)}/items"},
        hexes(w.noise, 32),
        trace,
        pod=0,
    )


_HABITS: tuple[Habit, ...] = (_bounced, _declined, _rates, _metrics, _partner, _disconnected)
