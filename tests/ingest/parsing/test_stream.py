"""Batches of several sources: order, counts, bad sources among good ones, and an early end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.parsing.stream import read_batches
from ingest.sources.files import open_sources

NOW = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)


def write(path: Path, lines: int) -> None:
    path.write_text("".join(f"2024-06-12 10:00:01 INFO line {number} {'x' * 80}\n" for number in range(lines)))


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_batches_come_in_the_order_of_sources_and_lines(tmp_path: Path, threads: int) -> None:
    write(tmp_path / "a.log", 120_000)
    write(tmp_path / "b.log", 5)
    (tmp_path / "c.log").write_bytes(b"")
    stream = read_batches(open_sources([str(tmp_path)]).sources, observed_at=NOW, threads=threads)
    table = pl.concat(list(stream))
    assert table["source"].unique(maintain_order=True).to_list() == [str(tmp_path / "a.log"), str(tmp_path / "b.log")]
    assert table["position"].to_list() == [*range(1, 120_001), *range(1, 6)]
    assert (stream.lines, stream.parsed, stream.unparsed) == (120_005, 120_005, 0)
    assert stream.formats == {"generic": 120_005}


@pytest.mark.parametrize("threads", [0, 1])
def test_a_bad_source_does_not_stop_the_others(tmp_path: Path, threads: int) -> None:
    for name in ("a.log", "b.log", "c.log"):
        write(tmp_path / name, 3)
    sources = open_sources([str(tmp_path)]).sources
    (tmp_path / "b.log").unlink()
    (tmp_path / "c.log").write_bytes(b"\x00\x01\x02" * 5000)
    stream = read_batches(sources, observed_at=NOW, threads=threads)
    assert pl.concat(list(stream))["source"].unique().to_list() == [str(tmp_path / "a.log")]
    assert [entry.source for entry in stream.quarantined] == [str(tmp_path / "b.log"), str(tmp_path / "c.log")]


def test_leaving_early_ends_the_thread(tmp_path: Path) -> None:
    write(tmp_path / "a.log", 200_000)
    before = threading.active_count()
    batches = iter(read_batches(open_sources([str(tmp_path)]).sources, observed_at=NOW, threads=1))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
