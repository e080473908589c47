# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of trust: certificates, credentials, permissions, attackers."""

from __future__ import annotations

from datetime import timedelta

from eval.simulator import platform
from eval.simulator.faults.base import Fault, Planted, Setting, database_error
from eval.simulator.flow import Outcome, new_request
from eval.simulator.labels import RootCause
from eval.simulator.shop import STATEMENTS, USERS_OF
from eval.simulator.stores import log_postgres
from eval.simulator.traffic import answer


def certificate_expired(setting: Setting) -> Planted:
    """A certificate passes its last day: every new connection to its holder is refused by the client."""
    w, target = setting.world, setting.target
    ends = w.clock.at(setting.start - setting.rng.uniform(1, 5))
    java = ends.strftime("%Y-%m-%d %H:%M:%S")
    fields = {
        "not_after": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "now": (ends + timedelta(seconds=40)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    for caller in USERS_OF[target]:
        shown = {**fields, "not_after": f"{java} UTC"} if w.services[caller].runtime == "java" else fields
        setting.fail(
            f"edge:{caller}>{target}", setting.sometimes(1.0, setting.failure("tls_expired", 0.03, 502, shown))
        )
    if target in ("psp", "smtp"):
        owner = {"psp": "payment", "smtp": "worker"}[target]
        component, text = (
            f"external/{w.host(target)}",
            f"The certificate of {w.host(target)} has expired: {owner} refuses to talk to it",
        )
    else:
        owner, component = target, f"secret/{target}-tls"
        text = f"The certificate of {target} has expired: its callers refuse to talk to it"
        renew = f'Failed to renew certificate: acme: error 403 urn:ietf:params:acme:error:unauthorized, certificate "{target}-tls" not issued'
        setting.repeat(
            240,
            60,
            lambda t: platform.event(w, t, "Certificate", f"{target}-tls", "Failed", renew, True, setting.id),
            setting.start - 200,
        )
    return Planted(
        RootCause(owner, component, "certificate_expired", text),
        "Nobody can pay" if owner == "payment" else f"Calls to {owner} fail",
    )


def credential_expired(setting: Setting) -> Planted:
    """A password or key was changed (or ran out), and its user still has the old one."""
    w, service = setting.world, setting.target
    if service in ("payment", "worker") and setting.rng.random() < 0.6:
        target = {"payment": "psp", "worker": "smtp"}[service]
        if target == "psp":
            body = setting.choose(
                '{"code":"invalid_api_key","message":"This key is no longer active"}',
                '{"error":"unauthorized","detail":"key revoked"}',
            )
            fields: dict[str, object] = {
                "status": 401,
                "reason": "Unauthorized",
                "exception": "Unauthorized",
                "body": body,
            }
            component = f"secret/{service}-psp-key"
        else:
            fields = {
                "status": 535,
                "reason": setting.choose(
                    "Invalid login: 535 5.7.8 Authentication credentials invalid",
                    "535 5.7.3 Authentication unsuccessful",
                ),
            }
            component = f"secret/{service}-smtp"
        setting.fail(f"edge:{service}>{target}", setting.sometimes(1.0, setting.failure("answer", 0.06, 502, fields)))
        text = f"{w.host(target)} no longer accepts the key of {service}"
    else:
        reason = setting.choose(
            f'password authentication failed for user "{service}"', f'role "{service}" is not permitted to log in'
        )
        failure = setting.failure(
            "login_refused", 0.02, fields={"message": reason, "server": reason, "severity": "FATAL", "sqlstate": "28P01" if "password" in reason else "28000", "statement": False, **({"detail": f'Connection matched file "/var/lib/postgresql/data/pg_hba.conf" line {setting.rng.randrange(90, 130)}: "host all all all scram-sha-256"'} if "password" in reason else {})}
        )  # fmt: skip
        log_postgres(
            w,
            setting.start - 4,
            f"[{setting.rng.randrange(4000, 30000)}] vault@{w.style.database}",
            "LOG",
            f"statement: ALTER ROLE {service} {'PASSWORD' if 'password' in reason else 'NOLOGIN'}{' <REDACTED>' if 'password' in reason else ''}",
            setting.change,
        )
        begin = setting.start
        # Connections in the pool live on: the share of refused statements grows as they are replaced.
        setting.fail(
            f"edge:{service}>postgres",
            lambda t, tag: failure if w.rng.random() < min(1.0, 0.3 + (t - begin) / 200) else None,
        )
        component, text = (
            f"secret/{service}-db",
            f"The database password of {service} was changed; {service} still uses the old one",
        )
    symptom = {
        "payment": "Payments fail",
        "worker": "No confirmations go out",
        "checkout": "Orders fail",
        "users": "Nobody can log in",
        "inventory": "The catalogue is down",
    }[service]
    return Planted(RootCause(service, component, "credential_expired", text), symptom)


def permission_denied(setting: Setting) -> Planted:
    """A right was taken away: on a table, or on a folder."""
    w, service = setting.world, setting.target
    query, table = {
        "checkout": ("insert_order", "orders"),
        "payment": ("append_ledger", "ledger_entries"),
        "inventory": ("reserve_stock", "stock"),
        "worker": ("save_invoice", "invoices"),
        "users": ("find_account", "accounts"),
    }[service]
    if service == "worker" and setting.rng.random() < 0.5:
        folder = setting.choose("/var/spool/invoices", "/mnt/receipts")
        chain = (("Error", f"EACCES: permission denied, open '{folder}/tmp-{setting.rng.randrange(1000, 9999)}.pdf'"),)
        setting.fail(
            "op:worker.confirm_order",
            setting.sometimes(1.0, setting.failure("defect", places=("confirm_order", "render"), chain=chain)),
        )
        platform.reconfigure(w, setting.start - 3, "worker", "securityContext.runAsUser: 0 -> 1000", setting.change)
        return Planted(
            RootCause(
                "worker",
                "deployment/worker",
                "permission_denied",
                f"The worker may no longer write to {folder}: it runs as another user since its configuration changed",
            ),
            "No confirmations go out",
        )
    right = STATEMENTS[query].split()[0].upper()
    log_postgres(
        w,
        setting.start - 2,
        f"[{setting.rng.randrange(4000, 30000)}] dba@{w.style.database}",
        "LOG",
        f"statement: REVOKE {right} ON {table} FROM {service};",
        setting.change,
    )
    failure = database_error(setting, "InsufficientPrivilege", "42501", f"permission denied for table {table}")
    setting.fail(f"query:{query}", setting.sometimes(1.0, failure))
    text = f"{service} lost its right to {right} on {table}"
    symptom = {
        "payment": "Payments fail",
        "worker": "No invoices are written",
        "checkout": "Orders fail",
        "users": "Nobody can log in",
        "inventory": "Stock cannot be reserved, so orders fail",
    }[service]
    return Planted(RootCause(service, f"table/{table}", "permission_denied", text), symptom)


def brute_force(setting: Setting) -> Planted:
    """Somebody tries passwords, fast, from a few addresses; accounts get locked and real log-ins get slow."""
    w = setting.world
    rate = setting.rng.uniform(2.0, 6.0)
    sources = [
        f"{setting.choose(45, 92, 185, 193)}.{setting.rng.randrange(256)}.{setting.rng.randrange(256)}.{setting.rng.randrange(1, 255)}"
        for _ in range(setting.choose(2, 5, 12))
    ]
    agent = setting.choose("python-requests/2.31.0", "Go-http-client/1.1", "Mozilla/5.0 (Windows NT 6.1; WOW64)")
    event, text = w.style.pick(
        "users/wrong",
        (
            ("login_rejected", "Login rejected for customer {c}: wrong password"),
            ("bad_credentials", "Wrong password for customer {c}"),
        ),
    )
    locked_event, locked = w.style.pick(
        "users/locked",
        (
            ("account_locked", "Account {c} locked after {n} failed attempts"),
            ("too_many_attempts", "Customer {c}: {n} failed attempts, account locked"),
        ),
    )
    victims = [setting.rng.randrange(10_000, 99_999) for _ in range(setting.choose(3, 40, 400))]

    def attempt(t: float) -> None:
        client, customer = setting.rng.choice(sources), setting.rng.choice(victims)
        request = new_request(w, client)
        took = setting.rng.uniform(0.06, 0.4)
        w.say(
            t + took,
            "users",
            "warning",
            "users.auth",
            event,
            text.format(c=customer),
            {"customer": customer, "ip": client},
            request.id,
            cause=setting.id,
        )
        if setting.rng.random() < 0.04:
            number = setting.choose(5, 10)
            w.say(
                t + took,
                "users",
                "warning",
                "users.auth",
                locked_event,
                locked.format(c=customer, n=number),
                {"customer": customer, "attempts": number},
                request.id,
                cause=setting.id,
            )
        status = 401 if setting.rng.random() < 0.93 else setting.choose(429, 423)
        answer(w, request, "POST", "/api/login", "users", t, Outcome(t + took, status, setting.id), agent)

    setting.repeat(1 / rate, 0.9 / rate, attempt)
    if setting.rng.random() < 0.5:
        setting.slow("op:users.login", lambda t, tag: w.rng.uniform(0.2, 1.2))
    text_ = f"Somebody tries passwords against the log-in of users, about {rate:.0f} times a second from {len(sources)} addresses"
    return Planted(
        RootCause("users", "endpoint/api/login", "brute_force", text_),
        "Customers report locked accounts",
    )


FAULTS = (
    Fault(
        "certificate_expired",
        ("psp", "smtp", "payment", "users"),
        certificate_expired,
        "a certificate passes its last day",
    ),
    Fault(
        "credential_expired",
        ("payment", "worker", "checkout", "users", "inventory"),
        credential_expired,
        "a password or key no longer works",
    ),
    Fault(
        "permission_denied",
        ("checkout", "payment", "inventory", "worker", "users"),
        permission_denied,
        "a right was taken away",
    ),
    Fault("brute_force", ("users",), brute_force, "somebody tries passwords"),
)
