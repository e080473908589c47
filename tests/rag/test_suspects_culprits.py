"""Who did it, where others suffer: the holder of a lock, the pod that filled a node, the migration of a table."""

from __future__ import annotations

from suspect_logs import ONSET, log_of, repeated, suspects

from core import severity as levels
from core.testing import MemoryLog, record
from rag.suspects.ranking import rank

WAITS = 'canceling statement due to lock timeout while inserting into relation "ledger"'


def test_the_holder_of_a_lock_is_behind_those_that_wait_for_it() -> None:
    told = [
        (-3.0, "checkout", levels.INFO, "monthly close: LOCK TABLE ledger IN EXCLUSIVE MODE, recomputing 812345 rows"),
        *repeated("postgres", WAITS),
        *repeated("payment", f"charge failed: {WAITS}", after=2),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service, best.component) == ("lock_contention", "checkout", "table/ledger")
    assert "payment" in best.cause


def test_work_on_another_table_holds_no_lock_that_is_waited_for() -> None:
    told = [
        (-3.0, "checkout", levels.INFO, "LOCK TABLE sessions IN EXCLUSIVE MODE acquired"),
        *repeated("postgres", WAITS),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("lock_contention", "postgres")


def test_a_session_that_a_monitor_names_as_the_longest_is_the_holder() -> None:
    told = [
        *repeated("payment", WAITS),
        *[(5.0 + 30 * n, "db-watch", levels.WARN, f"longest transaction user=checkout age={n}") for n in range(5)],
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("lock_contention", "checkout")


def test_who_presents_a_certificate_is_behind_those_that_refuse_it() -> None:
    told = [
        *repeated("checkout", "call failed: x509: certificate has expired or is not yet valid", times=20),
        (9.0, "users", levels.WARN, "http: TLS handshake error from 10.4.6.1:461: remote error: tls: bad certificate"),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("certificate_expired", "users")


def test_the_first_pod_that_the_kubelet_means_to_evict_took_the_node() -> None:
    ranked = '"Eviction manager: pods ranked for eviction" pods=["x/export-29187-x7k2p", "x/web-7d9f8bc5d4-x2k4j"]'
    told = [(30.0 * n, "kubelet", levels.WARN, ranked) for n in range(4)]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("eviction", "export-29187")


def _evicted(pod: str, used: str) -> str:
    return (
        f"Warning Evicted pod/{pod} The node was low on resource: ephemeral-storage. "
        f"Container main was using {used}, request is 0"
    )


def test_the_pod_that_filled_the_node_comes_before_those_that_were_evicted_with_it() -> None:
    told = [
        *repeated("kubernetes", _evicted("web-7d9f8bc5d4-x2k4j", "21012Ki"), times=3),
        *repeated("kubernetes", _evicted("report-6c9f8bc5d4-b7n2m", "38361056Ki"), times=1, after=40),
    ]
    found = [each for each in suspects(log_of(*told)) if each.fault_type == "eviction"]
    assert found[0].service == "report"


def test_a_migration_is_behind_the_failures_of_those_that_read_the_table() -> None:
    change = "ALTER TABLE public.orders RENAME COLUMN tier TO level"
    told = [
        (-20.0, "users", levels.INFO, change),
        *repeated("checkout", 'Cannot ALTER TABLE "public"."orders" to add missing field tier'),
    ]
    best = suspects(log_of(*told), ("migration", change))[0]
    assert (best.fault_type, best.service, best.component) == ("schema_migration", "users", "table/orders")


def test_a_killed_process_is_its_containers_pod() -> None:
    told = [
        (0.0, "kernel", levels.WARN, "Memory cgroup out of memory: Killed process 171 (aggregator) anon-rss:99kB"),
        (1.0, "kubelet", levels.WARN, "Back-off restarting failed container aggregator in pod sums-6f7d8c9b5-x2k4j_x"),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("out_of_memory", "sums")


def test_work_of_several_steps_is_no_schedule() -> None:
    steps = [(-200.0 + 60.0 * n, "deployer", levels.INFO, "next host is done") for n in range(4)]
    told = [*steps, *repeated("checkout", "request failed: 500", times=60)]
    assert not any(each.fault_type == "heartbeat_missing" for each in suspects(log_of(*told)))


def test_a_server_in_a_numbered_file_is_named_by_the_frames_of_its_traces() -> None:
    trace = (
        "Exiting: could not read the commit log\norg.apache.cassandra.db.commitlog.ReadError: damaged\n"
        "\tat org.apache.cassandra.db.commitlog.Reader.read(Reader.java:9)\n"
    )
    log = MemoryLog(
        (
            record("up", 1, seconds=0.0, service="case", source="case-11.log"),
            record(trace, 2, seconds=ONSET, severity=levels.ERROR, service="case", source="case-11.log"),
            record("cannot go on", 6, seconds=ONSET + 1, severity=levels.ERROR, service="case", source="case-11.log"),
        )
    )
    incident = log.incident(ONSET)
    assert {each.service for each in rank(incident, log.detection(incident)).suspects} == {"cassandra"}
