"""The component of a fault is what one mends: a node, a secret, a table, an outside host; not the file that told it."""

from __future__ import annotations

import pytest

from core import severity as levels
from core.domain import LogRecord
from core.testing import MemoryLog, change_event, record
from rag.suspects import rank
from rag.suspects.access import access_of
from rag.suspects.names import outside

ONSET = 600.0
SERVICES = ("checkout", "payment", "inventory", "postgres")
CLUSTER = "Normal Scheduled pod/checkout-7d9f8bc5d4-x2k4j Successfully assigned shop/checkout-7d9f8bc5d4-x2k4j"


def cluster(*trouble: LogRecord) -> MemoryLog:
    """Ten quiet minutes of services that Kubernetes runs, then trouble, each record repeated."""
    lines = [record(CLUSTER, 1, seconds=0, service="kubernetes")]
    for second in range(0, 600, 5):
        lines += [
            record(f"handled request {second}", len(lines) + 1 + number, seconds=second, service=service)
            for number, service in enumerate(SERVICES)
        ]
    for item in trouble:
        lines.append(
            record(
                item.line,
                len(lines) + 1,
                seconds=(item.timestamp.minute * 60 + item.timestamp.second) if item.timestamp else None,
                service=item.service,
                severity=item.severity,
                body=item.body,
                attributes=item.attributes,
            )
        )
    return MemoryLog(tuple(lines))


def failing(text: str, service: str, after: float = 0, **extra: str) -> LogRecord:
    return record(text, 0, seconds=ONSET + after, service=service, severity=levels.ERROR, attributes=extra)


def first(log: MemoryLog, *changes: LogRecord) -> tuple[str | None, str | None, str | None]:
    incident = log.incident(ONSET)
    told = [change_event("config", next(r for r in log.records if r.line == item.line)) for item in changes]
    best = rank(incident, log.detection(incident, changes=told)).suspects[0]
    return best.fault_type, best.service, best.component


@pytest.mark.parametrize(
    ("text", "service", "expected"),
    [
        (
            "OperationalError: FATAL: password authentication failed for user app_user (postgres:5432)",
            "payment",
            ("credential_expired", "payment", "deployment/payment"),
        ),
        (
            'POST "https://api.acquirer.example.com/v2/charges": x509: certificate has expired or is not yet valid',
            "payment",
            ("certificate_expired", "payment", "external/api.acquirer.example.com"),
        ),
        (
            "HTTP 429 Too Many Requests from https://hooks.partner.io/v1/events, retry-after 30",
            "checkout",
            ("rate_limited", "checkout", "external/hooks.partner.io"),
        ),
        (
            'ERROR: insert or update on table "orders" violates foreign key constraint "orders_customer_fk"',
            "checkout",
            ("constraint_violation", "checkout", "table/orders"),
        ),
        (
            "socket: too many open files",
            "inventory",
            ("file_descriptor_exhaustion", "inventory", "deployment/inventory"),
        ),
        (
            'secrets is forbidden: User "system:serviceaccount:shop:reader" cannot list resource "secrets"',
            "checkout",
            ("permission_denied", "checkout", "serviceaccount/reader"),
        ),
        (
            'PANIC: could not write to file "pg_wal/xlogtemp.44": No space left on device',
            "postgres",
            ("disk_full", "postgres", "statefulset/postgres"),
        ),
    ],
)
def test_the_component_is_what_the_mechanism_concerns(
    text: str, service: str, expected: tuple[str | None, str | None, str | None]
) -> None:
    assert first(cluster(*(failing(text, service, n) for n in range(3)))) == expected


def test_a_peer_that_only_a_field_names_is_the_external_component() -> None:
    fields = {"upstream": "smtp.relay.example.net", "error": "connect ECONNREFUSED 203.0.113.9:587"}
    log = cluster(*(failing("connect ECONNREFUSED 203.0.113.9:587", "checkout", n, **fields) for n in range(3)))
    incident = log.incident(ONSET)
    found = {(each.service, each.component) for each in rank(incident, log.detection(incident)).suspects}
    assert ("checkout", "external/smtp.relay.example.net") in found


def test_a_pool_that_a_configuration_change_cut_is_mended_in_its_config_map() -> None:
    text = "HikariPool-1 - Connection is not available, request timed out after 30000ms"
    change = record("configmap/payment-config configured", 0, seconds=ONSET - 30, service="argocd")
    log = cluster(change, *(failing(text, "payment", n) for n in range(3)))
    assert first(log, change) == ("connection_pool_exhaustion", "payment", "configmap/payment-config")


def test_outside_hosts_are_full_names_of_peers_beyond_the_cluster() -> None:
    text = (
        "lookup payment.shop.svc.cluster.local; POST https://api.paylane.example/v1 via payment.shop:8080, "
        "smtp.mail.example:587 in checkout/clients/payment.py com.acme.payment.PspClient"
    )
    assert list(outside(text, {"payment"})) == ["api.paylane.example", "smtp.mail.example"]


def test_a_served_request_tells_path_status_and_agent() -> None:
    line = '10.0.0.9 - - [02/Mar/2026:10:00:00 +0000] "POST /api/login?next=/ HTTP/1.1" 401 83 "-" "curl/8.5.0"'
    assert access_of(line) == ("POST", "/api/login?next=/", 401, "curl/8.5.0")
    assert access_of("GET /healthz took 3 ms") is None


def test_a_proxied_request_names_no_peer() -> None:
    line = 'fe be/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- 1/1/0/0/0 0/0 "GET https://api.example.com/v1/pay HTTP/2.0"'
    served = access_of(line)
    assert served is not None and (served.method, served.status) == ("GET", 503)
    assert served.path == "https://api.example.com/v1/pay"
    assert access_of("fe be/web 0/0/1/25/93 -1 0 - - CD-- 1/1/1/1/0 0/0") is None
