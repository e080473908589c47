"""Causes that only several records give away together: whose process was killed, what stopped, who is waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from suspect_logs import ONSET, log_of, repeated, shift, suspects

from core import severity as levels
from core.domain import LogRecord, Suspect
from core.testing import MemoryLog, record
from rag.suspects import rank
from rag.suspects.names import named
from rag.suspects.objects import subject

KILL = "Memory cgroup out of memory: Killed process {} (java) total-vm:4190220kB, UID:1000 pgtables:904kB"


def test_a_kill_that_names_no_pod_is_that_of_the_container_that_starts_again() -> None:
    told = []
    for number in range(3):
        after = 50.0 * number
        told.append((after, "node-kernel", levels.INFO, KILL.format(4000 + number)))
        back = f"Warning BackOff pod/users-7d9f8bc5d4-x2k4j Back-off restarting failed container users, {number} times"
        told.append((after + 20, "kubernetes", levels.WARN, back))
    told += repeated("checkout", "GET http://users:8000/verify failed: connect ECONNREFUSED 10.0.4.4:8000", after=2)
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service, best.component) == ("out_of_memory", "users", "deployment/users")
    assert {entry.service for entry in best.evidence} >= {"node-kernel"}


def test_a_kill_in_a_control_group_is_that_of_the_pod_with_its_identifier() -> None:
    uid = "3f0c1d2e-77aa-4b1c-9d0e-aabbccddeeff"
    told = [
        (0.0, "node-kernel", levels.INFO, f"{KILL.format(77)} oom_memcg=/kubepods/burstable/pod{uid}"),
        (9.0, "kubernetes", levels.WARN, f"Warning Unhealthy pod/payment-7d9f8bc5d4-x2k4j probe failed, uid {uid}"),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("out_of_memory", "payment")


def test_a_field_with_its_value_is_no_host_and_a_dialled_name_is() -> None:
    assert list(named(KILL.format(1), ["users"])) == []
    assert list(named("pgtables:110 oom_score_adj:989 Anon:4400", ["users"])) == []
    assert list(named("dial tcp ledger:7070: i/o timeout", ["users"])) == ["ledger"]
    assert list(named("lost: order-feed:9094 (peer)", ["users"])) == ["order-feed"]


@pytest.mark.parametrize(
    ("line", "component", "service"),
    [
        ("alert=PodSlow state=firing namespace=shop pod=users-7d9f8bc5d4-x2k4j value=3", "deployment/users", "users"),
        ('labels: {alertname="HighLoad", deployment="payment"}', "deployment/payment", "payment"),
    ],
)
def test_an_alert_is_about_what_its_labels_name(line: str, component: str, service: str) -> None:
    found = subject(line)
    assert found is not None
    assert (found.component, found.service) == (component, service)


def test_what_a_monitor_reports_is_a_fault_of_the_service_that_it_names() -> None:
    alert = 'level=info alert=ThrottledCPU pod=users-7d9f8bc5d4-x2k4j msg="CPU throttling is high" value=91'
    best = suspects(log_of(*[(10.0 * n, "prometheus", levels.INFO, alert) for n in range(5)]))[0]
    assert (best.fault_type, best.service, best.component) == ("cpu_saturation", "users", "deployment/users")


GONE = "System.TimeoutException: cache lookup at redis:6379 timed out after 5000ms"


SIGTERM = "Received SIGTERM scheduling shutdown..."


def stopped(*more: tuple[float, str | None, int, str]) -> list[Suspect]:
    """Redis shuts down in an orderly way; its callers report what their client makes of it."""
    last = (-3.0, "redis", levels.INFO, SIGTERM)
    return list(
        suspects(
            log_of(last, *repeated("checkout", GONE), *repeated("users", GONE, after=4), *more), ("restart", SIGTERM)
        )
    )


def test_a_dependency_that_was_stopped_and_is_missed_is_down() -> None:
    best = stopped()[0]
    assert (best.fault_type, best.service) == ("dependency_down", "redis")
    assert "was stopped" in best.cause


def test_what_stopped_and_came_back_or_was_replaced_is_not_down() -> None:
    again = (200.0, "redis", levels.WARN, "failed clients were dropped, ready to accept connections tcp")
    assert all("was stopped" not in each.cause for each in stopped(again))
    rollout = (1.0, "kubernetes", levels.WARN, "Warning FailedScheduling pod/redis-0 0/3 nodes are available")
    assert all("was stopped" not in each.cause for each in stopped(rollout))


TRACE = """could not render the receipt
Traceback (most recent call last):
  File "/app/mailer/send.py", line 31, in send_receipt
    body = page.render(order=order)
  File "/usr/lib/python3/site-packages/jinja2/environment.py", line 1301, in render
    self.environment.handle_exception()
  File "templates/receipt.html", line 9, in top-level template code
    {{ order.total_gross }}
