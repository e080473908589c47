"""Any bytes in: every line is accounted for, in order, and nothing is raised."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.batch import BATCH, LINES
from core.domain import Citation
from ingest.parsing import fields, timestamps
from ingest.parsing.parser import Parser
from ingest.parsing.timestamps import Clock
from ingest.sources.files import open_sources
from ingest.sources.reader import FileReader

WRITTEN = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)

PIECES = st.sampled_from(
    [
        "2024-06-12 10:00:01,123 ERROR [main] a.B: x",
        "2024-13-99 99:99:99 ERROR x",
        "Jun 31 10:00:01 host app[1]: x",
        'Jun 12 10:00:01 host app[1]: {"level":"error","msg":1}',
        "2024-06-12T10:00:01.1Z stdout P abc",
        "2024-06-12T10:00:01.1Z stderr F def",
        '{"log":"part","stream":"stdout","time":"2024-06-12T10:00:01Z"}',
        '{"timestamp":"x","service":"a/b","message":"Traceback (most recent call last):"}',
        '{"level":{"a":[1]},"msg":null,"ts":1e400,"error":{"stack":["a"]}}',
        '{"time":-99999999999999,"severity":[],"trace":{"id":5}}',
        '{"a":1',
        'level=error msg="a\\"b ts=',
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in f',
        "ValueError: x",
        "\tat a.b(C.java:1)",
        "Caused by: x",
        "goroutine 1 [running]:",
        "panic: x",
        "- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL FATAL x",
        '1.2.3.4 - - [12/Jun/2024:10:00:01 +0000] "GET / HTTP/1.1" 500 1',
        "99999999999999999999 ERROR x",
        "1718186401 INFO x",
        "10:00:01 INFO x",
        "a | b",
        "\x00\x1b[31m\x1b]0;t\x07",
        "   ",
        "",
    ]
)
LINE = st.one_of(PIECES, st.text(max_size=40), st.builds(lambda a, b: a + b, PIECES, st.text(max_size=10)))
CONTENT = st.one_of(
    st.binary(max_size=2000),
    st.lists(LINE, max_size=30).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
    st.lists(
        st.one_of(LINE.map(lambda text: text.encode("utf-8", "replace")), st.binary(max_size=30)), max_size=30
    ).map(b"\n".join),
)
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(content=CONTENT, size=st.integers(1, 9))
def test_every_line_of_any_bytes_is_accounted_for(content: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.log"
        path.write_bytes(content)
        (source,) = open_sources([str(path)]).sources
        lines = pl.concat([pl.DataFrame(schema=LINES), *source.lines()])
        parser = Parser(source.name, modified_at=WRITTEN, observed_at=WRITTEN)
        parts = [parser.parse(lines[at : at + size]) for at in range(0, lines.height, size)]
        batch = pl.concat([*parts, parser.finish()])
        assert batch.schema == BATCH
        assert parser.parsed + parser.unparsed == lines.height == batch["line_count"].sum()
        assert sum(parser.formats.values()) == parser.parsed
        # Records follow each other without gaps, from the first line on.
        starts = 1 + batch["line_count"].cum_sum().shift(1).fill_null(0)
        assert batch["position"].to_list() == starts.to_list()
        assert batch["body"].null_count() == batch["severity"].null_count() == 0
        assert batch["severity"].max() is None or batch["severity"].max() <= 24  # type: ignore[operator]
        for attributes in batch["attributes"].drop_nulls():
            assert isinstance(orjson.loads(attributes), dict)
        reader = FileReader([source], observed_at=WRITTEN)
        citations = [Citation(source.name, position) for position in batch["position"]]
        records = reader.read(citations)
        assert sorted(records) == sorted(citations)
        for citation, line in zip(
            citations, lines.filter(pl.col("position").is_in(batch["position"].implode()))["line"], strict=True
        ):
            assert records[citation].line == line


@SETTINGS
@given(lines=st.lists(LINE.map(lambda text: text.replace("\n", "")), max_size=25), size=st.integers(1, 9))
def test_records_do_not_depend_on_the_cut_into_frames(lines: list[str], size: int) -> None:
    table = pl.DataFrame({"position": range(1, len(lines) + 1), "line": lines}, schema=LINES)

    def parse(step: int) -> pl.DataFrame:
        parser = Parser("a.log", modified_at=WRITTEN, observed_at=WRITTEN)
        parser.learn(table)
        parts = [parser.parse(table[at : at + step]) for at in range(0, table.height, step)]
        return pl.concat([*parts, parser.finish()])

    assert parse(size)["position"].to_list() == parse(max(len(lines), 1))["position"].to_list()


@SETTINGS
@given(stamps=st.lists(st.one_of(st.none(), st.text(max_size=30), st.datetimes().map(str)), max_size=20))
def test_any_text_is_a_time_or_none(stamps: list[str | None]) -> None:
    column = pl.Series(stamps, dtype=pl.String)
    for zone in ("UTC", "Europe/Berlin"):
        assert len(timestamps.parse(column, Clock(ZoneInfo(zone), WRITTEN))) == len(stamps)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
NAMES = """
    time ts timestamp @timestamp level severity severityNumber PRIORITY msg message body log event service name logger
    trace_id traceId traceparent error err exception stack_trace status resource kubernetes pod hostname instant t
"""
KEYS = st.sampled_from(NAMES.split())


@SETTINGS
@given(data=st.dictionaries(KEYS, JSON, min_size=1, max_size=6))
def test_any_object_is_an_entry(data: dict[str, object]) -> None:
    entry = fields.read(data, orjson.dumps(data).decode(), "json")
    assert entry.body
    assert 0 <= entry.severity <= 24
    if entry.attributes is not None:
        assert isinstance(orjson.loads(entry.attributes), dict)
