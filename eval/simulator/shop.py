# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""What the shop does for a request: operations of services, their steps, and what they log when all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an operation. `place` locates it in the code and names its target: `payment.charge`, `db.x`."""

    place: str
    seconds: float
    target: str
    op: str = ""
    timeout: float = 5.0
    retries: int = 0
    chance: float = 1.0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Phrasings of one message: (event, sentence); `fields` are shown by structured loggers."""

    logger: str
    options: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] = ()
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service. `seconds` is its own work; `failed` is what it logs when a step fails."""

    service: str
    name: str
    seconds: float
    steps: tuple[Step, ...]
    begun: Words | None
    done: Words | None
    failed: Words


_OPERATIONS: Final = (
    Operation(
        "inventory", "search", 0.006,
        (Step("db.search", 0.014, "postgres", "search_products", 5.0),),
        None,
        Words("api/search.go:41", (("search served", ""), ("search", ""), ("query executed", "")), ("query", "results", "took_ms")),
        Words("api/search.go:52", (("search failed", ""), ("could not search products", ""))),
    ),
    Operation(
        "inventory", "product", 0.003,
        (
            Step("cache.load_product", 0.0012, "redis", "get", 0.5, optional=True),
            Step("db.load_product", 0.006, "postgres", "load_product", 5.0, chance=0.22),
        ),
        None,
        Words("api/product.go:33", (("product served", ""), ("get product", ""), ("product lookup", "")), ("sku", "took_ms")),
        Words("api/product.go:47", (("product lookup failed", ""), ("cannot load product", "")), ("sku",)),
    ),
    Operation(
        "inventory", "reserve", 0.004,
        (Step("db.reserve_stock", 0.009, "postgres", "reserve_stock", 5.0),),
        Words("api/reserve.go:29", (("reserving stock", ""), ("reservation requested", "")), ("sku", "quantity", "order")),
        Words("api/reserve.go:61", (("stock reserved", ""), ("reservation created", "")), ("sku", "quantity", "order", "took_ms")),
        Words("api/reserve.go:54", (("reservation failed", ""), ("could not reserve stock", "")), ("sku", "order")),
    ),
    Operation(
        "users", "verify", 0.004,
        (
            Step("cache.load_session", 0.0011, "redis", "get", 0.5, optional=True),
            Step("db.load_account", 0.005, "postgres", "load_account", 5.0, chance=0.25),
        ),
        None,
        Words("users.auth", (("token_verified", "Token of customer {customer} verified"), ("session_ok", "Session of customer {customer} is valid")), ("customer", "took_ms"), "debug"),
        Words("users.auth", (("token_verification_failed", "Could not verify token"), ("verify_failed", "Token verification failed"))),
    ),
    Operation(
        "users", "login", 0.060,
        (Step("db.find_account", 0.006, "postgres", "find_account", 5.0),),
        None,
        Words("users.auth", (("login_succeeded", "Customer {customer} logged in from {ip}"), ("customer_authenticated", "Authenticated customer {customer} ip={ip}")), ("customer", "ip", "took_ms")),
        Words("users.auth", (("login_failed", "Login failed with an internal error"), ("authentication_error", "Error while authenticating"))),
    ),
    Operation(
        "payment", "charge", 0.015,
        (
            Step("db.load_method", 0.006, "postgres", "load_method", 5.0),
            Step("psp.authorize", 0.240, "psp", "authorize", 10.0),
            Step("db.append_ledger", 0.009, "postgres", "append_ledger", 5.0),
        ),
        Words("api.ChargeController", (("", "Charging order {order}: {amount} {currency}"), ("", "Charge requested order={order} amount={amount} {currency}"))),
        Words("service.ChargeService", (("", "Order {order} charged, authorization {auth} ({took_ms} ms)"), ("", "Charge completed order={order} auth={auth} took={took_ms}ms"))),
        Words("api.ChargeController", (("", "Charge of order {order} failed"), ("", "Unable to charge order={order}"), ("", "Unhandled exception while charging order {order}"))),
    ),
    Operation(
        "checkout", "cart_add", 0.005,
        (
            Step("cache.load_cart", 0.0013, "redis", "get", 0.5),
            Step("cache.save_cart", 0.0012, "redis", "set", 0.5),
        ),
        None,
        Words("checkout.cart", (("cart_updated", "Cart {cart} updated: {quantity} x {sku}"), ("item_added", "Added {quantity} x {sku} to cart {cart}")), ("cart", "sku", "quantity", "took_ms")),
        Words("checkout.cart", (("cart_update_failed", "Could not update cart {cart}"), ("cart_error", "Cart {cart}: update failed")), ("cart",)),
    ),
    Operation(
        "checkout", "order_status", 0.004,
        (Step("db.load_order", 0.006, "postgres", "load_order", 5.0),),
        None,
        Words("checkout.orders", (("order_status_served", "Status of order {order} served"), ("order_viewed", "Order {order} viewed")), ("order", "took_ms")),
        Words("checkout.orders", (("order_status_failed", "Could not load order {order}"), ("order_lookup_error", "Lookup of order {order} failed")), ("order",)),
    ),
    Operation(
        "checkout", "place_order", 0.012,
        (
            Step("users.verify", 0.002, "users", "verify", 2.0, 1),
            Step("cache.load_cart", 0.0013, "redis", "get", 0.5),
            Step("inventory.reserve", 0.002, "inventory", "reserve", 3.0, 1),
            Step("payment.charge", 0.002, "payment", "charge", 8.0, 1),
            Step("db.insert_order", 0.011, "postgres", "insert_order", 5.0),
            Step("queue.publish", 0.0012, "redis", "rpush", 0.5, optional=True),
        ),
        Words("checkout.orders", (("order_received", "Order {order} received, cart {cart}, {amount} {currency}"), ("placing_order", "Placing order {order} for customer {customer}")), ("order", "cart", "customer", "amount", "currency")),
        Words("checkout.orders", (("order_placed", "Order {order} placed in {took_ms} ms"), ("order_completed", "Order {order} completed, {amount} {currency}, {took_ms} ms")), ("order", "amount", "currency", "took_ms")),
        Words("checkout.orders", (("order_failed", "Order {order} failed"), ("place_order_error", "Error while placing order {order}"), ("checkout_failed", "Checkout of order {order} did not complete")), ("order", "customer")),
    ),
    Operation(
        "worker", "confirm_order", 0.020,
        (
            Step("db.save_invoice", 0.010, "postgres", "save_invoice", 5.0),
            Step("smtp.send", 0.180, "smtp", "send", 10.0, 1),
        ),
        Words("", (("processing job", ""), ("job started", ""), ("picked job from orders", "")), ("jobId", "order")),
        Words("", (("order confirmation sent", ""), ("job completed", ""), ("confirmation mail sent", "")), ("jobId", "order", "took_ms")),
        Words("", (("job failed", ""), ("could not confirm order", "")), ("jobId", "order")),
    ),
)  # fmt: skip

