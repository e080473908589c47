"""Which inputs cover a time, and what was asked before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog import runs, sessions
from catalog.engine import Catalog, open_catalog

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(f"sqlite:///{tmp_path / 'catalog.db'}")
    yield opened
    opened.close()


def run(path: str, hours: int | None, analysed: int = 0) -> runs.Run:
    start = None if hours is None else NOON + timedelta(hours=hours)
    end = None if start is None else start + timedelta(hours=1)
    return runs.Run((path,), start, end, ("checkout",), NOON + timedelta(days=1, minutes=analysed))


def test_runs_that_touch_a_window_newest_analysis_first(catalog: Catalog) -> None:
    with catalog.transaction() as connection:
        for each in (run("/a.log", 0), run("/b.log", 3, 1), run("/c.log", None, 2)):
            runs.save(connection, each)
        assert [r.paths[0] for r in runs.covering(connection, None, None)] == ["/c.log", "/b.log", "/a.log"]
        window = (NOON + timedelta(hours=2), NOON + timedelta(hours=5))
        assert [r.paths[0] for r in runs.covering(connection, *window)] == ["/c.log", "/b.log"]
        assert runs.covering(connection, None, NOON - timedelta(hours=1)) == [run("/c.log", None, 2)]


def test_the_same_inputs_are_one_run(catalog: Catalog) -> None:
    with catalog.transaction() as connection:
        runs.save(connection, run("/a.log", 0))
        runs.save(connection, run("/a.log", 5, 9))
        assert runs.covering(connection, None, None) == [run("/a.log", 5, 9)]


def test_a_session_keeps_its_questions_in_order(catalog: Catalog) -> None:
    first = sessions.Question("s1", 1, NOON, "why?", "checkout", NOON, None, "because")
    second = sessions.Question("s1", 2, NOON + timedelta(minutes=3), "and then?", None, None, None, "it stopped")
    with catalog.transaction() as connection:
        sessions.save(connection, first)
        sessions.save(connection, sessions.Question("s2", 1, NOON, "?", None, None, None, ""))
        sessions.save(connection, second)
        assert sessions.load(connection, "s1") == [first, second]
        assert sessions.load(connection, "none") == []
        assert sessions.newest(connection, NOON + timedelta(minutes=1)) == "s1"
        assert sessions.newest(connection, NOON + timedelta(minutes=4)) is None
