from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from eval.simulator.dataset import plan_dataset, write_dataset
from eval.simulator.faults.registry import FAULTS
from eval.validation import validate_dataset


def _digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "set"
    write_dataset(folder, 14, 5, lines=2500, stream_share=0.07, faults=("bad_deploy", "disk_full", "dns_failure"))
    return folder


def _rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def test_it_is_a_valid_dataset(dataset: Path) -> None:
    problems = validate_dataset(dataset)
    assert problems == []


def test_labels_point_at_lines_that_exist(dataset: Path) -> None:
    for row in _rows(dataset):
        first = (dataset / row["logs"][0]).read_text(encoding="utf-8").split("\n")  # type: ignore[index]
        assert all(1 <= number < len(first) for number in row["anomalous_lines"])  # type: ignore[attr-defined]
        for name, numbers in row.get("anomalous_lines_by_log", {}).items():  # type: ignore[attr-defined]
            assert name in row["logs"]  # type: ignore[operator]
            assert numbers


def test_causes_recur_and_related_is_mutual(dataset: Path) -> None:
    rows = {str(row["case_id"]): row for row in _rows(dataset)}
    assert any(row["related"] for row in rows.values())
    for name, row in rows.items():
        for other in row["related"]:  # type: ignore[attr-defined]
            assert name in rows[other]["related"]  # type: ignore[operator]
            assert rows[other]["root_cause"]["fault_type"] == row["root_cause"]["fault_type"]  # type: ignore[index]


def test_there_are_healthy_cases_and_a_stream(dataset: Path) -> None:
    rows = _rows(dataset)
    assert sum(not row["is_incident"] for row in rows) == 3
    streams = [row for row in rows if "stream" in row["traits"]]  # type: ignore[operator]
    assert len(streams) == 1
    assert len(streams[0]["incidents"]) >= 3 and streams[0]["grey"]  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_bytes_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from eval.simulator.dataset import write_dataset; "
        "write_dataset(Path(sys.argv[1]), 6, 3, lines=1500, stream_share=0.17)"
    )
    digests = []
    for hash_seed in ("0", "4242"):
        folder = tmp_path / hash_seed
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Seoul" if hash_seed == "0" else "UTC"}
        subprocess.run([sys.executable, "-c", program, str(folder)], check=True, env=environment)
        digests.append(_digest(folder))
    assert digests[0] == digests[1]
    assert len(digests[0]) > 6


def test_every_fault_type_comes_once_in_a_round() -> None:
    plans = plan_dataset(len(FAULTS), 1, (), 0.0, 0.0, None)
    assert {plan.faults[0][0] for plan in plans} == set(FAULTS)


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="not empty"):
        write_dataset(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"cases": 0}, "--cases"),
        ({"cases": 1, "healthy_share": 1.5}, "--healthy-share"),
        ({"cases": 1, "healthy_share": 0.9, "stream_share": 0.2}, "--healthy-share"),
        ({"cases": 1, "lines": 10}, "--lines"),
        ({"cases": 1, "faults": ("nope",)}, "nope"),
    ],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        write_dataset(tmp_path / "new", seed=1, **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
