# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults that people ship: versions, settings, flags, migrations."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.crashes import crash_loop, crash_site
from eval.simulator.defects import DEFECTS, Defect
from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.labels import RootCause
from eval.simulator.world import Failure

_SERVICES = ("checkout", "users", "payment", "inventory", "worker")


def defect_failure(setting: Setting, service: str, defect: Defect) -> Failure:
    """The failure of a request that meets a mistake in a service's code."""
    if defect.chain[0][0] == "panic":
        return setting.failure("panic", fields={"message": defect.chain[0][1]}, places=defect.places)
    return setting.failure("defect", places=defect.places, chain=defect.chain)


def _defective(setting: Setting, defect: Defect, share: float, start: float) -> None:
    setting.fail(
        f"op:{setting.target}.{defect.op}",
        setting.sometimes(share, defect_failure(setting, setting.target, defect)),
        start,
    )


def _located(service: str, defect: Defect) -> tuple[str, str]:
    return OWN[service][defect.places[-1]]


def bad_deploy(setting: Setting) -> Planted:
    """A rolling update whose new version fails on an operation: its share grows with the rollout."""
    w, service = setting.world, setting.target
    defect = setting.choose(*DEFECTS[service])
    done = platform.rollout(w, setting.start, service, setting.change)
    share = setting.choose(1.0, 1.0, 0.6)
    middle = (setting.start + done) / 2
    _defective(setting, defect, share / 2, middle)
    _defective(setting, defect, share, done)
    file, function = _located(service, defect)
    text = f"The version of {service} just rolled out {defect.text} ({function} in {file})"
    return Planted(RootCause(service, file, "bad_deploy", text, function), _broken(setting, service))


def _broken(setting: Setting, service: str) -> str:
    told = {
        "checkout": ("Orders cannot be placed", "Checkout answers with errors"),
        "users": ("Customers cannot log in", "Log-in shows an error page"),
        "payment": ("Payments fail", "Customers see that their payment did not go through"),
        "inventory": ("Product pages fail to load", "Some product requests end in errors"),
        "worker": ("Customers get no order confirmation", "Confirmation mails are missing"),
    }
    return setting.choose(*told[service])


def bad_config(setting: Setting) -> Planted:
    """A setting with a wrong value: an address that is none, or a time-out far too small."""
    w, service = setting.world, setting.target
    target, key, timeout_key, usual = {
        "checkout": ("payment", "PAYMENT_URL", "PAYMENT_TIMEOUT_SECONDS", "8"),
        "payment": ("psp", "payment.psp.base-url", "payment.psp.read-timeout-ms", "10000"),
        "worker": ("smtp", "SMTP_HOST", "SMTP_TIMEOUT_MS", "10000"),
        "inventory": ("redis", "REDIS_ADDR", "REDIS_TIMEOUT_MS", "500"),
        "users": ("redis", "SESSION_STORE_URL", "SESSION_STORE_TIMEOUT_MS", "500"),
    }[service]
    site = f"edge:{service}>{target}"
    host = w.host(target)
    if setting.rng.random() < 0.5 or target == "redis":
        wrong = setting.choose(
            host.replace(".", "-stage.", 1), host.replace("a", "e", 1) + ".old", f"{target}-v2.{w.style.namespace}.svc"
        )
        done = platform.configure(w, setting.start, service, key, setting.change, host, wrong)
        setting.fail(site, setting.sometimes(1.0, setting.failure("dns", 0.02, 502, {"host": wrong})), done)
        text = f"The configuration of {service} was changed: {key} names the host {wrong}, which does not exist"
    else:
        small = setting.choose("0.05", "0.08") if usual == "8" else setting.choose("50", "80", "100")
        seconds = float(small) if usual == "8" else int(small) / 1000
        done = platform.configure(w, setting.start, service, timeout_key, setting.change, usual, small)
        setting.fail(site, setting.sometimes(0.97, setting.failure("timeout", seconds, 504)), done)
        key = timeout_key
        text = f"The configuration of {service} was changed: {timeout_key} is {small} instead of {usual}, so calls to {target} time out before they can answer"
    return Planted(RootCause(service, f"configmap/{service}-config", "bad_config", text), _broken(setting, service))


