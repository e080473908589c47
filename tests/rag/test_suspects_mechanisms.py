"""Faults that several records tell together, and which of two faults steps behind the other."""

from __future__ import annotations

from suspect_logs import ONSET, log_of, repeated, shift, suspects

from core import severity as levels
from core.domain import Anomaly
from core.testing import MemoryLog, record


def test_peers_that_fail_in_mixed_ways_point_at_the_network_of_the_service_between_them() -> None:
    told = [
        *repeated("users", "redis: read tcp 10.1.2.3:51234->redis:6379: connection reset by peer"),
        *repeated("users", "query on postgres:5432 failed: server closed the connection unexpectedly", after=3),
        *repeated("checkout", "GET http://users:8000/verify: The read operation timed out", after=5),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("packet_loss", "users")
    kernel = "Mar  2 10:10:00 ip-10-0-3-7 kernel: [8123.1] nf_conntrack: nf_conntrack: table full, dropping packet"
    best = suspects(log_of(*told, (1.0, "kernel", levels.WARN, kernel)))[0]
    assert (best.fault_type, best.service, best.component) == ("packet_loss", "users", "node/ip-10-0-3-7")


def test_many_names_that_several_services_cannot_resolve_are_the_resolvers() -> None:
    told = [
        *repeated("checkout", "dial tcp: lookup payment.shop.svc.cluster.local: server misbehaving"),
        *repeated("payment", "java.net.UnknownHostException: api.acquirer.example.com", after=2),
        *repeated(
            "coredns", "[ERROR] plugin/errors: 2 users. A: read udp 10.0.0.9:4431->10.0.0.2:53: i/o timeout", after=1
        ),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service, best.component) == ("dns_failure", "coredns", "deployment/coredns")


def test_one_name_that_a_reconfigured_service_cannot_resolve_is_its_configuration() -> None:
    change = "configmap/users-config configured"
    told = [
        (-20.0, "argocd", levels.INFO, change),
        *repeated("users", "Error -2 connecting to redis-old.shop.svc:6379. Name or service not known."),
    ]
    best = suspects(log_of(*told), ("config", change))[0]
    assert (best.fault_type, best.service, best.component) == ("bad_config", "users", "configmap/users-config")


def test_a_callee_that_runs_and_refuses_since_it_was_configured_listens_elsewhere() -> None:
    change = "configmap/users-config configured"
    told = [
        (-20.0, "argocd", levels.INFO, change),
        (-5.0, "users", levels.INFO, "Uvicorn running on http://0.0.0.0:8010 (Press CTRL+C to quit)"),
        *repeated("checkout", "GET http://users:8000/verify failed: connect ECONNREFUSED 10.0.4.4:8000"),
    ]
    best = suspects(log_of(*told), ("config", change))[0]
    assert (best.fault_type, best.service, best.component) == ("connection_refused", "users", "configmap/users-config")


def test_a_roll_out_steps_behind_the_mechanism_that_it_brought() -> None:
    deploy = "deployed version 4.2.0"
    pool = "HikariPool-1 - Connection is not available, request timed out after 30000ms"
    told = [(-20.0, "payment", levels.INFO, deploy), *repeated("payment", pool)]
    found = suspects(log_of(*told), ("deploy", deploy))
    assert found[0].fault_type == "connection_pool_exhaustion"
    assert "bad_deploy" in {each.fault_type for each in found}


def oom(after: float) -> tuple[float, str | None, int, str]:
    text = "Warning OOMKilling pod/users-7d9f8bc5d4-x2k4j Memory cgroup out of memory: Killed process 4242 (python)"
    return (after, "kubernetes", levels.WARN, text)


def test_kills_that_come_after_a_while_each_are_a_leak() -> None:
    slow = suspects(log_of(*(oom(n * 600.0) for n in range(4))))[0]
    assert (slow.fault_type, slow.service, slow.component) == ("memory_leak", "users", "deployment/users")
    quick = suspects(log_of(*(oom(n * 40.0) for n in range(8))))[0]
    assert (quick.fault_type, quick.service) == ("out_of_memory", "users")


def slow_shop(*more: tuple[float, str | None, int, str]) -> tuple[MemoryLog, list[Anomaly]]:
    told = [
        entry
        for n in range(30)
        for entry in (
            (5.0 * n, "payment", levels.INFO, f"charge via https://api.acquirer.example.com took {3000 + n} ms"),
            (5.0 * n + 1, "checkout", levels.INFO, f"order placed in {3100 + n} ms"),
        )
    ]
    log = log_of(*told, *more)
    after = [item for item in log.records if item.timestamp and item.timestamp >= log.incident(ONSET).starts_at]  # type: ignore[operator]
    deep = next(item for item in after if item.service == "payment" and "charge" in item.body)
    outer = next(item for item in after if item.service == "checkout" and "placed" in item.body)
    return log, [shift(outer, "placed in _ ms", 320, 3115), shift(deep, "took", 270, 3015)]


def test_of_services_that_grew_slow_the_deepest_waits_for_what_is_outside() -> None:
    log, anomalies = slow_shop()
    best = suspects(log, anomalies=anomalies)[0]
    assert (best.fault_type, best.service) == ("dependency_slow", "payment")
    assert best.component == "external/api.acquirer.example.com"


def test_a_slow_service_whose_probes_time_out_is_starved() -> None:
    text = (
        'Warning Unhealthy pod/payment-7d9f8bc5d4-x2k4j Liveness probe failed: Get "/health": context deadline exceeded'
    )
    log, anomalies = slow_shop(*((20.0 * n, "kubernetes", levels.WARN, text) for n in range(5)))
    best = suspects(log, anomalies=anomalies)[0]
    assert (best.fault_type, best.service, best.component) == ("cpu_saturation", "payment", "deployment/payment")


def test_a_program_that_crashes_at_every_start_is_a_crash_loop_with_the_place_where_it_stops() -> None:
    trace = (
        "cannot start\nTraceback (most recent call last):\n"
        '  File "/srv/payment/settings.py", line 12, in load_settings\n    json.loads(text)\n'
        "ValueError: invalid literal for int() with base 10: 'x'"
    )
    loop = "Warning BackOff pod/payment-7d9f8bc5d4-x2k4j Back-off restarting failed container payment CrashLoopBackOff"
    quiet = log_of(*((20.0 * n + 5, "kubernetes", levels.WARN, loop) for n in range(4))).records
    told = [
        record(
            "cannot start",
            len(quiet) + n,
            seconds=ONSET + 20.0 * n,
            service="payment",
            severity=levels.ERROR,
            body=trace,
        )
        for n in range(1, 5)
    ]
    best = suspects(MemoryLog((*quiet, *told)))[0]
    assert (best.fault_type, best.component, best.function) == ("crash_loop", "deployment/payment", "load_settings")


def test_the_cache_comes_before_its_clients_and_the_node_before_its_pods() -> None:
    told = [
        *repeated(
            "users", "redis.exceptions.BusyLoadingError: LOADING Redis is loading the dataset in memory (redis:6379)"
        ),
        *repeated("redis", "Readiness probe failed: LOADING Redis is loading the dataset in memory", after=1),
    ]
    assert suspects(log_of(*told))[0].service == "redis"
    lost = [
        *repeated("kubernetes", "Warning NodeNotReady pod/users-7d9f8bc5d4-x2k4j Node is not ready"),
        *repeated(
            "kubernetes", "Normal NodeNotReady node/ip-10-0-3-7 Node ip-10-0-3-7 status is now: NodeNotReady", after=1
        ),
    ]
    best = suspects(log_of(*lost))[0]
    assert (best.fault_type, best.component) == ("node_not_ready", "node/ip-10-0-3-7")


def test_a_probe_that_fails_once_and_a_mistyped_password_are_everyday() -> None:
    probe = (
        'Warning Unhealthy pod/users-7d9f8bc5d4-x2k4j Readiness probe failed: Get "/health": context deadline exceeded'
    )
    told = [
        (1.0, "kubernetes", levels.WARN, probe),
        (2.0, "users", levels.WARN, "Wrong password for customer 4711"),
        *repeated("payment", "charge failed: upstream answered late, gave up", after=3),
    ]
    assert suspects(log_of(*told))[0].service == "payment"
    flood = [(n * 0.5, "users", levels.WARN, f"Wrong password for customer {n}") for n in range(400)]
    assert suspects(log_of(*flood))[0].fault_type == "brute_force"


def test_an_outside_host_is_not_the_service_that_its_first_label_names() -> None:
    host = "https://users.directory.example.com/v1/people"
    told = repeated("checkout", f"GET {host}: connect: connection refused")
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("dependency_down", "checkout")
    assert best.component == "external/users.directory.example.com"


def test_a_required_column_that_a_migration_just_made_is_the_migrations() -> None:
    migration = 'Migrating schema "public" to version "42 - add channel to orders"'
    failed = 'ERROR: null value in column "channel" of relation "orders" violates not-null constraint'
    told = [(-20.0, "migrate", levels.INFO, migration), *repeated("checkout", failed)]
    best = suspects(log_of(*told), ("migration", migration))[0]
    assert (best.fault_type, best.service, best.component) == ("schema_migration", "checkout", "table/orders")
    assert suspects(log_of(*repeated("checkout", failed)))[0].fault_type == "constraint_violation"


def test_evictions_that_began_a_little_before_the_incident_explain_it() -> None:
    text = "Warning Evicted pod/payment-7d9f8bc5d4-x2k4j The node was low on resource: memory."
    told = [(-300.0 + 60 * n, "kubernetes", levels.WARN, text) for n in range(8)]
    quiet = [(-3000.0 + 5 * n, "payment", levels.INFO, f"handled request {n}") for n in range(500)]
    refused = repeated("checkout", "GET http://payment:8080/charge: connect: connection refused", after=2)
    best = suspects(log_of(*quiet, *told, *refused))[0]
    assert (best.fault_type, best.service) == ("eviction", "payment")
