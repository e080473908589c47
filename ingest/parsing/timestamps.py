"""Timestamps in columns: the shapes that logs use, and their conversion to UTC.

A stamp is taken apart by the header's expression into its base (to the second), its fraction and its zone. Bases
repeat from line to line, so each run of equal bases is converted once. Impossible dates become null, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from core.batch import TIMESTAMP

NAIVE: Final = pl.Datetime("us")
_FEW: Final = 8
"""Bases that are looked at one by one, where they may have more shapes than that."""

_HMS: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DOM: Final = "(?: [0-9]|[0-9]{1,2})"
_DAY: Final = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"


@dataclass(frozen=True)
class Shape:
    """One way to write a time. `pattern` has no groups; `layouts` are tried in order on the normalised text.

    `missing` says what the stamp leaves out: `year`, `date`, or nothing. `unit` is set for epoch numbers.
    """

    name: str
    pattern: str
    layouts: tuple[str, ...] = ()
    missing: str = ""
    unit: str = ""


SHAPES: Final[tuple[Shape, ...]] = (
    Shape("iso", rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T_ ] ?{_HMS}", ("%Y-%m-%d %H:%M:%S",)),
    Shape(
        "slashes",
        rf"[0-9]{{4}}[/.][0-9]{{2}}[/.][0-9]{{2}}[T -]{_HMS}",
        ("%Y/%m/%d %H:%M:%S",),
    ),
    Shape("dotted", r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}\.[0-9]{2}\.[0-9]{2}", ("%Y-%m-%d-%H.%M.%S",)),
    Shape(
        "clf",
        rf"[0-9]{{1,2}}[/ -]{_MONTH}[/ -][0-9]{{4}}[: T]{_HMS}",
        ("%d/%b/%Y %H:%M:%S",),
    ),
    Shape(
        "ctime",
        rf"{_DAY} {_MONTH} {_DOM} {_HMS}(?:\.[0-9]{{1,9}})?(?: [A-Z]{{3,4}})? [0-9]{{4}}",
        ("%b %d %H:%M:%S %Y",),
    ),
    Shape("rfc1123", rf"{_DAY}, [0-9]{{1,2}} {_MONTH} [0-9]{{4}} {_HMS}", ("%d %b %Y %H:%M:%S",)),
    Shape(
        "american",
        rf"{_MONTH} {_DOM}, [0-9]{{4}},? [0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}(?: [AP]M)?",
        ("%b %d %Y %I:%M:%S %p", "%b %d %Y %H:%M:%S"),
    ),
    Shape("syslog_year", rf"{_MONTH} {_DOM} [0-9]{{4}} {_HMS}", ("%b %d %Y %H:%M:%S",)),
    Shape("syslog", rf"{_MONTH} {_DOM} {_HMS}", ("%Y %b %d %H:%M:%S",), missing="year"),
    Shape(
        "us_slashes",
        r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4},? [0-9]{1,2}:[0-9]{2}:[0-9]{2}(?: [AP]M)?",
        ("%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"),
    ),
    Shape("short_year", rf"[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2}} {_HMS}", ("%y/%m/%d %H:%M:%S", "%m/%d/%y %H:%M:%S")),
    Shape("basic", r"[0-9]{8}T?[ _-]?[0-9]{2}:?[0-9]{2}:?[0-9]{2}", ("%Y%m%d%H%M%S",)),
    Shape("unpadded", r"[0-9]{8}-[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}", ("%Y%m%d-%H:%M:%S",)),
    Shape("compact", r"[0-9]{6} [0-9]{6}", ("%y%m%d %H%M%S",)),
    Shape("month_day_compact", r"[0-9]{4}/[0-9]{6}", ("%Y %m%d/%H%M%S",), missing="year"),
    Shape("klog", rf"[0-9]{{4}} {_HMS}", ("%Y %m%d %H:%M:%S",), missing="year"),
    Shape("month_day", rf"[0-9]{{2}}[.-][0-9]{{2}} {_HMS}", ("%Y %m-%d %H:%M:%S",), missing="year"),
    Shape("epoch_ns", r"[0-9]{19}", unit="ns"),
    Shape("epoch_us", r"[0-9]{16}", unit="us"),
    Shape("epoch_ms", r"[0-9]{13}", unit="ms"),
    Shape("epoch_s", r"1[0-9]{9}", unit="s"),
    Shape("iso_minute", r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", ("%Y-%m-%d %H:%M",)),
    Shape("time", _HMS, ("%Y-%m-%d %H:%M:%S",), missing="date"),
)
BY_NAME: Final = {shape.name: shape for shape in SHAPES}
_MOST_SEARCHED: Final = 16_384
"""Characters up to which lines are searched for shapes one by one."""

FRACTION: Final = r"(?:[.,:](?P<frac>[0-9]{1,9}))?"
_ZONES: Final[dict[str, float]] = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "CET": 1, "WEST": 1, "CEST": 2, "EET": 2, "SAST": 2, "EEST": 3,
    "MSK": 3, "IST": 5.5, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Hours east of UTC of the abbreviations that are seldom ambiguous in logs."""

