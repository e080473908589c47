# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Customers, the gateway in front of the shop (nginx), and the queue behind it."""

from __future__ import annotations

import math
from typing import Final

from eval.simulator.flow import NOTICEABLE, Outcome, Request, handle, jitter, new_request
from eval.simulator.world import World

GATEWAY_TIMEOUTS: Final = (15.0, 15.0, 20.0, 30.0)
"""`proxy_read_timeout` in seconds, one of them per shop."""

_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
    "ShopApp/4.12.0 (iOS 17.5)",
    "ShopApp/4.11.2 (Android 14)",
)
_MIX: Final = (
    (0.24, "GET", "/api/products?q={query}", "inventory", "search"),
    (0.32, "GET", "/api/products/{sku}", "inventory", "product"),
    (0.14, "POST", "/api/cart/{cart}/items", "checkout", "cart_add"),
    (0.12, "POST", "/api/checkout", "checkout", "place_order"),
    (0.10, "GET", "/api/orders/{order}", "checkout", "order_status"),
    (0.08, "POST", "/api/login", "users", "login"),
)
"""Share, method, path, service and operation of each kind of request."""


def load(w: World, t: float) -> float:
    """Share of the daily peak at `t`: low at four in the morning, high in the evening."""
    hour = w.clock.hour(t)
    return 0.55 + 0.35 * math.sin((hour - 10) / 24 * 2 * math.pi) + 0.10 * math.sin((hour - 18) / 12 * 2 * math.pi)


def start(w: World, rate: float, flat: bool = False) -> None:
    """Lets customers arrive: a Poisson process of `rate` requests/s at the daily peak, thinned by the hour.

    With `flat`, the hour does not matter.
    """

    def arrive(t: float) -> None:
        w.at(t + w.rng.expovariate(rate), arrive)
        if flat or w.rng.random() < load(w, t):
            serve(w, t)

    w.at(w.rng.expovariate(rate), arrive)


def client_address(w: World) -> str:
    return f"{w.rng.choice((31, 46, 77, 84, 91, 109, 178, 188, 212))}.{w.rng.randrange(256)}.{w.rng.randrange(256)}.{w.rng.randrange(1, 255)}"


def serve(w: World, t: float) -> None:
    """One request of a customer, from its arrival at the gateway to its last line."""
    draw = w.rng.random()
    kind = _MIX[-1]
    for kind in _MIX:
        draw -= kind[0]
        if draw < 0:
            break
    _, method, path, service, op = kind
    request = new_request(w, client_address(w))
    request.tag = f"{service}.{op}/{request.id}/{request.values['sku']}/{request.values['currency']}"
    request.values["jobId"] = request.id[:8]
    target = path.format_map({**request.values, "query": str(request.values["query"]).replace(" ", "+")})
    delay, cause, failure = w.suffer((f"edge:gateway>{service}",), t, request.tag)
    if failure is not None:
        outcome = Outcome(t + delay, failure.status, cause, failure.kind)
    else:
        outcome = handle(w, service, op, request, t + delay + 0.001, "gateway")
        if delay > NOTICEABLE:
            outcome.cause = outcome.cause or cause
    answer(w, request, method, target, service, t, outcome)
    if op == "place_order" and outcome.status == 200:
        enqueue(w, request, outcome)


def answer(
    w: World, request: Request, method: str, target: str, service: str, t: float, outcome: Outcome, agent: str = ""
) -> None:
    """What nginx logs about one request: an access line, and an error line where its upstream let it down."""
    end, status = outcome.end + 0.001, outcome.status
    upstream = f"{w.rng.choice(w.services[service].pods).ip}:{8080 if service == 'payment' else 8000 if service != 'inventory' else 8081}"
    reason = ""
    limit = w.facts.get("gateway_timeout") or w.style.pick("gateway/timeout", GATEWAY_TIMEOUTS)
    if end - t > limit:
        end, status = t + limit, 504
        reason = "upstream timed out (110: Connection timed out) while reading response header from upstream"
    elif outcome.reason == "refused":
        status = 502
        reason = "connect() failed (111: Connection refused) while connecting to upstream"
    elif outcome.reason == "no_route":
        status = 502
        reason = "connect() failed (113: No route to host) while connecting to upstream"
    elif outcome.reason == "reset":
        status = 502
        reason = "upstream prematurely closed connection while reading response header from upstream"
    elif outcome.reason == "no_endpoints":
        status = 503
        reason = "no live upstreams while connecting to upstream"
    agent = agent or _AGENTS[int(request.id[:4], 16) % len(_AGENTS)]
    size = w.rng.randrange(180, 9200) if status < 400 else w.rng.choice((162, 167, 183))
    took = end - t
    if took > 8 and status == 200 and w.rng.random() < 0.3:
        status, size = 499, 0
    upstream_took = took if status == 504 else max(0.0, took - 0.001)
    access = (
        f'{request.client} - - [{w.clock.nginx_access(end)}] "{method} {target} HTTP/1.1" {status} {size} '
        f'"https://www.{w.style.database}.example/" "{agent}" rt={took:.3f} urt={upstream_took:.3f} rid={request.id}'
    )
    cause = outcome.cause
    w.write(end, "gateway/access", access, cause)
    if reason:
        connection = w.style.number("nginx/connection", 10_000, 900_000) + int(t * 7)
        w.write(
            end,
            "gateway/error",
            f"{w.clock.nginx_error(end)} [error] {30 + int(request.id[4], 16) % 3}#{30 + int(request.id[4], 16) % 3}: *{connection} "
            f'{reason}, client: {request.client}, server: www.{w.style.database}.example, request: "{method} {target} HTTP/1.1", '
            f'upstream: "http://{upstream}{target}", host: "www.{w.style.database}.example"',
            cause,
        )


def enqueue(w: World, request: Request, outcome: Outcome) -> None:
    """The order's confirmation is a job for the worker, picked up shortly after."""
    waiting, _, failure = w.suffer(("queue:orders",), outcome.end, request.tag)
    if failure is not None:
        return
    t = outcome.end + 0.05 + jitter(w.rng, 0.3) + waiting
    w.at(t, lambda at: consume(w, request, at))


def consume(w: World, request: Request, t: float) -> None:
    """The worker's side of one order."""
    handle(w, "worker", "confirm_order", request, t, "queue")
