"""Logs of jobs that say how they ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from detection_logs import analysed, write

LOUD = [
    *(f"step {i} compiles module {i}" for i in range(40)),
    *(f"[ERROR] /src/Shop.java:[{i},3] cannot find symbol" for i in range(30)),
    "java.lang.IllegalStateException: boom",
    *(f"step {i} tests module {i}" for i in range(40)),
]


@pytest.mark.parametrize(
    "end",
    [
        ["Finished: SUCCESS"],
        ["[INFO] BUILD SUCCESS", "[INFO] Total time: 3 min", "[INFO] -----"],
        ["BUILD SUCCESSFUL in 12s", "3 actionable tasks: 3 executed"],
        ["Job succeeded"],
        ["Done. Your build exited with 0."],
        ["\x1b[32mBuild succeeded.\x1b[0m"],
        ["Cleaning up orphan processes"],
    ],
)
def test_a_job_that_says_that_it_succeeded_is_no_incident(tmp_path: Path, end: list[str]) -> None:
    assert analysed(write(tmp_path / "job.log", [*LOUD, *end])).incidents == ()


@pytest.mark.parametrize(
    "end",
    [
        [],
        ["Finished: FAILURE"],
        ["[INFO] BUILD SUCCESS", "deploying", "[INFO] BUILD FAILURE"],
        ["the test says: Finished: SUCCESS is what we print"],
        ["##[error]Process completed with exit code 1.", "Cleaning up orphan processes"],
        ["fatal: not a git repository", "Cleaning up orphan processes"],
        ["Finished: SUCCESS", *(f"and step {i} goes on" for i in range(20))],
    ],
)
def test_any_other_end_leaves_what_was_found(tmp_path: Path, end: list[str]) -> None:
    assert analysed(write(tmp_path / "job.log", [*LOUD, *end])).incidents


def test_one_failed_job_among_others_is_found(tmp_path: Path) -> None:
    good = write(tmp_path / "good.log", [*LOUD, "Finished: SUCCESS"])
    bad = write(tmp_path / "bad.log", [*LOUD, "Finished: FAILURE"])
    assert analysed(good, bad).incidents
