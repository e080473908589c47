"""A parser over several frames: what was decoded before, by any thread, gives the same records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import polars as pl
import pytest

from core.batch import LINES
from ingest.parsing.parser import Parser

NOW = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)

CRI = [
    "2024-06-12T10:00:01.000000001Z stdout F 2024-06-12 10:00:01 INFO app.Main - started",
    "2024-06-12T10:00:02.000000001Z stderr P 2024-06-12 10:00:02 ERROR app.Main - first part, ",
    "2024-06-12T10:00:02.000000002Z stderr P second part, ",
    "2024-06-12T10:00:02.000000003Z stderr F third part",
    "2024-06-12T10:00:03.000000001Z stderr F java.lang.IllegalStateException: no",
    "2024-06-12T10:00:03.000000002Z stderr F \tat app.Main.run(Main.java:7)",
    "2024-06-12T10:00:03.000000003Z stderr F Caused by: java.io.IOException: closed",
    "2024-06-12T10:00:03.000000004Z stderr F \tat app.Main.read(Main.java:9)",
    "2024-06-12T10:00:04.000000001Z stdout F 2024-06-12 10:00:04 INFO app.Main - stopped",
]
MIXED = [
    "2024-06-12 10:00:01,123 INFO [main] app.Main: started",
    '{"time":"2024-06-12T10:00:02Z","level":"error","msg":"refused"}',
    "Jun 12 10:00:03 host sshd[12]: Accepted password for root",
    "[Wed Jun 12 10:00:04 2024] [error] mod_jk child init 1 -2",
    "10:00:05 INFO something else",
    "2024-06-12 10:00:06,123 ERROR [main] app.Main: failed",
    "java.io.IOException: closed",
    "\tat app.Main.run(Main.java:7)",
    "no header at all",
    "24/06/12 10:00:07 INFO storage.Memory: block 1",
    "240612 100008 148 WARN dfs.DataNode: block 2",
    "I0612 10:00:09.123456       1 event.go:1] Event(v1): type: 'Warning' reason: 'BackOff'",
    "2024-06-12 10:00:10 UTC [7] ERROR:  relation missing",
    "2024-06-12 10:00:10 UTC [7] STATEMENT:  select 1",
]


def _frame(lines: list[str], first: int = 1) -> pl.DataFrame:
    positions = pl.Series("position", range(first, first + len(lines)), dtype=LINES["position"])
    return pl.DataFrame([positions, pl.Series("line", lines, dtype=pl.String)])


def _parser(sample: list[str]) -> Parser:
    parser = Parser("app.log", modified_at=NOW, observed_at=NOW)
    parser.learn(_frame(sample))
    return parser


def _records(parser: Parser, parts: list[pl.DataFrame], decoded: list[pl.DataFrame] | list[None]) -> pl.DataFrame:
    batches = [parser.parse(part, made) for part, made in zip(parts, decoded, strict=True)]
    return pl.concat([*batches, parser.finish()])


@pytest.mark.parametrize("lines", [CRI * 3, MIXED * 3], ids=["cri", "mixed"])
def test_frames_decoded_one_by_one_give_the_records_of_the_whole(lines: list[str]) -> None:
    whole = _records(_parser(lines), [_frame(lines)], [None])
    assert whole["line_count"].sum() == len(lines)
    for cut in range(1, len(lines)):
        parser = _parser(lines)
        parts = [_frame(lines[:cut]), _frame(lines[cut:], cut + 1)]
        assert _records(parser, parts, [parser.decode(part) for part in parts]).equals(whole), cut


def test_threads_may_decode_at_once() -> None:
    lines = [*CRI, *MIXED] * 40
    parts = [_frame(lines[at : at + 50], at + 1) for at in range(0, len(lines), 50)]
    serial = _records(_parser(lines), parts, [None] * len(parts))
    parser = _parser(lines)
    with ThreadPoolExecutor(4) as pool:
        decoded = list(pool.map(parser.decode, parts))
    assert _records(parser, parts, decoded).equals(serial)
    assert sum(parser.formats.values()) == parser.parsed
