from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core.domain import FAULT_TYPES
from core.errors import ConfigError
from eval.simulator.faults.registry import FAULTS
from eval.simulator.labels import Case
from eval.simulator.scenario import Plan, generate, generate_case

NAMED = re.compile("|".join(sorted(FAULT_TYPES)))
SEVERE = re.compile(
    r"\bERROR\b|\bFATAL\b|\bCRITICAL\b|\"level\": ?\"(?:error|critical|fatal)\"|\"level\":[56]0\b|\[error\]"
)
SILENT = {"heartbeat_missing"}


def _service(line: str) -> str:
    match = re.search(r'"service": "([^"]+)"', line)
    assert match
    return match.group(1)


def _truth_is_sound(case: Case) -> None:
    for incident in case.incidents:
        assert case.window_start <= incident.starts_at <= incident.ends_at <= case.window_end + timedelta(seconds=1)
        assert incident.root_cause.fault_type in FAULT_TYPES
        assert incident.root_cause.service and incident.root_cause.component and incident.root_cause.text
        assert incident.symptom
    for file in (*case.logs, *case.baseline):
        assert all(1 <= number <= len(file.lines) for number in (*file.anomalous, *file.changes))
        assert sorted(set(file.anomalous)) == list(file.anomalous)
        assert not set(file.anomalous) & set(file.changes)
        assert all("\n" not in line for line in file.lines)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_leaves_traces_where_it_says_and_never_its_name(fault: str) -> None:
    case = generate_case(3, fault, lines=5000, case_id="sim-3-0042")
    _truth_is_sound(case)
    log = case.logs[0]
    if fault in SILENT:
        assert not log.anomalous and "silence" in case.traits
    else:
        assert log.anomalous
    (incident,) = case.incidents
    assert incident.root_cause.fault_type == fault
    assert case.window_start < incident.starts_at, "there is health before the fault"
    for line in log.lines:
        assert not NAMED.search(line), line
        assert "sim-3-0042" not in line
    if "no_error_line" in case.traits:
        assert [log.lines[n - 1] for n in log.anomalous if SEVERE.search(log.lines[n - 1])] == []


def test_all_categories_and_more_than_24_types_are_covered() -> None:
    assert len(FAULTS) >= 24
    assert {FAULT_TYPES[name] for name in FAULTS} == set(FAULT_TYPES.values())


@pytest.mark.parametrize("fault", ["bad_deploy", "connection_pool_exhaustion", "dependency_down", "out_of_memory"])
def test_wording_differs_from_seed_to_seed(fault: str) -> None:
    def shapes(seed: int) -> set[str]:
        log = generate_case(seed, fault, lines=5000).logs[0]
        return {re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", log.lines[n - 1]) for n in log.anomalous}

    seen = [shapes(seed) for seed in range(4)]
    assert all(a != b for i, a in enumerate(seen) for b in seen[:i])


def test_a_fault_spreads_to_the_callers() -> None:
    log = generate_case(5, "connection_pool_exhaustion", target="payment", lines=8000).logs[0]
    services = {_service(log.lines[n - 1]) for n in log.anomalous}
    assert {"payment", "checkout", "gateway/access"} <= services
    assert any('" 504 ' in log.lines[n - 1] or '\\" 504 ' in log.lines[n - 1] for n in log.anomalous)


def test_a_healthy_case_has_nothing_to_find() -> None:
    case = generate_case(4, None, lines=5000, baseline=True)
    _truth_is_sound(case)
    assert case.incidents == () and case.logs[0].anomalous == () and case.traits == ("healthy",)
    assert case.baseline and case.baseline[0].anomalous == ()


def test_the_baseline_is_healthy_and_earlier() -> None:
    case = generate_case(4, "bad_deploy", lines=5000, baseline=True)
    assert case.logs[0].anomalous and not case.baseline[0].anomalous
    assert case.baseline[0].lines[0][:40] < case.logs[0].lines[0][:40]


def test_two_faults_are_told_apart() -> None:
    plan = Plan("two", 9, (("rate_limited", "psp"), ("slow_query", "inventory")), lines=9000)
    case = generate(plan)
    _truth_is_sound(case)
    assert "two_faults" in case.traits
    assert [incident.root_cause.fault_type for incident in case.incidents] == ["rate_limited", "slow_query"]


def test_a_stream_has_separate_incidents_and_grey_time_after_each() -> None:
    faults = (("dependency_down", "redis"), ("bad_deploy", "payment"), ("probe_failure", "users"))
    case = generate(Plan("stream", 2, faults, lines=25_000, minutes=180, stream=True))
    _truth_is_sound(case)
    assert len(case.incidents) == len(case.grey) == 3
    for before, after in zip(case.incidents, case.incidents[1:], strict=False):
        assert after.starts_at - before.ends_at > timedelta(minutes=5)


@pytest.mark.parametrize("form", ["envelope", "files", "interleaved"])
def test_forms_hold_the_same_lines(form: str) -> None:
    plan = Plan("case", 8, (("disk_full", "postgres"),), lines=4000)
    count = sum(len(file.lines) for file in generate(plan).logs)
    other = generate(Plan("case", 8, (("disk_full", "postgres"),), lines=4000, form=form))  # type: ignore[arg-type]
    assert sum(len(file.lines) for file in other.logs) == count
    assert sum(len(file.anomalous) for file in other.logs) > 0
    assert (len(other.logs) > 5) == (form == "files")


def test_a_red_herring_is_no_change_of_the_faults() -> None:
    case = generate_case(6, "certificate_expired", lines=5000, red_herring=True)
    assert "red_herring" in case.traits
    assert case.logs[0].changes == (), "an expired certificate has no change behind it"


def test_unknown_faults_and_targets_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="bad_deploy"):
        generate_case(1, "no_such_fault")
    with pytest.raises(ConfigError, match="postgres, redis"):
        generate_case(1, "disk_full", target="payment")
