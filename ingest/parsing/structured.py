"""Lines that are objects: JSON and logfmt, and the wrappers among them (Docker json-file, Fluent Bit, the envelope).

Lines are decoded one by one with orjson: Polars' `str.json_decode` with a schema was measured to be no faster, and
fails for the whole column where one line is bad.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from ingest.parsing import fields, services
from ingest.parsing.fields import Entry

_ENVELOPE: Final = frozenset({"timestamp", "service", "message"})
_DOCKER: Final = frozenset({"log", "stream", "time", "attrs"})

LOGFMT: Final = (
    r"^[A-Za-z_@][A-Za-z0-9_.@/-]*=(?:\x22(?:[^\x22\\]|\\.)*\x22|[^ \x22]*) +[A-Za-z_@][A-Za-z0-9_.@/-]*=.*$"
)
"""Lines that begin with two pairs."""

LOGFMT_KEY: Final = r"(?:^| )(?:level|lvl|severity|loglevel|msg|message|ts|time|timestamp|t)="
"""A pair that only a log line has."""

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
    if keys == _ENVELOPE and isinstance(data["message"], str) and isinstance(data["service"], str):
        entry = Entry(format="envelope", wins=True, content=data["message"].rstrip("\r\n"), body=data["message"])
        entry.service = services.of_envelope(data["service"])
        if entry.service != data["service"]:
            entry.attributes = orjson.dumps({"component": data["service"]}).decode()
        entry.stamp, entry.micros = fields.time_of(data["timestamp"])
        return entry
    if "log" in data and keys <= _DOCKER and isinstance(data["log"], str):
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


def read_logfmt(line: str) -> Entry | None:
    """The entry of a logfmt line, or None where it holds no pair that a log line has."""
    data: dict[str, Any] = {}
    for key, value in _PAIR.findall(line):
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