OPERATIONS: Final = {(operation.service, operation.name): operation for operation in _OPERATIONS}
"""Operations by service and name."""

STATEMENTS: Final[dict[str, str]] = {
    "search_products": "SELECT id, sku, name, price FROM products WHERE to_tsvector('simple', name) @@ plainto_tsquery($1) ORDER BY rank DESC LIMIT 20",
    "load_product": "SELECT id, sku, name, price, stock FROM products WHERE sku = $1",
    "reserve_stock": "UPDATE stock SET reserved = reserved + $1 WHERE sku = $2 AND available - reserved >= $1",
    "load_account": "SELECT id, email, status, locale FROM accounts WHERE id = $1",
    "find_account": "SELECT id, email, password_hash, status FROM accounts WHERE email = $1",
    "load_method": "select pm.id, pm.token, pm.brand, pm.expires_on from payment_methods pm where pm.customer_id = $1",
    "append_ledger": "insert into ledger_entries (order_id, amount, currency, authorization_code, created_at) values ($1, $2, $3, $4, $5)",
    "load_order": "SELECT orders.id, orders.status, orders.total, orders.created_at FROM orders WHERE orders.id = $1",
    "insert_order": "INSERT INTO orders (id, customer_id, status, total, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING orders.id",
    "save_invoice": "INSERT INTO invoices (order_id, number, total) VALUES ($1, $2, $3)",
}
"""SQL text by query name."""

USERS_OF: Final[dict[str, tuple[str, ...]]] = {
    target: tuple(sorted({o.service for o in _OPERATIONS for s in o.steps if s.target == target}))
    for target in ("postgres", "redis", "psp", "smtp", "users", "inventory", "payment")
}
"""Which services call a target."""