jinja2.exceptions.UndefinedError: 'Order object' has no attribute 'total_gross'"""


def test_an_exception_after_a_roll_out_stands_before_the_scaling_that_the_roll_out_is() -> None:
    scaled = "Scaled up replica set users-7d9f8bc5d4 to 1"
    told = [(-8.0, "kubernetes", levels.INFO, scaled), *repeated("users", TRACE)]
    found = suspects(log_of(*told), ("scale", scaled))
    assert (found[0].fault_type, found[0].service) == ("code_defect", "users")
    assert (found[0].component, found[0].function) == ("mailer/send.py", "send_receipt")


def test_a_program_that_listens_elsewhere_than_it_is_called() -> None:
    told = [
        (-9.0, "users", levels.INFO, "user service started, listening on 8010"),
        (5.0, "kubernetes", levels.WARN, 'Warning Unhealthy pod/users-7d9f8bc5d4-x2k4j Readiness probe failed: dial tcp'
         ' "10.2.0.4:8000": connect: connection refused'),
        *repeated("checkout", "cannot verify the user: dial tcp 10.96.4.4:8000: connect: connection refused"),
    ]  # fmt: skip
    best = suspects(log_of(*told), ("restart", told[0][3]))[0]
    assert (best.fault_type, best.service, best.component) == ("bad_config", "users", "deployment/users")
    fits = [(after, service, severity, text.replace("8010", "8000")) for after, service, severity, text in told]
    assert all("another port" not in each.cause for each in suspects(log_of(*fits), ("restart", fits[0][3])))


def test_slow_callers_point_at_whom_they_wait_for_in_vain() -> None:
    told = repeated("checkout", "price lookup: rpc to payment: context deadline exceeded", after=1)
    told += [(2.0 * n, "checkout", levels.INFO, f"request served, took_ms={4000 + n}") for n in range(20)]
    log = log_of(*told)
    served = next(item for item in log.records if item.body.startswith("request served"))
    best = suspects(log, anomalies=[shift(served, "took_ms", 20.0, 4000.0)])[0]
    assert (best.fault_type, best.service) == ("dependency_slow", "payment")


def ticking(until: float) -> list[tuple[float, str | None, int, str]]:
    """A job that runs every two minutes."""
    told: list[tuple[float, str | None, int, str]] = []
    for number in range(9):
        after = -580.0 + 120.0 * number
        if after <= until:
            told.append((after, "rate-import", levels.INFO, f"imported {number + 40} rates"))
    return told


def test_a_job_that_does_not_run_any_more_is_missing() -> None:
    odd = [(30.0 * n, "checkout", levels.WARN, "stale price shown") for n in range(16)]
    found = suspects(log_of(*ticking(until=0.0), *odd))
    assert ("heartbeat_missing", "rate-import") in {(each.fault_type, each.service) for each in found}
    found = suspects(log_of(*ticking(until=900.0), *odd))
    assert ("heartbeat_missing", "rate-import") not in {(each.fault_type, each.service) for each in found}


def test_a_message_that_other_services_always_told_is_no_news() -> None:
    def common(item: LogRecord) -> LogRecord:
        return replace(item, template_id=77) if "handshake" in item.body else item

    noise = "peer closed the handshake early: connection lost"
    told = [(-400.0, "users", levels.WARN, noise), (-200.0, "payment", levels.WARN, noise)]
    told += [(9.0, "checkout", levels.WARN, noise)]
    whole = log_of(*told, *repeated("redis", "Out of memory: kill"))
    log = MemoryLog(tuple(common(item) for item in whole.records))
    incident = log.incident(ONSET, anomalies=[])
    known = next(each for each in rank(incident, log.detection(incident)).suspects if each.service == "checkout")
    news = next(each for each in suspects(whole, anomalies=[]) if each.service == "checkout")
    assert known.score < news.score


def test_a_stale_connection_that_a_pool_drops_is_no_fault() -> None:
    text = "pool - Failed to validate connection Conn@1f (closed). Possibly consider using a shorter maxLifetime value."
    assert record(text, 1).body == text
    found = suspects(log_of((1.0, "users", levels.WARN, text), *repeated("payment", "disk quota exceeded")))
    assert found[0].service == "payment"
    assert all(each.fault_type != "dependency_down" for each in found)


NOISE = (
    (7.0, "payment", levels.ERROR, 'ERROR: duplicate key value violates unique constraint "receipts_pkey"'),
    (9.0, "users", levels.WARN, "login failed for user ann: bad password"),
    (30.0, "checkout", levels.WARN, "cache read timed out, retrying"),
)


def test_requests_that_fail_once_stand_behind_a_failure_that_lasts() -> None:
    lasting = repeated("checkout", "cannot sum the order: unknown currency ISK", after=20)
    alone = suspects(log_of(*NOISE))
    beside = suspects(log_of(*NOISE, *lasting))

    def score(found: tuple[Suspect, ...], fault_type: str) -> float:
        return next(each.score for each in found if each.fault_type == fault_type)

    for fault_type in ("constraint_violation", "credential_expired"):
        assert score(beside, fault_type) < score(alone, fault_type) / 2


def test_of_services_that_wait_for_one_another_the_last_is_named() -> None:
    told = [
        *repeated("payment", "call to ledger timed out after 10s"),
        *repeated("checkout", "call to payment timed out after 15s", after=2),
        *[(-300.0 + n, "ledger", levels.INFO, f"posted {n}") for n in range(3)],
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("dependency_slow", "ledger")


def test_a_service_and_its_database_that_share_a_bare_name_are_told_apart() -> None:
    services = ["basket", "basket-db", "users"]
    assert list(named("dial tcp basket-db:5432: connect: connection refused", services))[:1] == ["basket-db"]
    assert list(named("GET http://basket:8080/items: timed out", services)) == ["basket"]
    assert list(named("the basket service is down", services[::-1])) == ["basket"]


def test_a_database_that_tells_of_a_slow_query_names_its_clients_and_blames_none() -> None:
    query = 'Slow query: {"ns": "shop.users", "plan": "COLLSCAN", "millis": 8123}'
    best = suspects(log_of(*repeated("postgres", query), *repeated("checkout", "users: timeout of 5000ms exceeded")))[0]
    assert (best.fault_type, best.service) == ("slow_query", "postgres")


def test_a_client_does_not_become_the_origin_of_what_the_cache_tells_itself() -> None:
    refused = "OOM command not allowed when used memory > 'maxmemory'."
    found = suspects(log_of(*repeated("users", refused), *repeated("redis", f"# {refused}", after=1)))
    assert (found[0].fault_type, found[0].service) == ("out_of_memory", "redis")


def test_a_flag_is_where_it_is_read_and_not_where_it_is_stored() -> None:
    flag = 'feature flag "quick-pay" enabled for 100% of users'
    trace = """cannot charge
