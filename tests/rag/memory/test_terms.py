"""Words of log texts, and the faults that they name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import FAULT_TYPES
from rag.memory.concepts import CONCEPTS, concepts
from rag.memory.terms import concept_term, terms


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        ("OOMKilled", "java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
        ("ENOSPC", "No space left on device", "disk_full"),
        (
            "HikariPool-1 - Connection is not available",
            "FATAL: sorry, too many clients already",
            "connection_pool_exhaustion",
        ),
        ("getaddrinfo ENOTFOUND db", "dial tcp: lookup db: no such host", "dns_failure"),
        ("x509: certificate has expired", "SSLHandshakeException: PKIX path", "certificate_expired"),
        ("ECONNREFUSED", "connect() failed (111: Connection refused)", "connection_refused"),
        ("Back-off restarting failed container", "CrashLoopBackOff", "crash_loop"),
        ("ErrImagePull", "manifest unknown", "image_pull_failure"),
        ("0/3 nodes are available: 3 Insufficient cpu", "FailedScheduling", "unschedulable"),
    ],
)
def test_one_fault_in_two_wordings_shares_a_word(one: str, other: str, fault: str) -> None:
    assert concept_term(fault) in set(terms(one)) & set(terms(other))


def test_every_fault_type_that_text_can_name_has_a_concept() -> None:
    assert set(FAULT_TYPES) <= set(CONCEPTS)


def test_inflections_class_names_and_codes_meet() -> None:
    assert set(terms("failed")) == set(terms("fails")) == set(terms("failing"))
    assert {"connect", "timeout"} <= set(terms("ConnectTimeout"))
    assert "503" in terms("status 503") and "503123" not in terms("id 503123")
    assert terms("<NUM> <*> <IP> the 7") == []
    assert set(terms("결제가")) & set(terms("결제는")) == {"결제"}


@given(st.text())
def test_any_text_has_words_without_spaces(text: str) -> None:
    assert all(word and not any(char.isspace() for char in word) for word in terms(text))
    assert all(count > 0 for count in concepts(text).values())


def test_the_longest_text_is_bounded() -> None:
    assert len(terms("word another " * 50_000)) == 4000
