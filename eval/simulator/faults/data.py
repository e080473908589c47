# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of data, and of code that meets data it was not made for."""

from __future__ import annotations

from eval.simulator.code import OWN
from eval.simulator.defects import DEFECTS
from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.faults.deploy_config import defect_failure
from eval.simulator.flow import Outcome, new_request, words
from eval.simulator.labels import RootCause
from eval.simulator.shop import OPERATIONS, Words
from eval.simulator.stores import log_postgres
from eval.simulator.traffic import answer, client_address


def code_defect(setting: Setting) -> Planted:
    """Old code meets a new kind of request (a currency, an article, an hour): those fail, the rest works."""
    service = setting.target
    defect = setting.choose(*DEFECTS[service])
    failure = defect_failure(setting, service, defect)
    if defect.op in ("place_order", "charge", "confirm_order") and setting.rng.random() < 0.6:
        currency = setting.choose("GBP", "USD")
        setting.fail(f"op:{service}.{defect.op}", lambda t, tag: failure if tag.endswith(currency) else None)
        which = f"orders in {currency}"
    else:
        digits = setting.choose("135", "579", "0248")
        setting.fail(
            f"op:{service}.{defect.op}", lambda t, tag: failure if tag.split("/")[2].endswith(tuple(digits)) else None
        )
        which = f"articles whose number ends in {' or '.join(digits)}" if defect.op != "login" else "some accounts"
    file, function = OWN[service][defect.places[-1]]
    text = f"{function} in {file} of {service} {defect.text}; {which} meet it since something new came in"
    symptom = {
        "checkout": "Some orders fail",
        "users": "Some customers cannot log in",
        "payment": "Some payments fail",
        "inventory": "Some product pages fail",
        "worker": "Some confirmations are missing",
    }
    return Planted(RootCause(service, file, "code_defect", text, function), symptom[service])


def constraint_violation(setting: Setting) -> Planted:
    """Rows that the tables do not admit: a sequence was set back, or the row they point at is gone."""
    w = setting.world
    service = setting.target
    query, table, constraint, key = {
        "checkout": ("insert_order", "orders", "orders_pkey", "id"),
        "payment": ("append_ledger", "ledger_entries", "ledger_entries_order_id_key", "order_id"),
        "worker": ("save_invoice", "invoices", "invoices_number_key", "number"),
    }[service]
    foreign = setting.rng.random() < 0.4
    if foreign:
        parent = {"orders": "customers", "ledger_entries": "orders", "invoices": "orders"}[table]
        failure = database_error(
            setting, "ForeignKeyViolation", "23503", f'insert or update on table "{table}" violates foreign key constraint "{table}_{parent}_fkey"',
            "IntegrityError", "dao.DataIntegrityViolationException", detail=f'Key ({parent[:-1]}_id)=({{customer}}) is not present in table "{parent}".',
        )  # fmt: skip
        log_postgres(
            w,
            setting.start - 3,
            f"[{setting.rng.randrange(4000, 30000)}] backoffice@{w.style.database}",
            "LOG",
            f"statement: DELETE FROM {parent} WHERE updated_at < '2021-01-01';",
            setting.change,
        )
        how = f"rows of {parent} were deleted that new rows of {table} refer to"
    else:
        failure = database_error(
            setting, "UniqueViolation", "23505", f'duplicate key value violates unique constraint "{constraint}"', "IntegrityError",
            "dao.DuplicateKeyException", detail=f"Key ({key})=({{order}}) already exists.",
        )  # fmt: skip
        log_postgres(
            w,
            setting.start - 3,
            f"[{setting.rng.randrange(4000, 30000)}] dba@{w.style.database}",
            "LOG",
            f"statement: SELECT setval('{table}_seq', {setting.rng.randrange(1, 9)}00000);",
            setting.change,
        )
        how = f"the sequence of {table} was set back, so new keys exist already"
    setting.fail(f"query:{query}", setting.sometimes(setting.choose(1.0, 0.8, 0.5), failure))
    text = f"{service} cannot insert into {table}: {how}"
    symptom = {
        "checkout": "Orders cannot be placed",
        "payment": "Payments are taken but fail",
        "worker": "No invoices are written",
    }[service]
    return Planted(RootCause(service, f"table/{table}", "constraint_violation", text), symptom)


