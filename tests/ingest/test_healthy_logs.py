"""Real logs in which nothing failed open no incident; `bench/false_alarms.py` measures more of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from detection_logs import analysed

pytestmark = pytest.mark.data


@pytest.mark.parametrize("case", ["ci-01", "ci-04", "ci-13", "ci-16", "ci-25", "ci-32", "ci-42"])
def test_the_log_of_a_job_that_passed_is_no_incident(case: str, data: Path) -> None:
    assert analysed(str(data / "ci_failures" / "logs" / f"{case}.baseline.log")).incidents == ()


def test_a_supercomputer_at_work_is_no_incident(tmp_path: Path, data: Path) -> None:
    lines = (data / "loghub_2k" / "Thunderbird" / "Thunderbird_2k.log").read_bytes().split(b"\n")
    known, now = tmp_path / "known.log", tmp_path / "now.log"
    known.write_bytes(b"\n".join(lines[:1000]))
    now.write_bytes(b"\n".join(lines[1000:]))
    assert analysed(str(now), baseline=(str(known),)).incidents == ()