def missing_env_var(setting: Setting) -> Planted:
    """A new version needs a variable that nobody set: its pods crash at start, again and again."""
    w, service = setting.world, setting.target
    variable = setting.choose(
        *{
            "checkout": ("PRICING_SALT", "TAX_SERVICE_URL"),
            "users": ("TOKEN_ISSUER", "JWT_PUBLIC_KEY"),
            "payment": ("PSP_MERCHANT_ID", "LEDGER_SIGNING_KEY"),
            "inventory": ("WAREHOUSE_REGION", "STOCK_SHARD_COUNT"),
            "worker": ("MAIL_FROM", "INVOICE_BUCKET"),
        }[service]
    )
    options = {
        "python": (
            (("KeyError", f"'{variable}'"),),
            (
                (
                    "pydantic_core._pydantic_core.ValidationError",
                    f"1 validation error for Settings\n{variable}\n  Field required [type=missing, input_value={{}}, input_type=dict]",
                ),
            ),
        ),
        "java": (
            (
                (
                    "org.springframework.beans.factory.BeanCreationException",
                    "Error creating bean with name 'paymentProperties': Injection of autowired dependencies failed",
                ),
                (
                    "java.lang.IllegalArgumentException",
                    f"Could not resolve placeholder '{variable}' in value \"${{{variable}}}\"",
                ),
            ),
        ),
        "go": (
            _as_chain("config: required environment variable {v} is not set", variable),
            _as_chain("{v}: must not be empty", variable),
        ),
        "node": (
            (("Error", f"Missing required environment variable {variable}"),),
            (("TypeError", f"config: {variable} is undefined"),),
        ),
    }[w.services[service].runtime]
    crash_loop(setting, setting.choose(*options), "settings", new_version=True)
    component, function = crash_site(service)
    text = (
        f"The new version of {service} needs the environment variable {variable}, which is not set: it crashes at start"
    )
    return Planted(RootCause(service, component, "missing_env_var", text, function), _broken(setting, service))


def _as_chain(message: str, variable: str) -> tuple[tuple[str, str], ...]:
    return (("*errors.errorString", message.replace("{v}", variable)),)


def feature_flag(setting: Setting) -> Planted:
    """A flag is switched on for some customers, and its code path fails for them."""
    w, service = setting.world, setting.target
    defect = setting.choose(*DEFECTS[service])
    flag = setting.choose(
        "new-pricing-engine", "fast-path", "async-confirmation", "loyalty-discounts", "smart-allocation"
    )
    percent = setting.choose(25, 40, 50, 60)
    s = w.services[service]
    event, text = w.style.pick(
        "flag",
        (
            ("flag_changed", "Flag {flag} changed to {percent}%"),
            ("feature_updated", "Feature {flag} is now on for {percent}% of customers"),
        ),
    )
    logger = {"python": f"{service}.flags", "java": "config.FlagClient", "go": "config/flags.go:66", "node": ""}[
        s.runtime
    ]
    for index in range(2):
        w.at(
            setting.start + index * 0.8,
            lambda t, index=index: w.say(  # type: ignore[misc]
                t, service, "info", logger, event if s.runtime == "python" else event.replace("_", " "), text.format(flag=flag, percent=percent),
                {"flag": flag, "rollout": f"{percent}%"}, cause=setting.change, thread="flag-poller", pod=index,
            ),
        )  # fmt: skip
    failure = defect_failure(setting, service, defect)
    setting.fail(
        f"op:{service}.{defect.op}",
        lambda t, tag: failure if int(tag.split("/")[1][:4], 16) % 100 < percent else None,
        setting.start + 1,
    )
    file, function = _located(service, defect)
    told = f"The flag {flag} was switched on for {percent} % of the customers; its code in {service} {defect.text} ({function})"
    return Planted(
        RootCause(service, file, "feature_flag", told, function), f"{_broken(setting, service)} for some customers"
    )


_MIGRATIONS = {
    "checkout": ("orders", "insert_order", "load_order", "total", "total_cents"),
    "inventory": ("products", "search_products", "load_product", "rank", "search_rank"),
    "users": ("accounts", "find_account", "load_account", "status", "state"),
    "payment": ("ledger_entries", "append_ledger", "append_ledger", "authorization_code", "authorization_id"),
}


