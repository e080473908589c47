from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cali.main import run
from eval.simulator.faults.registry import FAULTS


def test_list_shows_every_fault_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--list"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert listed == set(FAULTS)


def test_a_dataset_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "set"
    arguments = [
        "simulate",
        "--dataset",
        str(folder),
        "--cases",
        "3",
        "--lines",
        "1500",
        "--faults",
        "disk_full,dns_failure",
    ]
    assert run([*arguments, "--healthy-share", "0.34", "--stream-share", "0"]) == 0
    rows = [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(row["is_incident"] for row in rows) == [False, True, True]
    assert "cali eval run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stream", "mqtt://x"], "kinesis://STREAM"),
        (["--dataset", "new", "--faults", "nope"], "bad_deploy"),
        (["--stream", "-", "--rate", "0"], "--rate"),
        ([], "--dataset"),
        (["--list", "--stream", "-"], "--dataset"),
    ],
)
def test_bad_use_exits_with_2_and_says_what_to_do(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_stream_goes_to_standard_output() -> None:
    program = "from cali.main import main; main()"
    arguments = ["simulate", "--stream", "-", "--rate", "60", "--duration", "1"]
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    assert lines and all({"timestamp", "service", "message"} == set(json.loads(line)) for line in lines)
    assert "lines sent" in done.stderr
