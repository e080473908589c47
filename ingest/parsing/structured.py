"""Lines that are objects: JSON and logfmt, and the wrappers among them (Docker json-file, Fluent Bit, the envelope).

Most lines of a log have one of few sequences of keys: `layouts` takes those apart in columns. The others are decoded
one by one here; Polars' `str.json_decode` with a schema was measured to be no faster than orjson, and fails for the
whole column where one line is bad.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
import polars as pl

from core.batch import TIMESTAMP
from ingest.parsing import fields, services, timestamps
from ingest.parsing.fields import Entry
from ingest.parsing.timestamps import Clock

ENVELOPE: Final = frozenset({"timestamp", "service", "message"})
DOCKER: Final = frozenset({"log", "stream", "time", "attrs"})

LOGFMT: Final = (
    r"^[A-Za-z_@][A-Za-z0-9_.@/-]*=(?:\x22(?:[^\x22\\]|\\.)*\x22|[^ \x22]*) +[A-Za-z_@][A-Za-z0-9_.@/-]*=.*$"
)
"""Lines that begin with two pairs."""

LOGFMT_KEY: Final = r"(?:^| )(?:level|lvl|severity|loglevel|msg|message|ts|time|timestamp|t)="
"""A pair that only a log line has."""

STRUCTURED: Final = pl.Schema(
    {
        "timestamp": TIMESTAMP,
        "severity": pl.UInt8(),
        "service": pl.String(),
        "program": pl.String(),
        "body": pl.String(),
        "trace_id": pl.String(),
        "span_id": pl.String(),
        "attributes": pl.String(),
        "kind": pl.String(),  # the format: json, docker, envelope, logfmt
        "content": pl.String(),  # a raw log line inside, to be parsed again; null where there is none
        "partial": pl.Boolean(),  # the content goes on in the next line
    }
)
"""Columns of structured lines, before what is inside them is parsed."""

_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


def read_json(line: str) -> Entry | None:
    """The entry of a line that is one JSON object, or None where it is not."""
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict) or not data:
        return None
    keys = data.keys()
    if keys == ENVELOPE and isinstance(data["message"], str) and isinstance(data["service"], str):
        entry = Entry(format="envelope", wins=True, content=data["message"].rstrip("\r\n"), body=data["message"])
        entry.service = services.of_envelope(data["service"])
        if entry.service != data["service"]:
            entry.attributes = orjson.dumps({"component": data["service"]}).decode()
        entry.stamp, entry.micros = fields.time_of(data["timestamp"])
        return entry
    if "log" in data and keys <= DOCKER and isinstance(data["log"], str):
        entry = Entry(format="docker", content=data["log"].rstrip("\r\n"), body=data["log"])
        entry.partial = not data["log"].endswith("\n")
        entry.stamp, entry.micros = fields.time_of(data.get("time"))
        rest = {key: value for key, value in data.items() if key not in ("log", "time")}
        entry.attributes = orjson.dumps(rest).decode() if rest else None
        return entry
    entry = fields.read(data, line, "json")
    if not entry.severity and entry.has_message and entry.body is not None:
        # No level of its own: the message may be a line with a header (Fluent Bit, CloudWatch, journald).
        entry.content = entry.body.rstrip("\r\n")
        entry.program, entry.service = entry.service or entry.program, None
    return entry


def pairs(line: str) -> list[tuple[str, str]]:
    """The pairs of a logfmt line in order, values as they stand (with their quotes)."""
    return _PAIR.findall(line)


def read_logfmt(line: str) -> Entry | None:
    """The entry of a logfmt line, or None where it holds no pair that a log line has."""
    data: dict[str, Any] = {}
    for key, value in pairs(line):
        if value[:1] == '"':
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                value = value[1:-1]
        data.setdefault(key, value)
    if len(data) < 2:
        return None
    return fields.read(data, line, "logfmt")


Reader = Callable[[str], Entry | None]


def of_entries(entries: Sequence[Entry], clock: Clock) -> pl.DataFrame:
    """`STRUCTURED` of entries, in order."""
    stamps = pl.Series([entry.stamp for entry in entries], dtype=pl.String)
    times = pl.Series([entry.micros for entry in entries], dtype=pl.Int64).cast(TIMESTAMP)
    if stamps.null_count() < len(stamps):
        written = timestamps.parse(stamps, clock)
        times = times.fill_null(written) if times.null_count() < len(times) else written
    columns: dict[str, list[Any]] = {
        "severity": [entry.severity for entry in entries],
        "kind": [entry.format for entry in entries],
        "partial": [entry.partial for entry in entries],
        **{
            name: [getattr(entry, name) for entry in entries]
            for name in ("service", "program", "body", "trace_id", "span_id", "attributes", "content")
        },
    }
    series = [pl.Series(name, values, dtype=STRUCTURED[name]) for name, values in columns.items()]
    return pl.DataFrame([times.alias("timestamp"), *series]).select(STRUCTURED.names())


def completed(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """`STRUCTURED` of lines of one kind, of which some columns are given."""
    absent = [
        pl.lit(False if name == "partial" else kind if name == "kind" else None, dtype=dtype).alias(name)
        for name, dtype in STRUCTURED.items()
        if name not in frame.columns
    ]
    return frame.with_columns(absent).select(STRUCTURED.names())
