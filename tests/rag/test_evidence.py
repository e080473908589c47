"""The evidence pack: inside its budget, every item cited, typed parameters, and no dearer for a longer log."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import severity as levels
from core.domain import Evidence, Incident
from core.findings import Detection
from core.redaction import Redactor
from core.testing import MemoryLog, change_event, record
from rag.evidence import collect, tokens
from rag.suspects import Ranking, rank

TRACE = """Charge failed
Traceback (most recent call last):
  File "/srv/payment/ledger/store.py", line 88, in append
    cursor.execute(sql)
psycopg2.errors.LockNotAvailable: canceling statement due to lock timeout"""


def scene(repeats: int = 3) -> tuple[Incident, Detection, Ranking]:
    quiet = [record("all well", n + 1, seconds=n, service="payment") for n in range(300)]
    change = record("deployed version 4.2.0", 301, seconds=301, service="payment")
    trouble = [
        record("Charge failed", 302 + 6 * n, seconds=310 + n, service="payment", severity=levels.ERROR, body=TRACE)
        for n in range(repeats)
    ]
    log = MemoryLog((*quiet, change, *trouble))
    incident = log.incident(305)
    detection = log.detection(incident, changes=[change_event("deploy", change)])
    anomalies = tuple(
        replace(item, template="Charge <*>", examples=rank(incident, detection).suspects[0].evidence)
        for item in incident.anomalies
    )
    incident = replace(incident, anomalies=anomalies)
    return incident, detection, rank(incident, detection)


def test_a_pack_holds_changes_templates_frames_and_lines_in_order() -> None:
    incident, detection, ranking = scene()
    pack = collect(incident, detection, ranking.suspects, 4_000)
    assert [item.id for item in pack.items] == [f"E{number}" for number in range(1, len(pack.items) + 1)]
    kinds = [item.kind for item in pack.items]
    assert set(kinds) == {"change", "template", "frame", "line"}
    assert kinds == sorted(kinds, key=["timeline", "change", "template", "frame", "line"].index)
    frame = next(item.text for item in pack.items if item.kind == "frame")
    assert "append (payment/ledger/store.py:88)" in frame
    assert pack.omitted == 0


def test_every_item_of_the_log_is_cited_and_resolves() -> None:
    incident, detection, ranking = scene()
    for item in collect(incident, detection, ranking.suspects, 4_000).items:
        assert item.citations or item.kind == "timeline"
        assert len(detection.reader.read(item.citations)) == len(set(item.citations))


def test_a_template_shows_the_values_of_its_parameters() -> None:
    incident, detection, ranking = scene()
    pack = collect(incident, detection, ranking.suspects, 4_000)
    template = next(item.text for item in pack.items if item.kind == "template")
    assert "Charge <*>" in template
    assert "<*> failed" in template


@pytest.mark.parametrize("secret", ["hunter", "1234", "correct-horse"])
def test_a_secret_is_no_parameter_once_records_are_masked(secret: str) -> None:
    """Alone, a short password is a word like any other: it is masked where its key stands beside it, before the cut."""
    quiet = [record("all well", n + 1, seconds=n, service="payment") for n in range(300)]
    body = f"login refused for batch password={secret} host=db-7"
    trouble = [record(body, 301 + n, seconds=310 + n, service="payment", severity=levels.ERROR) for n in range(3)]
    memory = MemoryLog((*quiet, *trouble))
    incident = memory.incident(305)
    anomalies = tuple(
        replace(
            item,
            template="login refused for batch password=<*> host=<*>",
            examples=tuple(Evidence(r.source, r.position, r.timestamp, r.line) for r in trouble),
        )
        for item in incident.anomalies
    )
    incident = replace(incident, anomalies=anomalies)
    pack = collect(incident, memory.detection(incident), (), 4_000, Redactor().mask)
    template = next(item.text for item in pack.items if item.kind == "template")
    assert "<*> <PASSWORD_1>" in template and "db-7" in template
    assert not any(secret in item.text for item in pack.items)


@pytest.mark.parametrize("budget", [0, 30, 120, 400, 4_000])
def test_a_pack_stays_inside_its_budget(budget: int) -> None:
    incident, detection, ranking = scene()
    pack = collect(incident, detection, ranking.suspects, budget)
    assert pack.tokens <= budget
    assert sum(tokens(item.text) for item in pack.items) <= budget
    assert pack.omitted + len(pack.items) >= 4


def test_a_longer_storm_costs_no_more() -> None:
    short, long = scene(3), scene(400)
    packs = [collect(incident, detection, ranking.suspects, 50_000) for incident, detection, ranking in (short, long)]
    assert packs[1].tokens <= packs[0].tokens * 1.2


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_tokens_are_an_upper_estimate_of_words(text: str) -> None:
    assert tokens(text) >= len(text.split()) / 3
