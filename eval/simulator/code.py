# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""The source code of the simulated shop, as far as stack traces show it: files, functions, library frames.

A *place* is where a program can fail: an operation (`place_order`) or a step of it (`payment.charge`, `db.insert_order`).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Frame(NamedTuple):
    """One frame of a stack: file, function, line."""

    file: str
    function: str
    line: int


OWN: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "checkout": {
        "cart_add": ("checkout/api/cart.py", "add_item"),
        "place_order": ("checkout/api/orders.py", "place_order"),
        "order_status": ("checkout/api/orders.py", "order_status"),
        "pricing": ("checkout/pricing/totals.py", "order_total"),
        "discounts": ("checkout/pricing/discounts.py", "apply_discounts"),
        "settings": ("checkout/settings.py", "load_settings"),
        "users.verify": ("checkout/clients/users.py", "verify_token"),
        "inventory.reserve": ("checkout/clients/inventory.py", "reserve"),
        "payment.charge": ("checkout/clients/payment.py", "charge"),
        "cache.load_cart": ("checkout/cache/carts.py", "load_cart"),
        "cache.save_cart": ("checkout/cache/carts.py", "save_cart"),
        "db.insert_order": ("checkout/db/orders.py", "insert_order"),
        "db.load_order": ("checkout/db/orders.py", "load_order"),
        "queue.publish": ("checkout/events/publisher.py", "publish"),
    },
    "users": {
        "login": ("users/api/auth.py", "login"),
        "verify": ("users/api/auth.py", "verify"),
        "passwords": ("users/security/passwords.py", "check_password"),
        "tokens": ("users/security/tokens.py", "decode_token"),
        "settings": ("users/settings.py", "load_settings"),
        "cache.load_session": ("users/cache/sessions.py", "load_session"),
        "db.find_account": ("users/db/accounts.py", "find_by_email"),
        "db.load_account": ("users/db/accounts.py", "load_account"),
    },
    "payment": {
        "charge": ("api/ChargeController.java", "charge"),
        "service": ("service/ChargeService.java", "charge"),
        "fees": ("service/FeeCalculator.java", "feeFor"),
        "currency": ("service/CurrencyConverter.java", "convert"),
        "settings": ("config/PaymentProperties.java", "validate"),
        "psp.authorize": ("psp/PspClient.java", "authorize"),
        "db.append_ledger": ("ledger/LedgerRepository.java", "append"),
        "db.load_method": ("ledger/PaymentMethodRepository.java", "findByCustomer"),
        "settlement": ("settlement/SettlementJob.java", "run"),
    },
    "inventory": {
        "search": ("internal/api/search.go", "Search"),
        "product": ("internal/api/product.go", "Product"),
        "reserve": ("internal/api/reserve.go", "Reserve"),
        "allocation": ("internal/stock/allocation.go", "Allocate"),
        "pricing": ("internal/catalog/price.go", "PriceFor"),
        "settings": ("internal/config/config.go", "Load"),
        "cache.load_product": ("internal/cache/products.go", "Get"),
        "db.search": ("internal/store/products.go", "Search"),
        "db.load_product": ("internal/store/products.go", "Find"),
        "db.reserve_stock": ("internal/store/stock.go", "Reserve"),
    },
    "worker": {
        "confirm_order": ("src/jobs/confirm-order.js", "confirmOrder"),
        "render": ("src/mail/render.js", "renderReceipt"),
        "settings": ("src/config.js", "loadConfig"),
        "smtp.send": ("src/mail/send.js", "sendMail"),
        "db.save_invoice": ("src/db/invoices.js", "saveInvoice"),
        "queue.consume": ("src/queue/consumer.js", "poll"),
    },
}
"""Own code by service and place: file, function."""

