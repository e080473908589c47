"""The little that baselines know of logs: a time, a level, a service and a masked form per line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

_ISO: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?\s?(Z|[+-]\d\d:?\d\d)?")
_CLF: Final = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})")
_LEVEL: Final = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|PANIC|EMERG)\b"
)
_LOWER_LEVEL: Final = re.compile(r"\blevel=\"?(\w+)|\[(error|crit|alert|emerg|warn|notice|info|debug)\]")
_KLOG: Final = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d")
_MASK: Final = re.compile(r"[0-9A-Fa-f]{6,}|-?\d+")
_SERVICE_KEYS: Final = ("service", "service.name", "service_name", "app", "logger", "component")
_TIME_KEYS: Final = ("timestamp", "@timestamp", "time", "ts", "eventTime")
_MESSAGE_KEYS: Final = ("message", "msg", "log", "body", "MESSAGE")
_LEVEL_KEYS: Final = ("level", "severity", "levelname", "log.level", "lvl")
ERRORS: Final = frozenset({"ERROR", "ERR", "SEVERE", "CRITICAL", "CRIT", "ALERT", "FATAL", "PANIC", "EMERG"})


@dataclass(frozen=True, slots=True)
class Line:
    """A line as a baseline sees it. `source` is the path as given; `level` upper case, empty where none was seen."""

    source: str
    number: int
    text: str
    message: str
    time: datetime | None
    level: str
    service: str | None

    @property
    def form(self) -> str:
        """The message with numbers and long hexadecimal words masked."""
        return mask(self.message)


def mask(text: str) -> str:
    """A text with numbers and long hexadecimal words masked."""
    return _MASK.sub("#", text).strip()


@lru_cache(maxsize=2)
def read_case(paths: tuple[Path, ...], zone: str) -> tuple[Line, ...]:
    """Every line of some files; kept for the next baseline that looks at the same case."""
    return tuple(line for path in paths for line in read_lines(path, zone))


def read_lines(path: Path, zone: str) -> tuple[Line, ...]:
    """Every line of a file. A line without a time takes the time and service of the line before it."""
    lines: list[Line] = []
    when, service = None, path.name.split(".", 1)[0]
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        text = raw.decode("utf-8", errors="replace").rstrip("\r")
        if not text.strip():
            continue
        fields = _fields(text)
        message = next((str(fields[key]) for key in _MESSAGE_KEYS if key in fields), text)
        when = _time(next((str(fields[key]) for key in _TIME_KEYS if key in fields), text[:120]), zone) or when
        service = next((str(fields[key]) for key in _SERVICE_KEYS if fields.get(key)), service).split("/", 1)[0]
        level = next((str(fields[key]).upper() for key in _LEVEL_KEYS if key in fields), "") or _level(message)
        lines.append(Line(str(path), number, text, message, when, level, service))
    return tuple(lines)


def in_window(lines: Sequence[Line], start: datetime | None, end: datetime | None) -> list[Line]:
    """The lines inside a window; lines without a time are inside."""
    return [
        line
        for line in lines
        if line.time is None or ((start is None or line.time >= start) and (end is None or line.time <= end))
    ]


def _fields(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _level(message: str) -> str:
    klog = _KLOG.match(message)
    if klog:
        return {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}[klog.group(1)]
    found = _LEVEL.search(message, 0, 200)
    if found:
        return found.group(1)
    lower = _LOWER_LEVEL.search(message, 0, 300)
    return (lower.group(1) or lower.group(2)).upper() if lower else ""


def _time(text: str, zone: str) -> datetime | None:
    found = _ISO.search(text)
    try:
        if found:
            date, clock, fraction, offset = found.groups()
            stamp = f"{date}T{clock}.{(fraction or '0').ljust(6, '0')}{offset or ''}"
            value = datetime.fromisoformat(stamp)
            return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
        found = _CLF.search(text)
        if found:
            return datetime.strptime(" ".join(found.groups()), "%d %b %Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
    return None
