"""Records read again by citation are those of the batch pass."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from core.domain import Citation
from ingest.parsing.folding import MAX_LINES
from ingest.parsing.stream import read_batches
from ingest.sources.files import FileSource, open_sources
from ingest.sources.reader import FileReader

NOW = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def log(records: int) -> str:
    lines = []
    for number in range(records):
        stamp = f"2024-06-12 10:{number // 60 % 60:02}:{number % 60:02},123"
        lines.append(f"{stamp} ERROR [main] com.shop.Cart: order {number} failed [req-{number:08x}]")
        if number % 7 == 0:
            lines += [
                "java.lang.IllegalStateException: x",
                *[f"\tat a.B.c{frame}(B.java:1)" for frame in range(number % 90)],
            ]
        if number % 11 == 0:
            lines.append(f'{{"time":"2024-06-12T10:00:00Z","level":"warn","msg":"json {number}"}}')
        if number % 13 == 0:
            lines.append("no header at all")
    return "\n".join(lines)


def batches(sources: tuple[FileSource, ...]) -> pl.DataFrame:
    return pl.concat(list(read_batches(sources, timezone=BERLIN, observed_at=NOW, threads=0)))


@pytest.mark.parametrize("name", ["shop.log", "shop.log.gz"])
def test_records_are_the_same_as_in_the_batch(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = log(4000)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    sources = open_sources([str(path)]).sources
    batch = batches(sources)
    assert batch["line_count"].sum() == text.count("\n") + 1
    sample = batch.gather_every(37)
    citations = [Citation(str(path), position) for position in sample["position"]]
    reader = FileReader(sources, timezone=BERLIN, observed_at=NOW)
    records = reader.read(citations)
    assert sorted(records) == citations
    lines = text.split("\n")
    for row in sample.iter_rows(named=True):
        record = records[Citation(str(path), row["position"])]
        first = row["position"] - 1
        assert [record.line, *record.folded] == lines[first : first + row["line_count"]]
        for field in ("timestamp", "severity", "service", "body", "line_count", "trace_id", "span_id"):
            assert getattr(record, field) == row[field], field


def test_long_records_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    first = ["2024-06-12 10:00:00 ERROR start", *["  more"] * 500]
    second = ["2024-06-12 10:00:01 ERROR start", *["  more"] * (MAX_LINES + 500)]
    path.write_text("\n".join([*first, *second]))
    sources = open_sources([str(path)]).sources
    batch = batches(sources)
    assert batch["line_count"].to_list() == [501, MAX_LINES, 501]
    records = FileReader(sources, timezone=BERLIN, observed_at=NOW).read(
        [Citation(str(path), position) for position in batch["position"]]
    )
    assert [record.line_count for record in records.values()] == [501, MAX_LINES, 501]
    assert [record.body for record in records.values()] == batch["body"].to_list()
    assert [len(record.folded) for record in records.values()] == [500, MAX_LINES - 1, 500]


def test_what_cannot_be_read_again_is_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("2024-06-12 10:00:00 ERROR x\n")
    sources = open_sources([str(path)]).sources
    reader = FileReader(sources, observed_at=NOW)
    here = Citation(str(path), 1)
    assert list(reader.read([here, Citation(str(path), 2), Citation(str(path), 0), Citation("other", 1)])) == [here]
    path.unlink()
    assert FileReader(sources, observed_at=NOW).read([here]) == {}
    assert FileReader(sources, observed_at=NOW).around(here, 3, 3) == ()


def test_around_gives_the_neighbours_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(log(300))
    sources = open_sources([str(path)]).sources
    batch = batches(sources)
    reader = FileReader(sources, timezone=BERLIN, observed_at=NOW)
    for position in batch["position"].gather_every(29):
        records = reader.around(Citation(str(path), position), 9, 7)
        wanted = batch.filter(
            (pl.col("position") == position)
            | ((pl.col("position") >= position - 9) & (pl.col("position") + pl.col("line_count") - 1 <= position + 7))
        )
        assert [record.position for record in records] == wanted["position"].to_list()
        assert [record.body for record in records] == wanted["body"].to_list()
    assert reader.around(Citation("other", 1), 1, 1) == ()
