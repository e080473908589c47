"""Next steps: concrete, read-only first, and safe to paste although names come from logs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core import severity as levels
from core.domain import FAULT_TYPES, Evidence, Suspect, SuspectKind
from core.testing import MemoryLog, record
from rag.next_steps import MAX_STEPS, next_steps
from rag.surroundings import Platform, platform_of

INCIDENT = MemoryLog(()).incident(anomalies=[])
LINE = Evidence("app.log", 40, None, "x509: certificate has expired")
BASE = Suspect(SuspectKind.FIRST_NEW, 0.9, "it broke", "seen once", service="payment", evidence=(LINE,))
CHANGES = re.compile(r"\b(?:delete|undo|restart|scale|apply|edit|patch|drain|cordon|rm|truncate|drop)\b")


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("fault_type", sorted(FAULT_TYPES))
def test_each_fault_has_steps_and_nothing_before_the_last_changes_anything(fault_type: str, platform: Platform) -> None:
    steps = next_steps(INCIDENT, [replace(BASE, fault_type=fault_type)], platform)
    assert (2 if platform is Platform.BUILD else 3) <= len(steps) <= MAX_STEPS
    assert not any(CHANGES.search(command) for step in steps[:-1] for command in re.findall(r"`([^`]*)`", step))
    assert not any("{" in step and "}" in step and "print" not in step for step in steps)


def test_names_are_filled_in() -> None:
    suspect = replace(
        BASE,
        fault_type="certificate_expired",
        cause="the SSL/TLS certificate expired: connecting to ledger.internal:8443 failed",
    )
    steps = next_steps(INCIDENT, [suspect], Platform.KUBERNETES)
    assert any("openssl s_client -connect ledger.internal:8443" in step for step in steps)
    assert any("sed -n '20,60p' app.log" in step for step in steps)


def test_a_pod_and_its_workload_are_named() -> None:
    suspect = replace(BASE, fault_type="crash_loop", component="pod/web-7d9f8bc5d4-x2k4j", service="web")
    steps = next_steps(INCIDENT, [suspect], Platform.KUBERNETES)
    assert any("kubectl logs web-7d9f8bc5d4-x2k4j --previous" in step for step in steps)


def test_the_remedy_comes_last_and_only_as_a_proposal() -> None:
    steps = next_steps(INCIDENT, [replace(BASE, kind=SuspectKind.CHANGE, fault_type="bad_deploy")], Platform.KUBERNETES)
    assert steps[-1] == "If confirmed, go back: `kubectl rollout undo deploy/payment`"
    assert not any("undo" in step for step in steps[:-1])


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(reboot)", "a`id`b", "a\nb", "a|b"])
def test_a_hostile_name_never_reaches_a_command(name: str) -> None:
    for fault_type in FAULT_TYPES:
        suspect = replace(BASE, fault_type=fault_type, service=name, component=f"pod/{name}", cause=f"x ({name}): y")
        for step in next_steps(INCIDENT, [suspect], Platform.KUBERNETES):
            assert not any(name in command for command in re.findall(r"`([^`]*)`", step))


def test_without_a_suspect_there_is_still_something_to_do() -> None:
    assert next_steps(INCIDENT, [], Platform.KUBERNETES) == ('Ask further: `cali ask "what happened just before?"`',)


@pytest.mark.parametrize("platform", [Platform.HOST, Platform.MACHINE, Platform.BUILD])
@pytest.mark.parametrize("fault_type", sorted(FAULT_TYPES))
def test_no_command_of_kubernetes_where_none_runs(fault_type: str, platform: Platform) -> None:
    assert "kubectl" not in " ".join(next_steps(INCIDENT, [replace(BASE, fault_type=fault_type)], platform))


def test_the_commands_are_those_of_the_database_that_the_lines_name() -> None:
    def steps(text: str) -> str:
        line = replace(LINE, text=text)
        suspect = replace(BASE, fault_type="lock_contention", cause=text, evidence=(line,))
        return " ".join(next_steps(INCIDENT, [suspect], Platform.MACHINE))

    assert "innodb_lock_waits" in steps("InnoDB: Transaction was aborted due to a deadlock")
    assert "pg_blocking_pids" in steps("psycopg2.errors.DeadlockDetected: deadlock detected")
    assert "psql" not in steps("deadlock detected") and "mysql" not in steps("deadlock detected")


def test_a_table_is_named_and_no_word_of_ours() -> None:
    text = 'psycopg2.errors.UndefinedColumn: column "due" of relation "invoices" does not exist'
    cause = f"the database schema does not fit: a column or table does not exist (migration): {text}"
    line = replace(LINE, text=text)
    suspect = replace(BASE, fault_type="schema_migration", cause=cause, evidence=(line,))
    steps = " ".join(next_steps(INCIDENT, [suspect], Platform.MACHINE))
    assert "migration)" not in steps and "\\d invoices" in steps


def test_a_place_in_the_source_is_no_machine_to_reach() -> None:
    text = "remote_runtime.go:633] StopContainer failed, connection refused 10.30.3.11:2380"
    suspect = replace(BASE, fault_type="dependency_down", cause=text, evidence=(replace(LINE, text=text),))
    steps = " ".join(next_steps(INCIDENT, [suspect], Platform.MACHINE))
    assert "remote_runtime" not in steps and "nc -vz 10.30.3.11:2380" in steps


def test_an_unlikely_suspect_costs_no_step() -> None:
    unlikely = replace(BASE, score=0.01, fault_type="disk_full")
    steps = next_steps(INCIDENT, [replace(BASE, fault_type="slow_query"), unlikely], Platform.HOST)
    assert not any("df -h" in step for step in steps)


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("Normal Pulled pod/web-1 Successfully pulled image", Platform.KUBERNETES),
        ("##[error]Process completed with exit code 1.", Platform.BUILD),
        ("Nov 21 10:19:29 db-03 systemd[1]: mysql.service: Main process exited", Platform.HOST),
        ("2026-11-21 10:00:00,000 ERROR order failed", Platform.MACHINE),
    ],
)
def test_the_logs_tell_where_the_programs_run(text: str, platform: Platform) -> None:
    log = MemoryLog((record(text, 1, severity=levels.ERROR),))
    incident = log.incident()
    assert platform_of(incident, log.detection(incident)) is platform
