"""Runs in real worker processes: isolation, order, resumption, scores, what is written."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eval_systems import make_broken, make_scripted

from core.errors import InputError, PermanentError
from eval.datasets import load_dataset
from eval.predictions import read_predictions
from eval.publish import publish
from eval.results import missed_thresholds, read_scores
from eval.runner import Candidate, DatasetResult, Options, run
from eval.storage import RunFolder

WriteDataset = Callable[..., Path]
OPTIONS = Options(jobs=2, timeout=3.0, resamples=50)
SCRIPTED = Candidate("scripted", make_scripted, abilities=frozenset({"judge", "retrieve", "templates"}))
CAUSE = {"service": "users", "fault_type": "slow_query", "category": "dependency", "text": "a slow query"}


def case(case_id: str, **fields: Any) -> dict[str, Any]:
    return {"case_id": case_id, "logs": [f"logs/{case_id}.log"], **fields}


def judge(root: Path, output: Path, options: Options = OPTIONS, resume: bool = False) -> DatasetResult:
    dataset = load_dataset(root)
    folder = RunFolder(output)
    folder.open(["scripted"], [dataset], resume)
    results = run([SCRIPTED], [dataset], options, folder)
    publish(results, options, folder)
    return results[0]


@pytest.fixture
def mixed(write_dataset: WriteDataset) -> Path:
    """Right, quiet and every way to fail."""
    cases = [
        case("ok", is_incident=True, root_cause=CAUSE, anomalous_lines=[1]),
        case("quiet", is_incident=False),
        case("alarm", is_incident=False),
        case("raise", is_incident=True, root_cause=CAUSE, anomalous_lines=[1]),
        case("die", is_incident=False),
        case("hang", is_incident=True, root_cause=CAUSE),
        case("nonsense", is_incident=True, root_cause=CAUSE),
        case("lie", is_incident=True, root_cause=CAUSE),
    ]
    return write_dataset(cases, {f"logs/{each['case_id']}.log": f"{each['case_id']}\n" for each in cases})


def test_failures_are_isolated_listed_and_wrong(mixed: Path, tmp_path: Path) -> None:
    result = judge(mixed, tmp_path / "out")
    system = result.systems[0]
    errors = {key: outcome.error for key, outcome in system.outcomes.items() if outcome.error}
    assert list(errors) == ["raise", "die", "hang", "nonsense"]
    assert "RuntimeError: told to raise" in str(errors["raise"])
    assert errors["die"] == "the process ended with exit code 17"
    assert errors["hang"] == "no answer within 3 seconds"
    assert "not a Prediction" in str(errors["nonsense"])
    metrics = {name: each.value for name, each in system.metrics.items()}
    # 5 labelled causes, 2 of them right (`ok`, `lie`), 3 failed.
    assert metrics["service_accuracy@1"] == pytest.approx(2 / 5)
    assert metrics["fault_type_mrr"] == pytest.approx(2 / 5)
    # `quiet` is right, `alarm` raised a false alarm, `die` failed.
    assert metrics["healthy_accuracy"] == pytest.approx(1 / 3)
    assert metrics["line_f1_macro"] == pytest.approx(1 / 2)
    # `ok` and `alarm` quote their line, `lie` does not, four failures count as broken.
    assert metrics["citations_resolved"] == pytest.approx(2 / 7)
    assert metrics["failed"] == pytest.approx(4 / 8)
    assert metrics["window_precision"] == pytest.approx(2 / 4)
    assert metrics["window_recall"] == pytest.approx(2 / 5)


def test_the_folder_of_a_run(mixed: Path, tmp_path: Path) -> None:
    judge(mixed, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out/predictions.jsonl").read_text().splitlines()]
    assert [line["case_id"] for line in lines] == "ok quiet alarm raise die hang nonsense lie".split()  # noqa: SIM905
    assert list(lines[0]) == [
        "case_id",
        "seconds",
        "verdict",
        "incidents",
        "anomalous_lines",
        "line_scores",
        "anomalous_sessions",
        "similar",
        "error",
    ]
    incident = lines[0]["incidents"][0]
    assert list(incident) == ["starts_at", "ends_at", "level", "services", "suspects"]
    assert incident["ends_at"] == "2026-03-02T10:30:00.000Z"
    assert list(incident["suspects"][0]) == [
        "rank",
        "score",
        "service",
        "component",
        "function",
        "fault_type",
        "category",
        "cause",
        "evidence",
    ]
    # Sources are named as the case names them: the file means the same on another machine.
    assert incident["suspects"][0]["evidence"] == [{"source": "logs/ok.log", "position": 1, "text": "ok"}]
    assert lines[0]["line_scores"] == {"1": 0.9}
    # Cases that failed left no document to be found by.
    assert {each["case_id"] for each in lines[0]["similar"]} == {"quiet", "alarm", "lie"}
    again = read_predictions(tmp_path / "out/predictions.jsonl")
    assert [outcome.case_id for outcome in again] == [line["case_id"] for line in lines]
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert metrics["schema"] == "cali.eval/1"
    failed = metrics["datasets"][0]["results"][0]["failed"]
    assert [each["case_id"] for each in failed] == ["raise", "die", "hang", "nonsense"]
    html = (tmp_path / "out/report.html").read_text()
    markdown = (tmp_path / "out/report.md").read_text()
    for text in (html, markdown):
        assert "reports/small/lie.html" in text and "told to raise" in text
    assert "<svg" in html and "http" not in html.replace("http-equiv", "")
    assert (tmp_path / "out/reports/small/lie.html").exists()
    assert set(read_scores(tmp_path / "out")) == {"small"}


def test_an_unfinished_run_is_resumed(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    judge(mixed, out, Options(only=("quiet", "ok"), resamples=50))
    kept = json.loads((out / "cases/scripted/small/ok.json").read_text())
    kept["outcome"]["verdict"] = "kept"
    (out / "cases/scripted/small/ok.json").write_text(json.dumps(kept))
    resumed = judge(mixed, out, Options(only=("ok", "alarm"), resamples=50), resume=True)
    assert resumed.systems[0].outcomes["ok"].prediction.verdict == "kept"
    assert resumed.systems[0].outcomes["alarm"].prediction.verdict == "new_cause"
    fresh = judge(mixed, out, Options(only=("ok",), resamples=50))
    assert fresh.systems[0].outcomes["ok"].prediction.verdict == "new_cause"


def test_a_folder_of_something_else_is_left_alone(mixed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no evaluation"):
        judge(mixed, out)
    assert (out / "thesis.txt").read_text() == "mine"
    with pytest.raises(InputError, match="no case is named nobody"):
        judge(mixed, tmp_path / "other", Options(only=("nobody",)))


def test_a_system_that_cannot_start_stops_the_run(mixed: Path, tmp_path: Path) -> None:
    dataset = load_dataset(mixed)
    folder = RunFolder(tmp_path / "out")
    folder.open(["broken"], [dataset], False)
    with pytest.raises(PermanentError, match="broken cannot be started: OSError: no such model"):
        run([Candidate("broken", make_broken)], [dataset], OPTIONS, folder)


def test_thresholds(mixed: Path, tmp_path: Path) -> None:
    result = judge(mixed, tmp_path / "out", Options(only=("ok", "quiet"), resamples=50))
    assert missed_thresholds([result], ["service_accuracy@1=1", "small:failed=0", "citations_resolved=1.0"]) == []
    assert missed_thresholds([result], ["small:service_accuracy@1=1.1"]) == [
        "small: service_accuracy@1 is 1.0000, below 1.1"
    ]
    assert missed_thresholds([result], ["failed=-1"]) == ["small: failed is 0.0000, above -1"]
    for wrong in ("service=1", "service_accuracy@1", "service_accuracy@1=high", "other:failed=0", "session_f1=0.5"):
        with pytest.raises(InputError, match="--fail-under"):
            missed_thresholds([result], [wrong])


def test_streams_sessions_and_causes_per_incident(write_dataset: WriteDataset, tmp_path: Path) -> None:
    window = {"window_start": "2026-03-02T10:00:00Z", "window_end": "2026-03-02T11:00:00Z"}
    incidents = [
        {"id": "1", "starts_at": "2026-03-02T10:29:00Z", "ends_at": "2026-03-02T10:40:00Z", "root_cause": CAUSE},
        {
            "id": "2",
            "starts_at": "2026-03-02T10:50:00Z",
            "ends_at": None,
            "root_cause": {"service": "payment", "category": "free words"},
        },
    ]
    sessions = [
        {"session_id": "s1", "lines": [1], "is_anomalous": True},
        {"session_id": "s2", "lines": [2], "is_anomalous": True},
        {"session_id": "s3", "lines": [3], "is_anomalous": False},
    ]
    root = write_dataset(
        [case("ok", **window, is_incident=True, incidents=incidents, sessions="sessions.jsonl")],
        {"logs/ok.log": "ok\n2\n3\n", "sessions.jsonl": "\n".join(map(json.dumps, sessions))},
    )
    metrics = {name: each.value for name, each in judge(root, tmp_path / "out").systems[0].metrics.items()}
    assert metrics["stream_recall"] == 0.5
    assert metrics["stream_false_share"] == 0.0
    assert metrics["stream_clean"] == 1.0
    assert metrics["stream_exact"] == 0.0
    assert metrics["time_to_detect_seconds"] == 60.0
    assert metrics["service_accuracy@1"] == 0.5  # nothing was found where `payment` failed
    assert metrics["category_accuracy@1"] == 0.0  # one label is in the vocabulary; the suspect names none
    # Windows of five minutes: labelled 5-8 and 10-11, flagged 6.
    assert (metrics["window_precision"], metrics["window_recall"]) == (1.0, pytest.approx(1 / 6))
    assert (metrics["session_precision"], metrics["session_recall"]) == (1.0, 0.5)


def test_loghub_folders(tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "App"
    folder.mkdir(parents=True)
    (folder / "App_structured.csv").write_text(
        "LineId,Content,EventId,EventTemplate\n1,up one,E1,up <*>\n2,up two,E3,up <*>\n3,down,E2,down\n"
    )
    metrics = {name: each.value for name, each in judge(tmp_path / "hub", tmp_path / "out").systems[0].metrics.items()}
    # Three groups predicted, one of the two true ones exactly: GA 1/3, FGA 2*1/(3+2).
    assert metrics["grouping_accuracy"] == pytest.approx(1 / 3)
    assert metrics["fga"] == pytest.approx(2 / 5)
    assert metrics["parsing_accuracy"] == pytest.approx(1 / 3)
    assert metrics["fta"] == pytest.approx(2 / 5)


def test_nothing_that_runs_in_a_worker_imports_the_labels() -> None:
    code = (
        "import sys, cali.evaluation, eval.baselines, eval.workers, eval.memory; "
        "names = ('eval.labels', 'eval.scoring', 'eval.dataset_scoring', 'eval.datasets'); "
        "print([m for m in names if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert out.stdout.strip() == "[]", out.stdout + out.stderr


def test_an_interrupted_run_leaves_no_worker_behind(mixed: Path, tmp_path: Path) -> None:
    dataset = load_dataset(mixed)
    folder = RunFolder(tmp_path / "out")
    folder.open(["scripted"], [dataset], False)

    def stop(done: int, total: int, key: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([SCRIPTED], [dataset], OPTIONS, folder, stop)
    assert multiprocessing.active_children() == []
    assert list((tmp_path / "out/cases").rglob("*.json"))  # what was judged is kept for --resume
