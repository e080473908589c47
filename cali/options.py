"""Types of command-line options that several commands share."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import click

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def parse_span(text: str) -> timedelta | None:
    """The span of `90s`, `30m`, `1h30m`, `2d`; None where the text is none."""
    parts = list(_SPAN.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        return None
    try:
        return sum((float(part[1]) * _UNITS[part[2]] for part in parts), timedelta())
    except OverflowError:
        return None


class Moment(click.ParamType[datetime | timedelta]):
    """An RFC 3339 time, or a span before the last line."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime | timedelta:
        if isinstance(value, datetime | timedelta):
            return value
        text = str(value).strip()
        span = parse_span(text)
        if span is not None:
            return span
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no RFC 3339 time (2026-03-02T10:00:00Z) and no span (30m, 2h, 1d)", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{text!r} has no zone; write {text}Z for UTC", param, ctx)
        return moment
