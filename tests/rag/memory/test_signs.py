"""What an incident shows: which signs are made of it, how they are weighed, and what its document tells."""

from __future__ import annotations

from dataclasses import replace

from core import severity as levels
from core.domain import AnomalyKind, Incident, Suspect
from core.findings import Finding
from core.redaction import Redactor
from core.testing import MemoryLog, record
from rag.memory.documents import document_of_findings, search_terms
from rag.memory.signs import SIGNS, Sign, signs, signs_of, written
from rag.suspects import rank


def _finding(words: str, service: str, *suspects: tuple[str, str, float]) -> Finding:
    """An incident of one new error, with suspects (fault type, component, score) of its service."""
    quiet = [record("all well", n + 1, seconds=n, service=service) for n in range(60)]
    trouble = [record(words, 61 + n, seconds=61 + n, service=service, severity=levels.ERROR) for n in range(3)]
    log = MemoryLog((*quiet, *trouble))
    incident = log.incident(61)
    made = rank(incident, log.detection(incident)).suspects[0]
    return Finding(incident, tuple(_suspect(made, service, *one) for one in suspects))


def _suspect(made: Suspect, service: str, fault: str, component: str, score: float) -> Suspect:
    cause = f"{fault.replace('_', ' ')} at {service}"
    return replace(made, fault_type=fault, service=service, component=component, score=score, cause=cause)


def _weights(told: list[Sign], kind: str) -> dict[tuple[str, str | None], float]:
    return {(sign.name, sign.service): round(sign.weight, 2) for sign in told if sign.kind == kind}


def _shown(incident: Incident) -> set[tuple[str, str | None]]:
    told = signs((), [(anomaly, 1.0) for anomaly in incident.anomalies])
    return {(sign.name, sign.service) for sign in told if sign.kind == "shown"}


def test_a_suspect_weighs_by_how_likely_it_is_next_to_the_best() -> None:
    sure = _finding(
        "write failed", "orders", ("disk_full", "volume/data", 0.98), ("slow_query", "table/orders", 0.0098)
    )
    close = _finding("write failed", "orders", ("disk_full", "volume/data", 0.50), ("slow_query", "table/orders", 0.32))
    assert _weights(signs(sure.suspects, ()), "fault") == {("disk_full", "orders"): 1.0, ("slow_query", "orders"): 0.1}
    assert _weights(signs(close.suspects, ()), "fault") == {("disk_full", "orders"): 1.0, ("slow_query", "orders"): 0.8}
    assert _weights(signs(close.suspects, ()), "in") == {("volume", None): 0.5, ("table", None): 0.4}


def test_where_what_was_seen_is_a_sign_that_needs_no_suspect() -> None:
    incident = _finding("write failed", "orders").incident
    assert _shown(incident) == {("new_template.error", "orders")}
    moved = tuple(replace(each, kind=AnomalyKind.NUMERIC_SHIFT, severity=levels.INFO) for each in incident.anomalies)
    assert _shown(replace(incident, anomalies=moved)) == {("numeric_shift.quiet", "orders")}


def test_the_label_is_read_as_it_was_written_and_passes_redaction() -> None:
    finding = _finding(
        "login of a user failed: token expired",
        "users",
        ("credential_expired", "auth/tokens.py", 0.9),
        ("bad_config", "configmap/users-config", 0.4),
    )
    document = document_of_findings("case", [finding])
    told = signs_of(document)
    assert written(told) == document.labels[SIGNS]
    assert Redactor().redact(document.labels[SIGNS]).text == document.labels[SIGNS]
    assert ("credential_expired", "users") in _weights(told, "fault")
    assert ("tokens.py", None) in _weights(told, "in")


def test_of_two_incidents_the_surer_cause_comes_first_and_both_are_found() -> None:
    doubtful = _finding("queries are slow", "postgres", ("slow_query", "table/orders", 0.2))
    sure = _finding("no space left on device", "orders", ("disk_full", "volume/data", 0.95))
    document = document_of_findings("case", [doubtful, sure])
    first, *_ = signs_of(document)
    assert (first.name, first.service) == ("disk_full", "orders")
    assert document.text.index("disk full at orders") < document.text.index("slow query at postgres")
    assert {"fault0diskfull0orders", "fault0slowquery0postgres"} <= set(search_terms(document).split())
    assert document.template_ids and set(document.template_ids) >= {
        anomaly.template_id for each in (doubtful, sure) for anomaly in each.incident.anomalies
    }


def test_suspects_that_are_all_but_ruled_out_are_not_told() -> None:
    finding = _finding("write failed", "orders", ("disk_full", "volume/data", 0.98), ("dns_failure", "", 0.01))
    document = document_of_findings("case", [finding])
    assert "disk full at orders" in document.text
    assert "dns failure" not in document.text