def schema_migration(setting: Setting) -> Planted:
    """A migration renames a column (or adds a mandatory one) that running code does not know."""
    w, service = setting.world, setting.target
    table, insert, select, column, renamed = _MIGRATIONS[service]
    job = f"{service}-migrate-{setting.rng.randrange(100, 999)}"
    t = setting.start
    revision = f"{setting.rng.getrandbits(48):012x}"
    platform.event(
        w,
        t,
        "Job",
        job,
        "SuccessfulCreate",
        f"Created pod: {job}-{setting.rng.getrandbits(20):05x}",
        cause=setting.change,
    )
    mandatory = setting.rng.random() < 0.4 and insert in ("insert_order", "append_ledger")
    added = setting.choose("channel", "tax_region")
    action = f"add {added} to {table}" if mandatory else f"rename {table}.{column} to {renamed}"
    tool = w.style.pick("migration/tool", ("alembic", "flyway"))
    if tool == "alembic":
        w.write(t + 3, "migrate", "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.", setting.change)
        w.write(
            t + 3.1,
            "migrate",
            f"INFO  [alembic.runtime.migration] Running upgrade {setting.rng.getrandbits(48):012x} -> {revision}, {action}",
            setting.change,
        )
    else:
        number = setting.rng.randrange(40, 200)
        w.write(
            t + 3,
            "migrate",
            f'{w.clock.dotted(t + 3)} INFO  o.f.core.internal.command.DbMigrate - Migrating schema "public" to version "{number} - {action}"',
            setting.change,
        )
        w.write(
            t + 3.6,
            "migrate",
            f'{w.clock.dotted(t + 3.6)} INFO  o.f.core.internal.command.DbMigrate - Successfully applied 1 migration to schema "public", now at version v{number} (execution time 00:00.512s)',
            setting.change,
        )
    platform.event(w, t + 6, "Job", job, "Completed", "Job completed", cause=setting.change)
    if mandatory:
        failure = database_error(
            setting, "NotNullViolation", "23502", f'null value in column "{added}" of relation "{table}" violates not-null constraint',
            "IntegrityError", "dao.DataIntegrityViolationException", detail="Failing row contains ({order}, {customer}, new, {amount}, {currency}, null).",
        )  # fmt: skip
        setting.fail(f"query:{insert}", setting.sometimes(1.0, failure), t + 4)
    else:
        failure = database_error(
            setting, "UndefinedColumn", "42703", f'column "{column}" of relation "{table}" does not exist' if insert in ("insert_order", "append_ledger") else f'column "{column}" does not exist',
            hint=f'Perhaps you meant to reference the column "{table}.{renamed}".', severity="ERROR",
        )  # fmt: skip
        for query in dict.fromkeys((insert, select)):
            setting.fail(f"query:{query}", setting.sometimes(1.0, failure), t + 4)
    text = f"A migration of {service} ({action}) ran while the running version still uses the old table {table}"
    return Planted(RootCause(service, f"table/{table}", "schema_migration", text), _broken(setting, service))


def version_mismatch(setting: Setting) -> Planted:
    """A service speaks a new version of its interface, and its caller still the old one."""
    w, service = setting.world, setting.target
    done = platform.rollout(w, setting.start, service, setting.change)
    field = {"payment": "authorization", "inventory": "reservation_id", "users": "customer_id"}[service]
    place = {"payment": "payment.charge", "inventory": "inventory.reserve", "users": "users.verify"}[service]
    chain = setting.choose(
        (("KeyError", f"'{field}'"),),
        (
            (
                "pydantic_core._pydantic_core.ValidationError",
                f"1 validation error for {service.capitalize()}Reply\n{field}\n  Field required [type=missing, input_value={{'id': 'x', 'version': 2}}, input_type=dict]",
            ),
        ),
        (("checkout.errors.UnexpectedReply", f"reply of {service} has no {field}; schema version 2, expected 1"),),
    )
    failure = setting.failure("defect", places=("place_order", place), chain=chain)
    setting.fail(f"reply:checkout>{service}", setting.sometimes(0.5, failure), (setting.start + done) / 2)
    setting.fail(f"reply:checkout>{service}", setting.sometimes(1.0, failure), done)
    text = f"The new version of {service} answers without {field}; checkout still expects the old format"
    return Planted(RootCause(service, f"deployment/{service}", "version_mismatch", text), _broken(setting, "checkout"))


FAULTS = (
    Fault("bad_deploy", _SERVICES, bad_deploy, "a new version fails on an operation"),
    Fault("bad_config", _SERVICES, bad_config, "a setting gets a wrong address or time-out"),
    Fault("missing_env_var", _SERVICES, missing_env_var, "a new version crashes at start for lack of a variable"),
    Fault("feature_flag", _SERVICES, feature_flag, "a flag opens a code path that fails"),
    Fault(
        "schema_migration",
        ("checkout", "inventory", "users", "payment"),
        schema_migration,
        "a migration takes away what running code uses",
    ),
    Fault(
        "version_mismatch",
        ("payment", "inventory", "users"),
        version_mismatch,
        "a service answers in a format its caller does not know",
    ),
)
