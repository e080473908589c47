from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain import FAULT_TYPES
from eval.simulator.demo import DemoScenario, write_demo

START = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoScenario:
    return write_demo(tmp_path_factory.mktemp("demo"), 7, START)


def test_it_is_as_long_as_promised_and_told_by_many_programs(demo: DemoScenario) -> None:
    counted = sum(path.read_bytes().count(b"\n") for path in demo.paths)
    assert counted == demo.lines
    assert 20_000 <= demo.lines <= 60_000
    assert {"payment.log", "checkout.log", "gateway-access.log", "gateway-error.log", "kubernetes.log"} <= {
        path.name for path in demo.paths
    }


def test_the_story_unfolds_in_order(demo: DemoScenario) -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in demo.paths}
    assert "app=inventory" in files["argocd.log"].split("app=payment")[0], "the red herring comes before the change"
    assert " 504 " in files["gateway-access.log"]
    assert "upstream timed out" in files["gateway-error.log"]
    assert "HikariPool-1" in files["payment.log"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(demo: DemoScenario, tmp_path: Path) -> None:
    again = write_demo(tmp_path / "again", 7, START)
    other = write_demo(tmp_path / "other", 8, START)
    first = [path.read_bytes() for path in demo.paths]
    assert [path.read_bytes() for path in again.paths] == first
    assert [path.read_bytes() for path in other.paths] != first


def test_the_logs_do_not_name_the_fault(demo: DemoScenario) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in demo.paths)
    assert [name for name in FAULT_TYPES if "_" in name and name in text] == []


@pytest.mark.parametrize(("seed", "hour"), [(1, 3), (2, 15), (3, 23)])
def test_the_story_is_clear_at_any_hour(seed: int, hour: int, tmp_path: Path) -> None:
    demo = write_demo(tmp_path, seed, START.replace(hour=hour))
    assert 20_000 <= demo.lines <= 60_000
    assert (tmp_path / "gateway-access.log").read_text(encoding="utf-8").count('" 504 ') > 100
    assert "Connection leak detection triggered" in (tmp_path / "payment.log").read_text(encoding="utf-8")