ZONE: Final = rf"(?: ?(?P<zone>[+-][0-9]{{2}}:?[0-9]{{2}}|[+-][0-9]{{2}}|{'|'.join(_ZONES)})\b)?"

_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_FIXED: Final = {20: "%Y-%m-%dT%H:%M:%SZ", 24: "%Y-%m-%dT%H:%M:%S.%3fZ", 27: "%Y-%m-%dT%H:%M:%S.%6fZ"}
"""Layouts of RFC 3339 by their length."""


@dataclass(frozen=True)
class Clock:
    """What incomplete stamps are completed with: a zone for naive ones, the time the log was last written for years."""

    timezone: ZoneInfo
    written_at: datetime

    @property
    def local(self) -> datetime:
        return self.written_at.astimezone(self.timezone)


def shapes_in(lines: Sequence[str]) -> frozenset[str]:
    """Names of the shapes that stand anywhere in some lines; all of them, where there is too much to look at."""
    if sum(map(len, lines)) > _MOST_SEARCHED:
        return frozenset(BY_NAME)
    return frozenset(name for name, shape in _searched() if any(shape.search(line) for line in lines))


@cache
def _searched() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((shape.name, re.compile(shape.pattern)) for shape in SHAPES)


def runs(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The values of runs of equal neighbours, and for each row the number of its run."""
    change = column.ne_missing(column.shift(1))
    if len(change):
        change = change.scatter(0, True)
    return column.filter(change), change.cum_sum() - 1


def to_utc(
    base: pl.Series,
    fraction: pl.Series | None,
    zone: pl.Series | None,
    clock: Clock,
    shapes: tuple[str, ...] = (),
) -> pl.Series:
    """UTC times of stamps given as bases, digits of the fraction (null: none), and zones (null or unknown: naive).

    `shapes` names the only shapes that the bases can have, where that is known.
    """
    heads, ids = runs(base)
    naive, absolute = _bases(heads, clock, shapes)
    local = (
        _localised(naive, clock.timezone).fill_null(absolute)
        if absolute is not None
        else _localised(naive, clock.timezone)
    )
    if zone is not None and zone.null_count() < len(zone):
        zone_heads, zone_ids = runs(zone)
        offsets = pl.Series([_offset(text) for text in zone_heads], dtype=pl.Duration("us")).gather(zone_ids)
        frame = pl.DataFrame({"naive": naive.gather(ids), "local": local.gather(ids), "offset": offsets})
        exact = (pl.col("naive") - pl.col("offset")).dt.replace_time_zone("UTC")
        result = frame.select(pl.coalesce(exact, pl.col("local"))).to_series()
    else:
        result = local.gather(ids)
    if fraction is not None and fraction.null_count() < len(fraction):
        result = result + _micros(fraction)
    return result.cast(TIMESTAMP)


def parse(stamps: pl.Series, clock: Clock) -> pl.Series:
    """UTC times of whole stamps as texts (from a JSON or logfmt field); what is no time becomes null."""
    if len(stamps) and _RFC3339.fullmatch(stamps[0] or ""):
        # What programs write into fields is nearly always this, and different on each line.
        times = _fixed(stamps)
        if times is None:
            times = stamps.str.to_datetime("%+", time_unit="us", strict=False)
        if times.null_count() > stamps.null_count():
            open_rows = times.is_null().arg_true()
            times = times.scatter(open_rows, _parsed(stamps.gather(open_rows), clock))
        return times
    return _parsed(stamps, clock)


def _fixed(stamps: pl.Series) -> pl.Series | None:
    """Times of stamps that are written alike, with `T`, `Z` and the same number of digits; None where they are not.

    Polars reads a layout of fixed width three times faster than any RFC 3339.
    """
    lengths = stamps.str.len_bytes()
    layout = _FIXED.get(len(stamps[0]))
    if layout is None or lengths.null_count() or lengths.min() != lengths.max():
        return None
    times = stamps.str.to_datetime(layout, time_unit="us", strict=False)
    return None if times.null_count() else times.dt.replace_time_zone("UTC")


def _parsed(stamps: pl.Series, clock: Clock) -> pl.Series:
    heads, ids = runs(stamps)
    bases = "|".join(f"(?:{shape.pattern})" for shape in SHAPES)
    parts = heads.str.extract_groups(rf"^\s*(?P<base>{bases}){FRACTION}{ZONE}").struct.unnest()
    return to_utc(parts["base"], parts["frac"], parts["zone"], clock).gather(ids)


def _micros(digits: pl.Series) -> pl.Series:
    """Durations of fractions of a second given by their digits; zero for null."""
    micros = pl.first().str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0)
    return digits.to_frame().select(micros.cast(pl.Duration("us"))).to_series()


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text[0] in "+-":
        digits = text[1:].replace(":", "").ljust(4, "0")
        delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return -delta if text[0] == "-" else delta
    hours = _ZONES.get(text)
    return None if hours is None else timedelta(hours=hours)


def _localised(naive: pl.Series, zone: ZoneInfo) -> pl.Series:
    """Naive local times as UTC; the earlier of two in autumn, one hour later for those that spring skips."""
    if str(zone) == "UTC":
        return naive.dt.replace_time_zone("UTC")
    name = str(zone)
    there = naive.dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
    skipped = naive.is_not_null() & there.is_null()
    if skipped.any():
        later = (naive + timedelta(hours=1)).dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
        there = there.fill_null(later)
    return there.dt.convert_time_zone("UTC")


def _bases(heads: pl.Series, clock: Clock, shapes: tuple[str, ...]) -> tuple[pl.Series, pl.Series | None]:
    """Naive times of bases, and absolute ones (epoch numbers), each null where it does not apply."""
    naive = pl.Series("base", [None], dtype=NAIVE).new_from_index(0, len(heads))
    absolute: pl.Series | None = None
    open_rows = heads.is_not_null()
    candidates = [BY_NAME[name] for name in shapes] or list(SHAPES)
    if len(candidates) == 1 and not candidates[0].unit:
        return _dated(heads, candidates[0], clock), None
    named = [_shape_of(head, candidates) for head in heads] if len(heads) <= _FEW < len(candidates) else None
    for shape in candidates:
        if not open_rows.any():
            break
        if len(candidates) == 1:
            rows = open_rows
        elif named is not None:
            rows = pl.Series([name == shape.name for name in named])
        else:
            rows = (heads.str.contains(rf"^(?:{shape.pattern})$") & open_rows).fill_null(False)
        if not rows.any():
            continue
        texts = heads.filter(rows)
        where = rows.arg_true()
        if shape.unit:
            if absolute is None:
                absolute = naive.dt.replace_time_zone("UTC")
            absolute = absolute.scatter(where, _epoch(texts, shape.unit))
        else:
            naive = naive.scatter(where, _dated(texts, shape, clock))
        open_rows = open_rows & ~rows
    return naive, absolute


def _shape_of(head: str | None, candidates: Sequence[Shape]) -> str | None:
    """The first shape that a base has. For a few odd lines of each block, whose bases may have any: Polars forgets
    compiled expressions when there are many, and would compile those of all shapes for each block."""
    if head is None:
        return None
    return next((shape.name for shape in candidates if re.fullmatch(shape.pattern, head)), None)


def _epoch(texts: pl.Series, unit: str) -> pl.Series:
    numbers = texts.cast(pl.Int64, strict=False)
    if unit == "ns":
        numbers, unit = numbers // 1000, "us"
    if unit == "s":
        numbers, unit = numbers * 1000, "ms"
    return numbers.cast(pl.Datetime("ms" if unit == "ms" else "us", "UTC")).cast(TIMESTAMP)


def _dated(texts: pl.Series, shape: Shape, clock: Clock) -> pl.Series:
    text = _normalised(texts, shape)
    if shape.missing == "year":
        return _with_year(text, shape.layouts[0], clock)
    if shape.missing == "date":
        return _with_date(text, shape.layouts[0], clock)
    result = text.str.to_datetime(shape.layouts[0], time_unit="us", strict=False)
    if shape.name == "ctime":  # Apache writes the fraction before the year, inside the base
        fraction = texts.str.extract(r"\.([0-9]{1,9}) ", 1)
        if fraction.null_count() < len(fraction):
            result = result + _micros(fraction)
    for layout in shape.layouts[1:]:
        if not result.null_count():
            break
        result = result.fill_null(text.str.to_datetime(layout, time_unit="us", strict=False))
    return result


def _normalised(texts: pl.Series, shape: Shape) -> pl.Series:
    match shape.name:
        case "iso" | "iso_minute":
            return texts.str.replace("[T_ ] ?", " ")
        case "slashes":
            return (texts.str.head(10).str.replace_all(".", "/", literal=True)) + " " + texts.str.slice(11)
        case "clf":
            day = texts.str.extract(r"^(.*[0-9]{4})", 1).str.replace_all("[/ -]", "/")
            return day + " " + texts.str.extract(f"({_HMS})$", 1)
        case "ctime":
            year = texts.str.extract("([0-9]{4})$", 1)
            stamp = texts.str.extract(f"^... (.*?{_HMS})", 1)
            return stamp.str.replace("  ", " ", literal=True) + " " + year
        case "rfc1123":
            return texts.str.slice(5)
        case "american":
            return texts.str.replace_all(",", "", literal=True).str.replace("  ", " ", literal=True)
        case "us_slashes":
            return texts.str.replace_all(",", "", literal=True).str.replace_all("[.-]", "/")
        case "basic":
            return texts.str.replace_all("[T _:-]", "")
        case "syslog" | "syslog_year":
            return texts.str.replace("  ", " ", literal=True)
        case "month_day":
            return texts.str.replace(".", "-", literal=True)
    return texts


def _with_year(texts: pl.Series, layout: str, clock: Clock) -> pl.Series:
    """Stamps without a year: the latest year that does not put them later than a day after the log was written."""
    local = clock.local
    limit = (local + timedelta(days=1)).replace(tzinfo=None)
    result: pl.Series | None = None
    for year in range(limit.year, limit.year - 9, -1):  # nine years always hold a leap year's 29 February
        guess = (f"{year} " + texts).str.to_datetime(layout, time_unit="us", strict=False)
        guess = guess.set(guess > limit, None)
        result = guess if result is None else result.fill_null(guess)
        if not result.null_count() or (year < limit.year and not texts.str.contains("Feb 29|02-29|0229").any()):
            break
    assert result is not None
    return result


def _with_date(texts: pl.Series, layout: str, clock: Clock) -> pl.Series:
    """Times of day: on the day the log was last written, or on the day before where that would be later than it."""
    local = clock.local
    today = (f"{local:%Y-%m-%d} " + texts).str.to_datetime(layout, time_unit="us", strict=False)
    later = today > (local + timedelta(minutes=1)).replace(tzinfo=None)
    frame = pl.DataFrame({"today": today, "later": later})
    return frame.select(
        pl.when("later").then(pl.col("today") - timedelta(days=1)).otherwise(pl.col("today"))
    ).to_series()
