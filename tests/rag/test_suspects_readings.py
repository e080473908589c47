"""Readings that need more than the words: where a program logs, whose log-in, which clock, loose lines of a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import severity as levels
from core.testing import MemoryLog, record
from rag.suspects import rank
from rag.suspects.instances import instance_of
from rag.suspects.logins import refused_user
from rag.suspects.names import SOURCE_FILE, named, outside
from rag.suspects.origin import program_of
from rag.suspects.proposal import table_of
from rag.suspects.reading import read
from tests.suspect_logs import ONSET, log_of, repeated, suspects


@pytest.mark.parametrize(
    ("text", "fault_type"),
    [
        ("lib/cache/lister.go:71: failed to list nodes: nodes is forbidden: user x", "permission_denied"),
        ("src/redis/pool.cc:18: failed", None),
        ("ERR in redis set: OOM command not allowed when used memory > 'maxmemory'.", "out_of_memory"),
        ("member is overloaded likely from slow disk", "dependency_slow"),
        ("insufficient free extents (3) in volume group vg0: 900 required", "disk_full"),
        ("Command: lvs\nExit code: 5\nStdout: ''\nStderr: ''", None),
        ("ERROR: Job failed: exit code 1", None),
        ("KeyError: 0", "code_defect"),
        ("errors: 0", None),
        ("Failed to pull image with policy x, trying the next", None),
        ("kinit: Clock skew too great while getting credentials", "clock_skew"),
        ("token used before issued", "clock_skew"),
        ("System clock wrong by 12.5 seconds", "clock_skew"),
        ("x509: certificate has expired or is not yet valid", "certificate_expired"),
        ("handshake failed: SSL alert number 45", "certificate_expired"),
        ("send refused: 429 Too Many Requests, the concurrency limit was exceeded", "rate_limited"),
        ("MenuCache entries=40812 evicted=0", None),
        ("the pod was evicted", "eviction"),
        ("npm error code EBADENGINE", "version_mismatch"),
        ("+odown master cache 10.9.8.7 6379 #quorum 2/3", "dependency_down"),
        ("ledgerd: error while loading shared libraries: libfoo.so.3: cannot open", "bad_deploy"),
    ],
)
def test_readings(text: str, fault_type: str | None) -> None:
    reading = read(text)
    assert (reading.fault_type if reading is not None else None) == fault_type


def test_a_source_file_is_no_host() -> None:
    for name in ("ledgerhandler.h", "store.hpp", "index.tsx", "init.lua"):
        assert SOURCE_FILE.search(name)


def test_a_product_is_the_instance_that_is_named() -> None:
    services = ("orders", "orders-mongodb", "users-mongodb")
    assert list(named("MongoDB: connection refused on 'orders-mongodb:27017'", services)) == ["orders-mongodb"]


def test_sqlstate_beside_the_words_of_mysql_is_mysql() -> None:
    text = "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded"
    assert list(named(text, ("mysql", "billing"))) == ["mysql"]


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("PLAIN login refused: user 'mailer' - invalid credentials", "mailer"),
        ("Could not find or verify user: images: Invalid username or password", "images"),
        ('password authentication failed for user "billing"', "billing"),
        ("login failed", None),
    ],
)
def test_the_user_of_a_refused_log_in(text: str, user: str | None) -> None:
    assert refused_user(text) == user


def test_refused_credentials_are_those_of_the_client() -> None:
    told = repeated("redis", "PLAIN login refused: user 'payment' - invalid credentials")
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("credential_expired", "payment")


def test_a_service_that_works_and_is_not_reached_is_cut_off() -> None:
    calls = repeated("checkout", "Failed to connect to users:9000: connection timed out", 8)
    alive = [(5.0 + 10.0 * n, "users", levels.INFO, f"handled request {n}") for n in range(8)]
    best = suspects(log_of(*calls, *alive))[0]
    assert (best.fault_type, best.service) == ("network_partition", "users")


def test_frames_that_are_records_of_their_own_belong_to_the_error_above() -> None:
    told = [
        (0.0, "users", levels.ERROR, "NoMethodError (undefined method `title' for nil:NilClass):"),
        (0.1, "users", levels.INFO, "app/models/badge.rb:9:in `label'"),
        (0.2, "users", levels.INFO, "app/controllers/badges_controller.rb:4:in `show'"),
    ]
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.component, best.function) == ("code_defect", "app/models/badge.rb", "label")


def test_an_error_without_words_is_no_part_of_another() -> None:
    told = repeated("users", "   ") + repeated("checkout", "payment refused the order: 500 Internal Server Error")
    assert all(suspect.service for suspect in suspects(log_of(*told)))


def test_a_caller_that_fails_on_a_product_means_its_own_instance() -> None:
    services = ("cart", "cart-db", "users", "users-db")
    assert instance_of("mongodb", "cart", services) == "cart-db"
    assert instance_of("mongodb", "gateway", services) == "mongodb"
    assert instance_of("redis", "cart", services) == "redis"


def test_the_time_service_is_behind_those_that_notice_the_wrong_clock() -> None:
    told = repeated("users", "Clock skew too great") + repeated("chronyd", "Can't synchronise: no selectable sources")
    best = suspects(log_of(*told))[0]
    assert (best.fault_type, best.service) == ("clock_skew", "chronyd")


def test_a_server_that_writes_into_a_numbered_file_is_named_by_its_loggers() -> None:
    assert program_of(record("x", 1), (), "etcdserver/v3_server.go:92") == "etcd"
    assert program_of(record("x", 1), (), "o.e.c.r.a.AllocationService") == "elasticsearch"
    assert program_of(record("x", 1), (), "TaskSetManager") == "spark"


def test_an_exception_is_no_host_and_a_lock_on_a_relation_names_no_table() -> None:
    assert list(outside("calls failed: java.net.connectexception: refused", ())) == []
    assert table_of("still waiting for ExclusiveLock on relation 1733 of database 9") is None
    assert table_of("canceling the autovacuum of relation orders") == "orders"


def test_a_structured_record_is_read_by_the_field_that_says_why() -> None:
    item = record("request_rejected", 1, seconds=ONSET, severity=levels.ERROR, service="users")
    item = replace(item, attributes={"reason": "too many open files", "path": "/login"})
    log = MemoryLog((record("up", 2, seconds=0.0, service="users"), item))
    incident = log.incident(ONSET)
    assert rank(incident, log.detection(incident)).suspects[0].fault_type == "file_descriptor_exhaustion"


@pytest.mark.parametrize(
    ("flags", "fault_type"), [("UF,URX", "dependency_down"), ("UT", "dependency_slow"), ("-", "dependency_down")]
)
def test_the_flags_of_a_proxy_say_more_than_the_status(flags: str, fault_type: str) -> None:
    line = f'"GET /items HTTP/2" 503 {flags} 0 91'
    log = log_of(*repeated("gateway", line, times=30))
    best = suspects(log)[0]
    assert best.fault_type == fault_type
    assert ("behind" in best.cause) == (flags != "-")
