"""Next steps: concrete, read-only first, and safe to paste although names come from logs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.domain import FAULT_TYPES, Evidence, Suspect, SuspectKind
from core.testing import MemoryLog
from rag.next_steps import MAX_STEPS, next_steps

INCIDENT = MemoryLog(()).incident(anomalies=[])
LINE = Evidence("app.log", 40, None, "x509: certificate has expired")
BASE = Suspect(SuspectKind.FIRST_NEW, 0.9, "it broke", "seen once", service="payment", evidence=(LINE,))
CHANGES = re.compile(r"\b(?:delete|undo|restart|scale|apply|edit|patch|drain|cordon|rm|truncate|drop)\b")


@pytest.mark.parametrize("fault_type", sorted(FAULT_TYPES))
def test_each_fault_has_steps_and_nothing_before_the_last_changes_anything(fault_type: str) -> None:
    steps = next_steps(INCIDENT, [replace(BASE, fault_type=fault_type)])
    assert 3 <= len(steps) <= MAX_STEPS
    assert not any(CHANGES.search(command) for step in steps[:-1] for command in re.findall(r"`([^`]*)`", step))
    assert not any("{" in step and "}" in step and "print" not in step for step in steps)


def test_names_are_filled_in() -> None:
    suspect = replace(
        BASE,
        fault_type="certificate_expired",
        cause="the SSL/TLS certificate expired: connecting to ledger.internal:8443 failed",
    )
    steps = next_steps(INCIDENT, [suspect])
    assert any("openssl s_client -connect ledger.internal:8443" in step for step in steps)
    assert any("sed -n '20,60p' app.log" in step for step in steps)


def test_a_pod_and_its_workload_are_named() -> None:
    suspect = replace(BASE, fault_type="crash_loop", component="pod/web-7d9f8bc5d4-x2k4j", service="web")
    steps = next_steps(INCIDENT, [suspect])
    assert any("kubectl logs web-7d9f8bc5d4-x2k4j --previous" in step for step in steps)


def test_the_remedy_comes_last_and_only_as_a_proposal() -> None:
    steps = next_steps(INCIDENT, [replace(BASE, kind=SuspectKind.CHANGE, fault_type="bad_deploy")])
    assert steps[-1] == "If confirmed, go back: `kubectl rollout undo deploy/payment`"
    assert not any("undo" in step for step in steps[:-1])


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(reboot)", "a`id`b", "a\nb", "a|b"])
def test_a_hostile_name_never_reaches_a_command(name: str) -> None:
    for fault_type in FAULT_TYPES:
        suspect = replace(BASE, fault_type=fault_type, service=name, component=f"pod/{name}", cause=f"x ({name}): y")
        for step in next_steps(INCIDENT, [suspect]):
            assert not any(name in command for command in re.findall(r"`([^`]*)`", step))


def test_without_a_suspect_there_is_still_something_to_do() -> None:
    assert next_steps(INCIDENT, []) == ('Ask further: `cali ask "what happened just before?"`',)
