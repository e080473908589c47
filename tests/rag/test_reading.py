"""What messages say: the lexicon reads the words of common software, and is not misled by harmless ones."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import FAULT_TYPES
from rag.suspects.lexicon import SIGNS
from rag.suspects.objects import subject
from rag.suspects.proposal import shorten
from rag.suspects.reading import read


@pytest.mark.parametrize(
    ("text", "fault_type", "what"),
    [
        ("Memory cgroup out of memory: Killed process 4242 (java)", "out_of_memory", None),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory", None),
        ("write /data/x: no space left on device", "disk_full", None),
        ("accept4: too many open files", "file_descriptor_exhaustion", None),
        (
            "HikariPool-1 - Connection is not available, request timed out after 30000ms",
            "connection_pool_exhaustion",
            None,
        ),
        ("All 200 request threads are busy", "thread_pool_exhaustion", None),
        ("Maximum number of threads (150) created for connector [8443]", "thread_pool_exhaustion", None),
        ("# Query_time: 8.2  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 900111", "slow_query", "8.2"),
        ("Connection to node 2 (kafka/10.0.0.4:9092) could not be established.", "dependency_down", None),
        ("SqlException: A network-related or instance-specific error occurred", "dependency_down", None),
        ("* Vault is sealed", "dependency_down", None),
        ("rpc error: code = Unimplemented desc = unknown service acme.Quotes", "version_mismatch", None),
        ("ProvisionedThroughputExceededException: slow your reads", "rate_limited", None),
        ("CircuitBreakingException: [parent] Data too large", "out_of_memory", None),
        ("could not parse the date of row 7", "bad_input", None),
        ("lookup payments.svc on 10.0.0.10:53: no such host", "dns_failure", "payments.svc"),
        ("getaddrinfo ENOTFOUND db.internal", "dns_failure", "db.internal"),
        ("dial tcp 10.0.0.3:5432: connect: connection refused", "connection_refused", None),
        ("connect: no route to host", "network_partition", None),
        ("ERROR: deadlock detected", "lock_contention", None),
        ("(1205, 'Lock wait timeout exceeded; try restarting transaction')", "lock_contention", None),
        ("canceling statement due to statement timeout", "slow_query", None),
        ("429 Too Many Requests", "rate_limited", None),
        ("Environment variable DEPLOY_ENV is undefined", "missing_env_var", "DEPLOY_ENV"),
        ("KeyError: 'STRIPE_API_KEY'", "missing_env_var", "STRIPE_API_KEY"),
        ("KeyError: 'customer_id'", "code_defect", None),
        ('column "discount" does not exist', "schema_migration", "discount"),
        ('exec: "wget2": executable file not found in $PATH', "bad_config", "wget2"),
        ('duplicate key value violates unique constraint "orders_pkey"', "constraint_violation", "orders_pkey"),
        ("x509: certificate has expired or is not yet valid", "certificate_expired", None),
        ('password authentication failed for user "shop"', "credential_expired", "shop"),
        ('pods is forbidden: User "x" cannot list resource "pods"', "permission_denied", None),
        ("Failed password for root from 1.2.3.4 port 22", "brute_force", None),
        ('Failed to pull image "shop/web:9": not found', "image_pull_failure", "shop/web:9"),
        ("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", "unschedulable", "nvidia.com/gpu"),
        ("Readiness probe failed: HTTP probe failed with statuscode: 404", "probe_failure", None),
        ("Back-off restarting failed container web in pod web-1", "crash_loop", None),
        ("Cannot read properties of undefined (reading 'id')", "code_defect", None),
        ("read tcp: i/o timeout", "dependency_slow", None),
    ],
)
def test_reads_the_words_of_common_software(text: str, fault_type: str, what: str | None) -> None:
    reading = read(text)
    assert reading is not None
    assert reading.fault_type == fault_type
    if what is not None:
        assert reading.what == what


@pytest.mark.parametrize(
    "text",
    [
        "scan finished: 0 errors, 0 warnings",
        "errors=0 timeouts=0 took 12 ms",
        "Memory pressure resolved, usage back to normal",
        "Successfully pulled image",
        "registered error handler for payments",
        "Total logs found before filtering: 0. No logs found",
        "GET /index.html in 429.3 ms",
        "handled request in 502.1 ms",
        "pool-1 - Failed to validate connection Conn@2 (closed). Possibly consider using a shorter maxLifetime value.",
    ],
)
def test_harmless_words_say_nothing(text: str) -> None:
    assert read(text) is None


def test_what_could_not_be_resolved_is_not_taken_for_resolved() -> None:
    reading = read("Could not resolve host: db.internal")
    assert reading is not None
    assert reading.what == "db.internal"
    assert read("the name could not be resolved: NXDOMAIN") is not None


def test_every_sign_names_a_known_fault_and_a_strength() -> None:
    for sign in SIGNS:
        assert sign.fault_type in FAULT_TYPES
        assert 0.0 < sign.strength <= 1.0
        assert sign.term


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    read(text)


def test_an_overlong_text_costs_a_bounded_time() -> None:
    started = time.perf_counter()
    for word in ("a", "connection ", "error: could not ", "x=1 ", "(", "lookup a.b.c ", "probe "):
        read(word * 100_000)
        subject(word * 100_000)
    assert time.perf_counter() - started < 10.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[31mERROR\x1b[0m pool exhausted", "ERROR pool exhausted"),
        ("[1;31mERROR[0m pool exhausted", "ERROR pool exhausted"),
        ("checkout [main] pool exhausted", "checkout [main] pool exhausted"),
        ("no answer in [5m] or [15min]", "no answer in [5m] or [15min]"),
    ],
)
def test_a_cause_loses_colours_and_no_words(text: str, told: str) -> None:
    assert shorten(text) == told
