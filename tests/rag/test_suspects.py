"""Causes ranked from small logs: each mechanism, what is ruled out, and that evidence is quoted verbatim."""

from __future__ import annotations

from dataclasses import replace

from core import severity as levels
from core.domain import Anomaly, AnomalyKind, Category, LogRecord, SuspectKind
from core.testing import MemoryLog, change_event, record
from rag.suspects import rank
from rag.suspects.objects import subject

ONSET = 600.0


def shop(*trouble: LogRecord) -> tuple[LogRecord, ...]:
    """Ten quiet minutes of three services, then trouble."""
    lines = []
    for second in range(0, 600, 5):
        for service in ("checkout", "payment", "inventory"):
            lines.append(record(f"handled request {second}", len(lines) + 1, seconds=second, service=service))
    start = len(lines)
    return (*lines, *(place(item, start + number) for number, item in enumerate(trouble, 1)))


def place(item: LogRecord, position: int) -> LogRecord:
    from dataclasses import replace

    return replace(item, position=position)


def error(text: str, after: float, service: str, *, severity: int = levels.ERROR, body: str | None = None) -> LogRecord:
    return record(text, 0, seconds=ONSET + after, service=service, severity=severity, body=body)


TRACE = """Charge failed
Traceback (most recent call last):
  File "/srv/payment/api/charge.py", line 40, in charge
    ledger.append(entry)
  File "/srv/payment/ledger/store.py", line 88, in append
    row["total"]
TypeError: 'NoneType' object is not subscriptable"""


def test_the_first_new_failure_outranks_the_loudest() -> None:
    storm = [error(f"upstream error 50{n % 4} for /pay", 30 + n, "checkout") for n in range(200)]
    log = MemoryLog(shop(error("could not write checkpoint: No space left on device", 0, "payment"), *storm))
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.service, best.fault_type, best.category) == ("payment", "disk_full", Category.RESOURCE)


def test_the_deepest_own_frame_names_file_and_function() -> None:
    log = MemoryLog(shop(error("Charge failed", 0, "payment", body=TRACE)))
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.kind, best.fault_type) == (SuspectKind.FRAME, "code_defect")
    assert (best.service, best.component, best.function) == ("payment", "payment/ledger/store.py", "append")


def test_a_deploy_just_before_owns_the_defect_that_follows_it() -> None:
    deploy = error("deployed version 4.2.0", -20, "payment", severity=levels.INFO)
    log = MemoryLog(shop(deploy, *(error("Charge failed", n, "payment", body=TRACE) for n in range(5))))
    incident = log.incident(ONSET)
    change = change_event("deploy", log.records[-6])
    best = rank(incident, log.detection(incident, changes=[change])).suspects[0]
    assert (best.kind, best.fault_type, best.service) == (SuspectKind.CHANGE, "bad_deploy", "payment")
    assert (best.component, best.function) == ("payment/ledger/store.py", "append")
    assert "20 s before the onset" in best.why


def test_a_change_of_a_service_without_trouble_is_ruled_out() -> None:
    restart = error("deployed version 9.9.9", -30, "inventory", severity=levels.INFO)
    log = MemoryLog(shop(restart, *(error("Charge failed", n, "payment", body=TRACE) for n in range(5))))
    incident = log.incident(ONSET)
    ranking = rank(incident, log.detection(incident, changes=[change_event("deploy", log.records[-6])]))
    assert ranking.suspects[0].service == "payment"
    assert any("inventory shows no trouble" in each.why for each in ranking.ruled_out)


def test_noise_that_was_always_there_is_ruled_out_with_its_counts() -> None:
    noise = [
        record(
            "retrying 3 after connection refused",
            1_000 + n,
            seconds=5.0 * n,
            service="inventory",
            severity=levels.ERROR,
        )
        for n in range(140)
    ]
    quiet = shop()
    log = MemoryLog((*quiet, *noise, error("No space left on device", 50, "payment")))
    incident = log.incident(ONSET)
    ranking = rank(incident, log.detection(incident))
    assert ranking.suspects[0].fault_type == "disk_full"
    (told,) = [each.why for each in ranking.ruled_out if "present from the start" in each.why]
    assert told == "present from the start: 120 before, 20 during"


def test_a_service_that_others_blame_and_that_says_nothing_is_suspected() -> None:
    callers = [
        error("POST http://inventory:8080/reserve: connect: connection refused", n, service)
        for n, service in enumerate(["checkout", "payment"] * 6)
    ]
    log = MemoryLog(shop(*callers))
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.kind, best.service, best.fault_type) == (SuspectKind.PROPAGATION, "inventory", "dependency_down")


