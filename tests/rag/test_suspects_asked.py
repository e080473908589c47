"""Whose logs they are, where only the question says it."""

from __future__ import annotations

import pytest

from core import severity as levels
from core.testing import MemoryLog, record
from rag.suspects import rank
from rag.suspects.asked import workload_asked_for


@pytest.mark.parametrize(
    ("symptom", "workload"),
    [
        ('What is wrong with {"type": "pod", "name": "narwhal-6958c5bdd8-69gtn"}?', "narwhal"),
        ("Why does the customer-orders deployment answer late?", "customer-orders"),
        ("Show me the errors in the logs of my-app-51", "my-app-51"),
        ("KubePodCrashLooping\ninvoice-sender-757f89d977-795x7", "invoice-sender"),
        ("What is the issue with job transpiler-7?", "transpiler-7"),
        ("Log-in shows an error page", None),
        ("checkout is slow", None),
        (None, None),
    ],
)
def test_the_workload_that_a_question_names(symptom: str | None, workload: str | None) -> None:
    assert workload_asked_for(symptom) == workload


def told_by(source: str, service: str, symptom: str) -> str | None:
    text = "OperationalError: could not connect to server: Connection refused, is the server running on prod-db:5432?"
    lines = tuple(
        record(text, number, seconds=600.0 + number, service=service, severity=levels.ERROR, source=source)
        for number in range(1, 5)
    )
    log = MemoryLog(lines)
    incident = log.incident(600.0)
    return rank(incident, log.detection(incident), symptom=symptom).suspects[0].service


def test_the_question_names_the_service_of_a_file_that_is_only_numbered() -> None:
    symptom = "What is the issue with job report-builder?"
    assert told_by("logs/case-11.log", "case", symptom) == "report-builder"
    assert told_by("logs/payment.log", "payment", symptom) == "payment"
