# ruff: noqa: E501 - one sample per line
"""Lines taken apart in columns by their layout give what reading them one by one gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parsing import layout_columns, layouts, structured
from ingest.parsing.timestamps import Clock

CLOCK = Clock(ZoneInfo("UTC"), datetime(2024, 6, 20, 12, 0, tzinfo=UTC))
STAMPS = ("2024-06-12T10:00:01.123Z", "2024-06-12 10:00:01", "1718186401.5", "1718186401123", "yesterday", " 12:00:01")
LEVELS = ("info", "ERROR", "warn", "strange", "30", "E")


READERS: dict[str, structured.Reader] = {"json": structured.read_json, "logfmt": structured.read_logfmt}


def fitting(lines: Sequence[str], syntax: str, sample: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The rows that layouts of the sample take, by line number."""
    learn = layouts.learn_json if syntax == "json" else layouts.learn_logfmt
    found: dict[int, dict[str, Any]] = {}
    for layout in learn(sample):
        fit = layout_columns.fit(layout, pl.Series(lines, dtype=pl.String), CLOCK)
        if fit is not None:
            rows = range(len(lines)) if fit.rows is None else fit.rows
            found.update(zip(rows, fit.columns.to_dicts(), strict=True))
    return found


def assert_same(lines: Sequence[str], syntax: str, sample: Sequence[str] | None = None) -> int:
    """Compares what layouts read with what is read one by one; how many lines had a layout."""
    found = fitting(lines, syntax, sample if sample is not None else lines)
    for number, ours in found.items():
        entry = READERS[syntax](lines[number])
        assert entry is not None, lines[number]
        (theirs,) = structured.of_entries([entry], CLOCK).to_dicts()
        for row in (ours, theirs):
            row["attributes"] = row["attributes"] and orjson.loads(row["attributes"])
        assert ours == theirs, lines[number]
    return len(found)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "a=b c", 'say "hi"', "C:\\temp", "x\ny", "Traceback (most recent call last):\n  x", '"level":"error"', "{}"]
)
SCALAR = TEXT | st.integers(-(2**40), 2**40) | st.booleans() | st.none() | st.sampled_from([1.5, -0.25, 1e21])
VALUE = (
    SCALAR
    | st.lists(SCALAR, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "level", "status code", "app"]), SCALAR, max_size=2)
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "time": st.sampled_from([*STAMPS, 1718186401, 1718186401.25, 5, None]),
    "@timestamp": st.sampled_from(STAMPS),
    "level": st.sampled_from([*LEVELS, 30, 7, None, ""]),
    "log": TEXT | st.fixed_dictionaries({"level": st.sampled_from(LEVELS), "logger": TEXT, "file": SCALAR}),
    "msg": TEXT,
    "message": TEXT,
    "service": TEXT | st.fixed_dictionaries({"name": TEXT, "version": SCALAR}),
    "kubernetes": st.fixed_dictionaries({"pod_name": st.sampled_from(["web-7d9f8b-x2k4j", "db-0", ""]), "host": TEXT}),
    "hostname": st.sampled_from(["web-7d9f8b-x2k4j", "ip-10-0-0-1"]),
    "trace_id": TEXT | st.integers(0, 2**30) | st.none(),
    "request_id": TEXT,
    "method": st.sampled_from(["GET", "POST", "", None]) | TEXT,
    "request_method": st.sampled_from(["PUT", None]),
    "path": st.sampled_from(["/cart", '/q?a="b"', None]) | SCALAR,
    "uri": TEXT,
    "protocol": st.sampled_from(["HTTP/1.1", None]),
    "status": st.sampled_from([200, 503, "404", None, 1.5]),
    "response_flags": st.sampled_from(["-", "UF,URX", None, ""]),
    "response_code_details": st.sampled_from(["via_upstream", "route_not_found", None]),
    "httpRequest": st.fixed_dictionaries({"requestMethod": TEXT, "requestUrl": TEXT, "status": st.just(500)}),
    "request": st.fixed_dictionaries({"method": st.just("GET"), "uri": TEXT}) | TEXT,
    "span_id": TEXT,
    "logger": TEXT,
    "name": TEXT,
    "v": st.just(0),
    "pid": st.integers(1, 70000),
    "error": TEXT | st.none(),
    "stack": TEXT,
    "user": VALUE,
    "extra": VALUE,
    "stream": st.sampled_from(["stdout", "stderr"]),
    "timestamp": st.sampled_from(STAMPS),
    "type": st.sampled_from(["Normal", "Warning", "start", 3]),
    "reason": st.sampled_from(["BackOff", "", None]),
}


@st.composite
def json_lines(draw: st.DrawFn) -> list[str]:
    """Lines of few sequences of keys, some with more fields than the others, in several spellings of JSON."""
    sets = draw(st.lists(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, unique=True), min_size=1, max_size=3))
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        keys = draw(st.sampled_from(sets))
        data = {key: draw(FIELDS[key]) for key in keys}
        if draw(st.integers(0, 5)) == 0:
            data[draw(st.sampled_from(sorted(FIELDS)))] = draw(VALUE)
        text = orjson.dumps(data).decode()
        lines.append(text.replace('":', '": ') if draw(st.booleans()) else text)
    return lines * 2


@given(json_lines())
@settings(max_examples=100, deadline=None)
def test_json_lines_are_read_alike_in_columns_and_one_by_one(lines: list[str]) -> None:
    assert_same(lines, "json")


