"""Types of command-line options that several commands share."""

from __future__ import annotations

import re
import sys
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


class Words(click.ParamType[str]):
    """Text that people give. Bytes that are no text in the terminal's encoding become replacement characters."""

    name = "TEXT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_stdin() -> str:
    """The text on standard input, as `Words` takes it."""
    return sys.stdin.buffer.read().decode("utf-8", "replace")


class SeveralValues(click.Command):
    """A command whose `multiple` options with `PATH` take several values at once, as a shell's wildcard gives them:
    `cali analyze today/*.log --baseline yesterday/*.log`.

    Only where the paths to work on came before: `cali analyze --baseline yesterday.log today.log` takes one.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._repeated(args))

    def _repeated(self, args: list[str]) -> list[str]:
        """The arguments with the option's name before each of its values."""
        options = {name: each for each in self.params if isinstance(each, click.Option) for name in each.opts}
        found: list[str] = []
        several: str | None = None  # the option whose values these are
        value_next = given = False
        for at, arg in enumerate(args):
            if arg == "--":
                return [*found, *args[at:]]
            option = options.get(arg.partition("=")[0]) if arg.startswith("--") else None
            if value_next:
                value_next = False
            elif option is not None:
                value_next = not option.is_flag and "=" not in arg
                several = arg.partition("=")[0] if option.multiple and option.metavar == "PATH" and given else None
            elif arg.startswith("-") and arg != "-":
                several = None
            elif several is not None:
                found.append(several)
            else:
                given = True
            found.append(arg)
        return found