def data_corruption(setting: Setting) -> Planted:
    """Pages of a table can no longer be read, or a load wrote nonsense into it."""
    w, table = setting.world, setting.target
    query = {"products": "search_products", "orders": "load_order", "accounts": "find_account"}[table]
    if table == "products" and setting.rng.random() < 0.4:
        return _nothing_found(setting)
    if setting.rng.random() < 0.6:
        number, block = setting.rng.randrange(16400, 18900), setting.rng.randrange(100, 99999)
        message = setting.choose(
            f"invalid page in block {block} of relation base/16384/{number}",
            f'could not read block {block} in file "base/16384/{number}": read only 0 of 8192 bytes',
            f"missing chunk number 0 for toast value {number * 3} in pg_toast_{number}",
        )
        failure = database_error(
            setting, "DataCorrupted", "XX001", message, "InternalError", "jdbc.UncategorizedSQLException"
        )
        setting.fail(f"query:{query}", setting.sometimes(setting.rng.uniform(0.3, 0.7), failure))
        if "invalid page" in message:
            setting.repeat(
                30,
                20,
                lambda t: log_postgres(
                    w,
                    t,
                    f"[{setting.rng.randrange(4000, 30000)}]",
                    "WARNING",
                    f"page verification failed, calculated checksum {setting.rng.randrange(1000, 65000)} but expected {setting.rng.randrange(1000, 65000)}",
                    setting.id,
                ),
            )
        text = f"Pages of {table} are damaged: statements that read them fail"
        return Planted(
            RootCause("postgres", f"table/{table}", "data_corruption", text), f"Some pages that need {table} fail"
        )
    columns = {"products": "price", "orders": "total", "accounts": "status"}
    job = "price-sync" if table == "products" else f"{table}-import"
    log_postgres(
        w,
        setting.start - 2,
        f"[{setting.rng.randrange(4000, 30000)}] {job.replace('-', '_')}@{w.style.database}",
        "LOG",
        f"duration: {setting.rng.uniform(2000, 9000):.3f} ms  statement: UPDATE {table} SET {columns[table]} = NULL WHERE source = 'feed'",
        setting.change,
    )
    service, op, chain = {
        "products": (
            "inventory",
            "product",
            (("panic", "runtime error: invalid memory address or nil pointer dereference"),),
        ),
        "orders": ("checkout", "order_status", (("decimal.InvalidOperation", "[<class 'decimal.ConversionSyntax'>]"),)),
        "accounts": ("users", "login", (("ValueError", "None is not a valid AccountStatus"),)),
    }[table]
    places = {
        "products": ("product", "pricing"),
        "orders": ("order_status", "pricing"),
        "accounts": ("login", "passwords"),
    }[table]
    if chain[0][0] == "panic":
        broken = setting.failure("panic", fields={"message": chain[0][1]}, places=places)
    else:
        broken = setting.failure("defect", places=places, chain=chain)
    share = setting.rng.uniform(0.3, 0.7)
    setting.fail(f"op:{service}.{op}", setting.sometimes(share, broken))
    text = f"A load wrote empty values into {table}; {service} cannot handle those rows"
    return Planted(
        RootCause("postgres", f"table/{table}", "data_corruption", text),
        f"Pages that need {table} fail for a part of the rows",
    )


def _nothing_found(setting: Setting) -> Planted:
    """The search index was rebuilt from an empty feed: searches succeed, and find nothing."""
    w = setting.world
    who = f"[{setting.rng.randrange(4000, 30000)}] price_sync@{w.style.database}"
    duration = setting.rng.uniform(2000, 9000)
    statement = "UPDATE products SET name = '' WHERE source = 'feed'"
    log_postgres(
        w, setting.start - 2, who, "LOG", f"duration: {duration:.3f} ms  statement: {statement}", setting.change
    )
    empty = setting.failure("silent", fields={"results": 0})
    setting.fail("result:inventory.search", setting.sometimes(setting.rng.uniform(0.8, 1.0), empty))
    text = "A load emptied the names of products: searches succeed but find nothing"
    root_cause = RootCause("postgres", "table/products", "data_corruption", text)
    return Planted(root_cause, "Search finds nothing any more")


_COMPLAINTS = {
    "checkout": (
        "cart_add",
        "POST",
        "/api/cart/{cart}/items",
        (
            "body.quantity: Input should be a valid integer, unable to parse string as an integer",
            "body.items.0.sku: String should match pattern '^SKU-\\d+$'",
        ),
    ),
    "users": (
        "login",
        "POST",
        "/api/login",
        (
            "email: value is not a valid email address: The email address is not valid",
            "body: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
    ),
    "inventory": (
        "search",
        "GET",
        "/api/products?q=%ff%fe",
        ("q: invalid UTF-8 in query parameter", "page: value out of range"),
    ),
}


def bad_input(setting: Setting) -> Planted:
    """A client (a new release, a partner) sends requests that the service refuses, many of them."""
    w, service = setting.world, setting.target
    op, method, path, complaints = _COMPLAINTS[service]
    reason = setting.choose(*complaints)
    client_name = setting.choose("ShopApp/4.13.0 (Android 14)", "partner-sync/2.1", "KioskTerminal/7.0.2")
    rate = setting.rng.uniform(0.5, 1.6)
    said = OPERATIONS[service, op].failed
    event, text = w.style.pick(
        f"invalid/{service}",
        (
            ("request_rejected", "Request rejected: {reason}"),
            ("validation_failed", "Validation failed, {reason}"),
            ("invalid_request", "Invalid request: {reason}"),
        ),
    )
    spoken = event if service != "inventory" else event.replace("_", " ")
    refusal = Words(said.logger, ((spoken, text),), ("reason",), "warning")
    s = w.services[service]

    def send(t: float) -> None:
        request = new_request(w, client_address(w))
        request.values["reason"] = reason
        words(w, s, refusal, request, t + 0.004, t, setting.id, level="warning", reason="")
        outcome = Outcome(t + 0.006, 422 if service != "inventory" else 400, setting.id)
        answer(w, request, method, path.format_map(request.values), service, t, outcome, client_name)

    setting.repeat(1 / rate, 0.9 / rate, send)
    text_ = f"{client_name.split()[0]} sends requests that {service} must refuse ({reason.split(':')[0]})"
    return Planted(
        RootCause(service, f"client/{client_name.split('/')[0]}", "bad_input", text_),
        f"Users of {client_name.split('/')[0]} report errors",
    )


FAULTS = (
    Fault(
        "code_defect",
        ("checkout", "users", "payment", "inventory", "worker"),
        code_defect,
        "old code meets a new kind of request",
    ),
    Fault(
        "constraint_violation",
        ("checkout", "payment", "worker"),
        constraint_violation,
        "rows that a table does not admit",
    ),
    Fault("data_corruption", ("products", "orders", "accounts"), data_corruption, "damaged pages or nonsense values"),
    Fault("bad_input", ("checkout", "users", "inventory"), bad_input, "a client sends what must be refused"),
)