REQUEST = ("method", "request_method", "path", "uri", "protocol", "status", "response_flags", "response_code_details")


@st.composite
def requests(draw: st.DrawFn) -> list[str]:
    """Lines of one program that tell of requests, some without one of the fields."""
    names = [
        "time",
        *draw(st.lists(st.sampled_from([*REQUEST, "httpRequest", "request", "error", "user"]), unique=True)),
    ]
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        lines.append(orjson.dumps({name: draw(FIELDS[name]) for name in names}).decode())
    return lines * 2


@given(requests())
@settings(max_examples=200, deadline=None)
def test_requests_are_read_alike_in_columns_and_one_by_one(lines: list[str]) -> None:
    assert_same(lines, "json")


@given(json_lines(), json_lines())
@settings(max_examples=100, deadline=None)
def test_lines_unlike_the_sample_are_read_alike(sample: list[str], lines: list[str]) -> None:
    assert_same(lines, "json", sample)


BARE = st.text(st.characters(codec="utf-8", exclude_characters='"', exclude_categories=["Z", "C"]), max_size=8)
QUOTED = TEXT.map(lambda text: orjson.dumps(text).decode())
PAIRS = (
    "time",
    "ts",
    "level",
    "msg",
    "service",
    "app",
    "pod",
    "trace_id",
    "logger",
    "caller",
    "error",
    "status",
    "id",
    "method",
    "path",
)


@st.composite
def logfmt_lines(draw: st.DrawFn) -> list[str]:
    sets = draw(st.lists(st.lists(st.sampled_from(PAIRS), min_size=2), min_size=1, max_size=3))
    value = {"time": st.sampled_from(STAMPS).map(lambda text: f'"{text}"'), "level": st.sampled_from(LEVELS)}
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        keys = draw(st.sampled_from(sets))
        pairs = [f"{key}={draw(value.get(key, BARE | QUOTED))}" for key in keys]
        lines.append(draw(st.sampled_from([" ", "  "])).join(pairs) + draw(st.sampled_from(["", "", " and more"])))
    return lines * 2


@given(logfmt_lines())
@settings(max_examples=100, deadline=None)
def test_logfmt_lines_are_read_alike_in_columns_and_one_by_one(lines: list[str]) -> None:
    assert_same(lines, "logfmt")


@pytest.mark.parametrize(
    "line",
    [
        '{"log":"2024-06-12 10:00:00 ERROR inner %d\\n","stream":"stderr","time":"2024-06-12T10:00:01.5Z"}',
        '{"log":"half a line %d","stream":"stderr","time":"2024-06-12T10:00:01.5Z","attrs":{"tag":"x"}}',
        '{"timestamp":"2024-06-12T10:00:01Z","service":"nova/nova-api","message":"2024-06-12 09:00:01 ERROR boom %d"}',
        '{"name":"shop","hostname":"h","pid":%d,"level":50,"msg":"boom","time":"2024-06-12T10:00:01.5Z","v":0}',
        '{"level":"error","ts":1718186401.123456,"logger":"ctl","msg":"failed","error":"no route %d","stacktrace":"a\\nb"}',
        '{"@timestamp":"2024-06-12T10:00:01Z","log":{"level":"warn","logger":"x"},"service":{"name":"s"},"message":"m %d"}',
        '{"message":"E0612 10:00:01.123456    8 pod_workers.go:%d] Error","kubernetes":{"pod_name":"web-7d9f8b-x2k4j"}}',
        '{"start_time":"2024-06-12T10:00:01.5Z","method":"GET","path":"/items/%d","protocol":"HTTP/2","response_code":503,"response_flags":"UF","response_code_details":"via_upstream","upstream_transport_failure_reason":null,"duration":20}',
        '{"time_iso8601":"2024-06-12T10:00:01+00:00","request_method":"POST","request_uri":"/pay/%d","status":"502","server_protocol":"HTTP/1.1"}',
        '{"level":"info","ts":1718186401.5,"logger":"http.log.access","request":{"method":"GET","proto":"HTTP/2.0","uri":"/%d"},"status":200}',
        '{"DownstreamStatus":404,"RequestMethod":"GET","RequestPath":"/favicon%d.ico","StartUTC":"2024-06-12T10:00:01.5Z"}',
        'time="2024-06-12T10:00:01Z" method=GET path=/items/%d status=500 duration=12ms',
        'time="2024-06-12T10:00:01Z" level=warning msg="slow \\"thing\\"" id=%d path=C:\\temp',
    ],
)
def test_layouts_are_found_and_used(line: str) -> None:
    lines = [line % number for number in range(20)]
    assert assert_same(lines, "json" if line.startswith("{") else "logfmt") == len(lines)


def test_a_layout_is_found_among_many_others() -> None:
    lines = [f'{{"level":"info","msg":"usual {number}"}}' for number in range(50)]
    lines += [f'{{"level":"info","msg":"odd","x{number}":1}}' for number in range(20)]
    assert len(layouts.learn_json(lines)) == 1  # further keys behind the known ones belong to the same layout
    others = ['{"level":"info","msg":"x","error":"y"}', '{"level":"info","msg":"x","msg":"z"}', "{}", "{"]
    assert assert_same([*lines, *others], "json", lines) == len(lines)