PYTHON_LIBRARY: Final[dict[str, tuple[Frame, ...]]] = {
    "http": (
        Frame("/usr/local/lib/python3.11/site-packages/httpx/_client.py", "post", 1144),
        Frame("/usr/local/lib/python3.11/site-packages/httpx/_client.py", "send", 914),
        Frame("/usr/local/lib/python3.11/site-packages/httpx/_transports/default.py", "handle_request", 249),
    ),
    "db": (
        Frame("/usr/local/lib/python3.11/site-packages/sqlalchemy/orm/session.py", "execute", 2362),
        Frame("/usr/local/lib/python3.11/site-packages/sqlalchemy/engine/base.py", "_execute_context", 1846),
        Frame("/usr/local/lib/python3.11/site-packages/sqlalchemy/engine/default.py", "do_execute", 942),
    ),
    "cache": (
        Frame("/usr/local/lib/python3.11/site-packages/redis/client.py", "execute_command", 565),
        Frame("/usr/local/lib/python3.11/site-packages/redis/connection.py", "send_command", 556),
    ),
    "queue": (Frame("/usr/local/lib/python3.11/site-packages/redis/client.py", "execute_command", 565),),
    "": (),
}
PYTHON_ENTRY: Final = (
    Frame("/usr/local/lib/python3.11/site-packages/starlette/routing.py", "app", 73),
    Frame("/usr/local/lib/python3.11/site-packages/fastapi/routing.py", "run_endpoint_function", 214),
)
JAVA_LIBRARY: Final[dict[str, tuple[str, ...]]] = {
    "http": (
        "java.net.http/jdk.internal.net.http.HttpClientImpl.send(HttpClientImpl.java:586)",
        "org.springframework.http.client.JdkClientHttpRequest.executeInternal(JdkClientHttpRequest.java:92)",
        "org.springframework.web.client.DefaultRestClient$DefaultRequestBodyUriSpec.exchangeInternal"
        "(DefaultRestClient.java:512)",
    ),
    "db": (
        "com.zaxxer.hikari.HikariDataSource.getConnection(HikariDataSource.java:128)",
        "org.springframework.jdbc.datasource.DataSourceUtils.fetchConnection(DataSourceUtils.java:160)",
        "org.springframework.jdbc.core.JdbcTemplate.execute(JdbcTemplate.java:653)",
    ),
    "": (),
}
JAVA_STATEMENT: Final = (
    "org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)",
    "org.springframework.jdbc.support.SQLErrorCodeSQLExceptionTranslator.doTranslate(SQLErrorCodeSQLExceptionTranslator.java:246)",
    "org.springframework.jdbc.core.JdbcTemplate.execute(JdbcTemplate.java:658)",
    "org.springframework.jdbc.core.JdbcTemplate.update(JdbcTemplate.java:972)",
)
"""Frames of a statement that the server refused: innermost first."""
JAVA_ENTRY: Final = (
    "java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)",
    "org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)",
    "org.apache.catalina.core.ApplicationFilterChain.internalDoFilter(ApplicationFilterChain.java:195)",
    "org.apache.tomcat.util.net.SocketProcessorBase.run(SocketProcessorBase.java:52)",
    "java.base/java.lang.Thread.run(Thread.java:1583)",
)
GO_LIBRARY: Final[dict[str, tuple[Frame, ...]]] = {
    "db": (
        Frame(
            "/go/pkg/mod/github.com/jackc/pgx/v5@v5.5.5/pgxpool/pool.go",
            "github.com/jackc/pgx/v5/pgxpool.(*Pool).Query",
            629,
        ),
    ),
    "cache": (
        Frame(
            "/go/pkg/mod/github.com/redis/go-redis/v9@v9.5.1/redis.go",
            "github.com/redis/go-redis/v9.(*baseClient).process",
            372,
        ),
    ),
    "http": (Frame("/usr/local/go/src/net/http/client.go", "net/http.(*Client).Do", 590),),
    "": (),
}
NODE_LIBRARY: Final[dict[str, tuple[str, ...]]] = {
    "db": ("/app/node_modules/pg-pool/index.js:45:11",),
    "http": ("TCPConnectWrap.afterConnect [as oncomplete] (node:net:1595:16)",),
    "smtp": ("SMTPConnection._onError (/app/node_modules/nodemailer/lib/smtp-connection/index.js:790:20)",),
    "queue": ("Commander.sendCommand (/app/node_modules/@redis/client/dist/lib/client/index.js:532:11)",),
    "": (),
}


def library_of(place: str) -> str:
    """Which library a place calls into: `db`, `cache`, `http`, `queue`, `smtp`, or `` for none."""
    head = place.partition(".")[0]
    if "." not in place:
        return ""
    return head if head in ("db", "cache", "queue", "smtp") else "http"
