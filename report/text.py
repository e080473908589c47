"""Text for people: hostile log text made harmless, long text clipped, numbers, durations and times spelled out."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.cells import cell_len, set_cell_size

ELLIPSIS: Final = "…"
_OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)")
_MARKS_IN_A_ROW: Final = 4


def printable(text: str, limit: int = 4096) -> str:
    """`text` as one line that only shows: no control, escape, direction-changing or invisible character is left as is.

    Those appear as `\\x1b` or `\\u202e`; a tab and any other space as one space; more than four combining marks in a
    row are dropped. At most `limit` characters are looked at; `…` stands for the rest.
    """
    cut = len(text) > limit
    head = text[:limit] if cut else text
    if not (head.isascii() and head.isprintable()):
        head = _shown(head)
    return head + ELLIPSIS if cut else head


def _shown(text: str) -> str:
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW:
            continue
        if char == "\t" or category == "Zs":
            out.append(" ")
        elif category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            out.append(_named(char))
        else:
            out.append(char)
    return "".join(out)


def _named(char: str) -> str:
    code = ord(char)
    if char in "\n\r":
        return "\\n" if char == "\n" else "\\r"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clip(text: str, cells: int) -> str:
    """`text`, printable, in at most `cells` terminal cells; `…` ends what was cut."""
    shown = printable(text, limit=max(cells, 1) * 2)
    if cell_len(shown) <= cells:
        return shown
    return set_cell_size(shown, max(cells - 1, 0)).rstrip() + ELLIPSIS


def clip_start(text: str, cells: int) -> str:
    """`text`, printable, in at most `cells` cells, cut at the front: of a path, the end is what tells."""
    shown = printable(text[-4 * max(cells, 1) :])
    if len(text) <= 4 * max(cells, 1) and cell_len(shown) <= cells:
        return shown
    while shown and cell_len(shown) > cells - 1:
        shown = shown[1:]
    return ELLIPSIS + shown


def count(number: int, noun: str = "", plural: str = "") -> str:
    """`1,234`; with a noun `1 line`, `1,234 lines`. `plural` is the noun with an `s` where it is not given."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def compact(number: float) -> str:
    """At most five characters: `999`, `1.2k`, `12M`, `3.4G`; `1e18` beyond 10^15."""
    value = float(number)
    for unit in ("", "k", "M", "G", "T"):
        if value < 999.5:
            return f"{value:.0f}{unit}" if unit == "" or value >= 9.95 else f"{value:.1f}{unit}"
        value /= 1000
    return f"{float(number):.0e}".replace("+", "")


def value(observed: float | str | None, cells: int = 40) -> str:
    """An observed or expected value: text quoted, numbers to about three digits, `-` where there is none."""
    if observed is None:
        return "-"
    if isinstance(observed, str):
        return f"“{clip(observed, cells)}”"
    magnitude = abs(observed)
    if magnitude >= 1e15:
        return f"{observed:.3g}"
    if magnitude >= 100 or observed == int(observed):
        return f"{observed:,.0f}"
    return f"{observed:.1f}" if magnitude >= 10 else f"{observed:.2g}"


def percent(share: float) -> str:
    """`62 %`; never 100 or 0 for what is only near it."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")


def duration(span: timedelta) -> str:
    """The two largest units: `450 ms`, `12.3 s`, `29 min 51 s`, `2 h 5 min`, `3 d 4 h`."""
    seconds = span.total_seconds()
    if seconds < 0:
        return f"-{duration(-span)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for size, name, smaller, small_name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size:,} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def zone(name: str) -> tzinfo:
    """The zone of `Report.timezone`: an IANA name or an offset (`+09:00`); UTC where this machine does not know it."""
    match = _OFFSET.fullmatch(name)
    if match:
        span = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(span if match[1] == "+" else -span)
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock(at: datetime | None, where: tzinfo) -> str:
    """Time of day in a zone: `03:12:04`; `-` where there is none."""
    return "-" if at is None else f"{_local(at, where):%H:%M:%S}"


def moment(at: datetime | None, where: tzinfo) -> str:
    """Date, time and zone: `2026-11-21 03:12:04 KST`."""
    if at is None:
        return "time unknown"
    local = _local(at, where)
    return f"{local:%Y-%m-%d %H:%M:%S} {_zone_label(local)}"


def span(start: datetime | None, end: datetime | None, where: tzinfo) -> str:
    """From, to and how long: `2026-11-21 03:12:04 - 03:41:55 UTC (29 min 51 s)`."""
    if start is None or end is None:
        known = start or end
        return "the logs carry no times" if known is None else moment(known, where)
    first, last = _local(start, where), _local(end, where)
    if first == last:
        return moment(start, where)
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} – {until} {_zone_label(last)} ({duration(end - start)})"


def _local(at: datetime, where: tzinfo) -> datetime:
    """`at` in a zone; in UTC where the year leaves the calendar there (year 1 or 9999)."""
    try:
        return at.astimezone(where)
    except OverflowError:
        return at


def _zone_label(local: datetime) -> str:
    label = local.tzname() or "UTC"
    return f"UTC{label}" if label[0] in "+-" else label