Traceback (most recent call last):
  File "/app/payment/charge.py", line 9, in charge
    return METHODS[kind]
KeyError: 'quick'"""
    log = log_of((-12.0, "flag-store", levels.INFO, flag), *repeated("payment", trace))
    best = suspects(log, ("config", flag))[0]
    assert (best.fault_type, best.service, best.function) == ("feature_flag", "payment", "charge")


def test_a_proxy_that_knows_the_stopped_one_by_address_alone_misses_it() -> None:
    refused = 'connect() failed (111: Connection refused) while connecting to upstream "http://10.1.2.3:8080/"'
    log = log_of((-3.0, "users", levels.INFO, SIGTERM), *repeated("checkout", refused))
    best = suspects(log, ("restart", SIGTERM))[0]
    assert (best.fault_type, best.service) == ("dependency_down", "users")


def test_refused_log_ins_in_great_numbers_are_guesses() -> None:
    text = "login rejected: wrong password for admin from 203.0.113.9"
    many = [(1.0 * n, "users", levels.WARN, text) for n in range(150)]
    assert suspects(log_of(*many))[0].fault_type == "brute_force"
    assert suspects(log_of(*many[:5]))[0].fault_type != "brute_force"


def test_what_a_deployment_tool_rolls_out_is_the_change_of_the_service_that_it_names() -> None:
    deploy = "deploying payment version 3.9.1 to production"
    trace = "TypeError: rows.flatMap is not a function\n    at total (/app/src/ledger/total.js:12:9)"
    told = [(-25.0, "deployer", levels.INFO, deploy), *repeated("payment", trace)]
    best = suspects(log_of(*told), ("deploy", deploy))[0]
    assert (best.fault_type, best.service, best.component) == ("bad_deploy", "payment", "src/ledger/total.js")


def test_a_flag_that_its_own_reader_tells_of_stays_with_it() -> None:
    flag = "flag bulk-prices switched on by ops"
    told = [(-9.0, "users", levels.INFO, flag), *repeated("users", "discount -3 out of range"), *NOISE]
    found = suspects(log_of(*told), ("config", flag))
    assert next(each.service for each in found if each.fault_type == "feature_flag") == "users"


def test_a_backlog_that_the_broker_counts_is_its_slow_consumers() -> None:
    told = repeated("redis", "queue mail.outgoing has 18022 messages ready, 1 consumer")
    told += repeated("users", "the consumer is slow: 1 message in 9.4 s", after=3)
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("queue_backlog", "users")
