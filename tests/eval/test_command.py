"""`cali eval` as a user calls it: exit codes, messages, comparison of two runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cali.commands.eval import eval_group
from core.errors import CaliError

WriteDataset = Callable[..., Path]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(eval_group, [str(each) for each in arguments])


@pytest.fixture
def dataset(write_dataset: WriteDataset) -> Path:
    cases = [
        {
            "case_id": f"c{i}",
            "logs": [f"c{i}.log"],
            "is_incident": i < 3,
            "root_cause": {"service": f"c{i}"} if i < 3 else None,
        }
        for i in range(5)
    ]
    files = {f"c{i}.log": f"2026-03-02T10:00:00Z {'ERROR down' if i < 3 else 'INFO up'}\n" for i in range(5)}
    return write_dataset(cases, files)


def test_run_and_compare(dataset: Path, tmp_path: Path) -> None:
    first = call("run", dataset, "--system", "baseline:most_errors", "--output", tmp_path / "a", "--jobs", 1)
    assert first.exit_code == 0, first.output
    assert "service_accuracy@1" in first.output and "best baseline" in first.output and "1.000 keyword" in first.output
    second = call("run", dataset, "--system", "baseline:tfidf", "--no-baselines", "--output", tmp_path / "b", "--quiet")
    assert second.exit_code == 0, second.output
    same = call("compare", tmp_path / "a", tmp_path / "a", "--fail-if-worse")
    assert same.exit_code == 0 and "no clear change" in same.output and "better |" not in same.output
    other = call("compare", tmp_path / "a", tmp_path / "a", "--system-b", "baseline:first_error")
    assert other.exit_code == 0 and "baseline:first_error (B)" in other.output
    unknown = call("compare", tmp_path / "a", tmp_path / "b", "--system-b", "nobody")
    assert isinstance(unknown.exception, CaliError)


def test_thresholds_set_the_exit_code(dataset: Path, tmp_path: Path) -> None:
    run = ("run", dataset, "--system", "baseline:most_errors", "--no-baselines", "--quiet", "--jobs", 1)
    good = call(*run, "--output", tmp_path / "a", "--fail-under", "healthy_accuracy=1")
    assert good.exit_code == 0, good.output
    bad = call(*run, "--output", tmp_path / "a", "--fail-under", "small:service_accuracy@1=1.01")
    assert bad.exit_code == 4 and "missed: small: service_accuracy@1 is 1.0000, below 1.01" in bad.output


def test_validate(dataset: Path) -> None:
    good = call("validate", dataset)
    assert (good.exit_code, good.output.strip()) == (0, f"{dataset}: valid (0 errors, 0 warnings)")
    (dataset / "c0.log").unlink()
    bad = call("validate", dataset)
    assert bad.exit_code == 2 and "cases.jsonl:1: logs names 'c0.log'" in bad.output


def test_warnings_are_errors_only_when_asked(write_dataset: WriteDataset) -> None:
    root = write_dataset(
        [{"case_id": "a", "logs": ["a.log"], "is_incident": True, "root_cause": {"category": "weather"}}],
        {"a.log": "x\n"},
    )
    assert call("validate", root).exit_code == 0
    assert call("validate", root, "--strict").exit_code == 2


def test_bad_usage(dataset: Path, tmp_path: Path) -> None:
    wrong = call("run", dataset, "--system", "baseline:oracle", "--output", tmp_path / "a")
    assert isinstance(wrong.exception, CaliError) and wrong.exception.exit_code == 2
    missing = call("compare", tmp_path / "none", tmp_path / "none")
    assert isinstance(missing.exception, CaliError) and "cali eval run" in str(missing.exception)


@pytest.mark.data
def test_cali_itself_on_a_small_case(tmp_path: Path, data: Path) -> None:
    result = call(
        "run", data / "envelope_example", "--no-baselines", "--quiet", "--memory", "tfidf", "--output", tmp_path / "a"
    )
    assert result.exit_code == 0, result.output
    prediction = json.loads((tmp_path / "a/predictions.jsonl").read_text())
    assert prediction["error"] is None and prediction["incidents"]
    metrics = json.loads((tmp_path / "a/metrics.json").read_text())["datasets"][0]["results"][0]["metrics"]
    assert metrics["citations_resolved"]["value"] == 1.0
    assert (tmp_path / "a/reports/envelope_example/env-01.html").read_text().startswith("<!")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from cali.main import run; run(['eval', 'run', '--help']); "
        "print([m for m in ('polars', 'numpy', 'scipy', 'torch', 'pymilvus', 'sklearn') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert out.stdout.strip().splitlines()[-1] == "[]", out.stdout + out.stderr