def test_what_is_not_in_the_logs_is_an_external_thing_of_its_one_caller() -> None:
    log = MemoryLog(shop(*(error("dial tcp: psp.example.com:443: connection refused", n, "payment") for n in range(6))))
    incident = log.incident(ONSET)
    found = [each for each in rank(incident, log.detection(incident)).suspects if each.service == "payment"]
    assert "external/psp.example.com" in {each.component for each in found}


def test_exhaustion_names_the_limit() -> None:
    text = "QueuePool limit of size 20 overflow 0 reached, connection timed out"
    log = MemoryLog(shop(*(error(text, n, "payment") for n in range(3))))
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.kind, best.fault_type) == (SuspectKind.EXHAUSTION, "connection_pool_exhaustion")
    assert "limit 20" in best.cause


def test_what_stopped_is_a_suspect() -> None:
    log = MemoryLog(shop(error("handled request 1", 5, "checkout", severity=levels.INFO)))
    stopped = Anomaly(
        AnomalyKind.MISSING_TEMPLATE, 1, "settlement run <NUM> finished", "payment", levels.INFO, 0, 12, 0.9, 1e-6,
        "expected 12, saw none", 0, None, log.records[-2].timestamp,
    )  # fmt: skip
    incident = log.incident(ONSET, anomalies=[stopped])
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.kind, best.service, best.fault_type) == (SuspectKind.SILENCE, "payment", "heartbeat_missing")


def test_the_symptom_steers_the_order_only() -> None:
    both = [error("No space left on device", 1, "inventory"), error("certificate has expired", 1, "payment")]
    log = MemoryLog(shop(*both))
    incident = log.incident(ONSET)
    detection = log.detection(incident)
    plain = rank(incident, detection).suspects
    steered = rank(incident, detection, symptom="inventory cannot save anything").suspects
    assert steered[0].service == "inventory"
    assert {each.fault_type for each in plain} == {each.fault_type for each in steered}


def test_evidence_is_quoted_verbatim_and_resolves() -> None:
    log = MemoryLog(shop(error("Charge failed", 0, "payment", body=TRACE), error("timed out", 9, "checkout")))
    incident = log.incident(ONSET)
    for suspect in rank(incident, log.detection(incident)).suspects:
        for entry in suspect.evidence:
            assert log.read([entry.citation])[entry.citation].line == entry.text


def test_scores_are_ordered_and_inside_the_unit_interval() -> None:
    log = MemoryLog(shop(*(error(f"failure {n} of kind {chr(97 + n)}", n, "payment") for n in range(20))))
    incident = log.incident(ONSET)
    scores = [each.score for each in rank(incident, log.detection(incident), limit=5).suspects]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) <= 5
    assert all(0.0 < value < 1.0 for value in scores)


def test_an_incident_without_clues_has_no_suspects() -> None:
    log = MemoryLog(shop())
    incident = log.incident(ONSET, anomalies=[])
    assert rank(incident, log.detection(incident)).suspects == ()


def test_a_logger_named_after_its_module_gives_the_file() -> None:
    text = "Lock wait timeout exceeded"
    item = record(
        text,
        0,
        seconds=ONSET,
        service="nova/nova-compute",
        severity=levels.ERROR,
        attributes={"logger": "nova.compute.manager"},
    )
    log = MemoryLog(shop(item))
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.service, best.component) == ("nova", "nova/compute/manager.py")


def test_a_library_that_shares_its_domain_with_the_program_is_not_its_own_code() -> None:
    trace = (
        "ledger failed\njava.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available\n"
        "\tat com.zaxxer.hikari.HikariDataSource.getConnection(HikariDataSource.java:128)\n"
        "\tat com.shop.payment.ledger.Ledger.append(Ledger.java:67)"
    )
    failed = replace(error("ledger failed", 0, "payment", body=trace), attributes={"logger": "com.shop.payment.Api"})
    log = MemoryLog(shop(failed))
    incident = log.incident(ONSET)
    found = rank(incident, log.detection(incident)).suspects
    assert any((item.component, item.function) == ("com/shop/payment/ledger/Ledger.java", "append") for item in found)
    assert not any("zaxxer" in (item.component or "") for item in found)


def test_an_event_wrapped_in_json_is_about_its_object() -> None:
    line = r'{"message": "\"Event occurred\" object=\"shop/users-6d4f8c7b9d-x2k4j\" kind=\"Pod\" reason=\"Evicted\""}'
    assert subject(line) == ("deployment/users", "users")
