"""Baselines on small logs whose answers are plain."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.baseline_logs import in_window, read_lines
from eval.baselines import BASELINES
from eval.system import CaseInput, Prediction

LOG = """\
2026-03-02T10:00:00Z INFO [users] request 1 done
2026-03-02T10:00:01Z INFO [users] request 2 done
2026-03-02T10:00:02Z WARN [users] pool is nearly used up
2026-03-02T10:00:03Z ERROR [users] no connection left
    at pool.take
2026-03-02T10:30:00Z ERROR [users] no connection left
2026-03-02T10:30:01Z INFO [users] request 3 failed
"""


def judge(name: str, case: CaseInput) -> Prediction:
    return BASELINES[name]().predict(case)


@pytest.fixture
def case(tmp_path: Path) -> CaseInput:
    log = tmp_path / "users.log"
    log.write_text(LOG)
    return CaseInput("a", (log,), symptom="never looked at")


def test_keyword(case: CaseInput) -> None:
    found = judge("keyword", case)
    assert found.anomalous_lines == (4, 6, 7)
    assert [len(incident.suspects) for incident in found.incidents] == [1, 1]  # a gap of half an hour
    assert found.incidents[0].starts_at == datetime(2026, 3, 2, 10, 0, 3, tzinfo=UTC)
    evidence = found.incidents[0].suspects[0].evidence[0]
    assert (evidence.position, evidence.text) == (4, LOG.splitlines()[3])


def test_errors(case: CaseInput) -> None:
    assert judge("most_errors", case).anomalous_lines == (4, 6)
    assert judge("first_error", case).anomalous_lines == (4, 6)


def test_services_are_ranked(tmp_path: Path) -> None:
    rows = [("payment", "ERROR slow"), ("users", "ERROR full"), ("users", "ERROR full"), ("web/front", "INFO ok")]
    log = tmp_path / "all.jsonl"
    log.write_text(
        "".join(
            json.dumps({"timestamp": f"2026-03-02T10:00:0{i}Z", "service": service, "message": message}) + "\n"
            for i, (service, message) in enumerate(rows)
        )
    )
    case = CaseInput("a", (log,))
    assert [s.service for s in judge("most_errors", case).incidents[0].suspects] == ["users", "payment"]
    assert [s.service for s in judge("first_error", case).incidents[0].suspects] == ["payment", "users"]
    assert [line.service for line in read_lines(log, "UTC")][-1] == "web"


def test_rarest_template_against_a_baseline_log(case: CaseInput, tmp_path: Path) -> None:
    good = tmp_path / "good.log"
    good.write_text("2026-03-01T09:00:00Z INFO [users] request 77 done\n")
    found = judge("rarest_template", CaseInput("a", case.logs, (good,)))
    assert found.anomalous_lines == (3, 4, 5, 6, 7)
    assert judge("rarest_template", case).anomalous_lines == (3, 5, 7)  # the forms that come once


def test_sessions_with_a_rare_template(tmp_path: Path) -> None:
    log = tmp_path / "s.log"
    log.write_text("".join(f"begin {i}\nend {i}\n" for i in range(100)) + "lost block\n")
    sessions = {f"s{i}": (2 * i + 1, 2 * i + 2) for i in range(99)} | {"odd": (199, 201)}
    assert judge("rarest_template", CaseInput("a", (log,), sessions=sessions)).anomalous_sessions == ("odd",)


def test_only_the_window_is_judged(case: CaseInput) -> None:
    late = CaseInput("a", case.logs, window_start=datetime(2026, 3, 2, 10, 20, tzinfo=UTC))
    assert judge("keyword", late).anomalous_lines == (6, 7)
    lines = read_lines(case.logs[0], "UTC")
    assert [line.number for line in in_window(lines, None, datetime(2026, 3, 2, 10, 0, 2, tzinfo=UTC))] == [1, 2, 3]


def test_neighbours_flag_nothing_and_keep_distinct_lines(case: CaseInput) -> None:
    found = judge("tfidf", case)
    assert found.incidents == () and found.document is not None
    assert found.document.text.count("request 1 done") == 1 and "request 2 done" not in found.document.text


def test_factories_can_be_sent_to_a_worker() -> None:
    for factory in BASELINES.values():
        assert pickle.loads(pickle.dumps(factory))  # noqa: S301 - our own bytes
