"""CALI as a measured system: what it may look at, and how lines follow from anomalies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cali.evaluation import CaliSystem
from core.errors import InputError
from eval.system import CaseInput, PredictedIncident, System, TemplateSystem

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def case(tmp_path: Path) -> CaseInput:
    """An hour of requests; from minute 40 on the database of `users` refuses connections."""
    lines = []
    for second in range(0, 3600, 2):
        at = (START + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
        lines.append(f"{at} INFO users.api GET /users/{second} 200 in {second % 7} ms")
        if second >= 2400 and second % 10 == 0:
            lines.append(f"{at} ERROR users.db connection refused by 10.0.0.{second % 9}:5432")
    log = tmp_path / "users.log"
    log.write_text("\n".join(lines) + "\n")
    return CaseInput("a", (log,))


def detected(incidents: tuple[PredictedIncident, ...]) -> list[object]:
    return [(each.starts_at, each.ends_at, each.level, each.services) for each in incidents]


def test_it_is_a_system() -> None:
    assert isinstance(CaliSystem(), System) and isinstance(CaliSystem(), TemplateSystem)


def test_the_failing_lines_are_flagged_and_cited(case: CaseInput) -> None:
    found = CaliSystem().predict(case)
    lines = case.logs[0].read_text().splitlines()
    errors = {number for number, line in enumerate(lines, 1) if "ERROR" in line}
    assert set(found.anomalous_lines) == errors
    assert set(found.anomalous_lines) <= set(found.line_scores)
    assert len(found.incidents) == 1 and found.verdict != "no_incident"
    evidence = [each for suspect in found.incidents[0].suspects for each in suspect.evidence]
    assert evidence and all(lines[each.position - 1] == each.text for each in evidence)
    assert found.document is not None and "connection refused" in found.document.text
    assert found.report is not None and found.report.startswith("<!")


def test_the_symptom_never_reaches_detection_or_memory(case: CaseInput) -> None:
    plain = CaliSystem().predict(case)
    told = CaliSystem().predict(replace(case, symptom="zebra checkout answers HTTP 500 quagga"))
    assert detected(plain.incidents) == detected(told.incidents)
    assert plain.anomalous_lines == told.anomalous_lines
    assert plain.line_scores == told.line_scores
    assert told.document is not None and plain.document is not None
    assert "zebra" not in told.document.text and "quagga" not in repr(told.document)


def test_cases_are_independent_of_each_other(case: CaseInput, tmp_path: Path) -> None:
    other = tmp_path / "other.log"
    other.write_text("2026-03-02T10:00:00Z ERROR users.db connection refused by 10.0.0.1:5432\n" * 50)
    system = CaliSystem()
    first = system.predict(case)
    system.predict(CaseInput("b", (other,)))
    assert replace(system.predict(case), report=None) == replace(first, report=None)


def test_a_log_that_cannot_be_read_is_an_error_not_a_healthy_case(case: CaseInput, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        CaliSystem().predict(CaseInput("a", (*case.logs, tmp_path / "missing.log")))


def test_templates_of_bare_messages() -> None:
    found = CaliSystem().templates(["user 1 in", "user 2 in", "disk full", "user 33 in"])
    assert [text for _, text in found] == ["user <NUM> in", "user <NUM> in", "disk full", "user <NUM> in"]
    assert len({template_id for template_id, _ in found}) == 2


def test_where_no_incident_is_found_what_would_be_suspected_is_remembered(case: CaseInput) -> None:
    kept = [line for line in case.logs[0].read_text().splitlines() if "ERROR" not in line]
    kept.insert(1500, "2026-03-02T10:50:01Z WARN users.mail could not send receipt: connection reset by peer")
    case.logs[0].write_text("\n".join(kept) + "\n")
    found = CaliSystem().predict(case)
    assert found.incidents == () and found.document is not None
    assert "suspected: " in found.document.text and "connection reset by peer" in found.document.text
    assert found.document.services == ("users",)


def test_a_quiet_log_is_remembered_by_its_rarest_messages(tmp_path: Path) -> None:
    log = tmp_path / "quiet.log"
    lines = [f"2026-03-02T10:{n // 60:02}:{n % 60:02}Z INFO shop order {n} placed" for n in range(600)]
    lines.insert(300, "2026-03-02T10:05:00Z INFO shop catalogue imported from feed")
    log.write_text("\n".join(lines) + "\n")
    found = CaliSystem().predict(CaseInput("quiet", (log,)))
    assert found.incidents == () and found.document is not None
    assert "catalogue imported from feed" in found.document.text.splitlines()[0]
