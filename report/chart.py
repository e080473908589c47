"""Geometry of the timeline drawing: rectangles, ticks and shaded windows in the units of its view box.

Two panels share the axis of time: all records on top, and WARN and worse below at a scale of their own, because a few
errors among many records would not be seen otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from report.models import Report
from report.text import compact, count, duration, moment
from report.timeline import ROWS, Column, columns

WIDTH: Final = 1000
HEIGHT: Final = 250
LEFT: Final = 46
RIGHT: Final = 988
_COLUMNS: Final = 160
_TICKS: Final = 8
_STEPS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
        *(86400 * days for days in (1, 2, 7, 14, 30, 90, 365, 3650)),
    )
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a severity (`fatal`, `error`, `warn`, `all`)."""

    x: float
    y: float
    width: float
    height: float
    severity: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: the top and bottom of its plot, the count at the top, its bars."""

    top: float
    bottom: float
    highest: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Shade:
    """The window of an incident; `number` is its place in the report."""

    number: int
    level: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis with a text: a tick or a change."""

    x: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Hover:
    """A column that shows its numbers under the pointer."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything to draw, and `description`, what a screen reader says."""

    panels: tuple[Panel, ...]
    shades: tuple[Shade, ...]
    changes: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    hovers: tuple[Hover, ...]
    description: str


def chart(report: Report, zone: tzinfo) -> Chart | None:
    """The drawing of a report's timeline; None where there is nothing to draw."""
    strip = columns(report.timeline, _COLUMNS)
    if not strip or not any(column.total for column in strip):
        return None
    worse = {row: [column.counts[row] for column in strip] for row in reversed(ROWS[:3])}
    panels: tuple[Panel, ...]
    everything = {"all": [column.total for column in strip]}
    if any(any(numbers) for numbers in worse.values()):
        panels = (_panel(everything, top=30, bottom=95), _panel(worse, top=115, bottom=218))
    else:
        panels = (_panel(everything, top=30, bottom=218),)
    return Chart(
        panels=panels,
        shades=tuple(_shades(report, strip)),
        changes=tuple(_changes(report, strip)),
        ticks=tuple(_ticks(strip, zone)),
        hovers=tuple(_hovers(strip, zone)),
        description=_description(report, strip),
    )


def _panel(rows: Mapping[str, Sequence[int]], top: float, bottom: float) -> Panel:
    """Stacks rows (name -> count per column), the first at the bottom."""
    totals = [sum(numbers) for numbers in zip(*rows.values(), strict=True)]
    scale = (bottom - top) / max(*totals, 1)
    step = (RIGHT - LEFT) / len(totals)
    gap = 0.15 * step if step > 3 else 0.0
    bars: list[Bar] = []
    for index in range(len(totals)):
        y = bottom
        for name, numbers in rows.items():
            if not numbers[index]:
                continue
            height = max(numbers[index] * scale, 0.8)
            y = max(y - height, top)
            x = LEFT + index * step
            bars.append(Bar(round(x, 2), round(y, 2), round(step - gap, 2), round(height, 2), name.lower()))
    return Panel(top, bottom, compact(max(totals)), tuple(bars))


def _position(at: datetime | None, strip: Sequence[Column]) -> float | None:
    """The x of a time, inside the plot; None where either is unknown or the time lies outside."""
    start, end = strip[0].start, strip[-1].end
    if at is None or start is None or end is None or end <= start or not start <= at <= end:
        return None
    return round(LEFT + (RIGHT - LEFT) * ((at - start) / (end - start)), 2)


def _shades(report: Report, strip: Sequence[Column]) -> Iterator[Shade]:
    start, end = strip[0].start, strip[-1].end
    if start is None or end is None:
        return
    for number, incident in enumerate(report.incidents, start=1):
        if incident.starts_at is None:
            continue
        left = _position(max(incident.starts_at, start), strip)
        right = _position(min(incident.ends_at or incident.starts_at, end), strip)
        if left is not None and right is not None:
            yield Shade(number, incident.level, left, max(round(right - left, 2), 3.0), incident.title)


def _changes(report: Report, strip: Sequence[Column]) -> Iterator[Mark]:
    for change in report.changes:
        x = _position(change.timestamp, strip)
        if x is not None:
            yield Mark(x, f"{change.kind} {change.service or ''}: {change.text}")


def _ticks(strip: Sequence[Column], zone: tzinfo) -> Iterator[Mark]:
    start, end = strip[0].start, strip[-1].end
    if start is None or end is None or end <= start:
        yield Mark(LEFT, "first line", "start")
        yield Mark(RIGHT, "last line", "end")
        return
    step = next((step for step in _STEPS if (end - start) / step <= _TICKS), (end - start) / 4)
    pattern = "%Y-%m-%d" if step >= timedelta(days=1) else "%H:%M" if step >= timedelta(minutes=1) else "%H:%M:%S"
    if step < timedelta(days=1) and end - start > timedelta(days=1):
        pattern = "%m-%d %H:%M"
    local = start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = math.ceil((local - midnight) / step)
    for index in range(first, first + _TICKS + 1):
        at = midnight + index * step
        x = _position(at, strip)
        if x is not None:
            text = at.strftime(pattern) + (f".{at.microsecond // 1000:03d}" if step < timedelta(seconds=1) else "")
            yield Mark(x, text, "start" if x < LEFT + 20 else "end" if x > RIGHT - 20 else "middle")


def _hovers(strip: Sequence[Column], zone: tzinfo) -> Iterator[Hover]:
    step = (RIGHT - LEFT) / len(strip)
    for index, column in enumerate(strip):
        head = moment(column.start, zone) if column.start else f"part {index + 1} of {len(strip)}"
        if column.start and column.end:
            head += f", {duration(column.end - column.start)}"
        numbers = ", ".join(f"{row} {count(column.counts[row])}" for row in ROWS if column.counts[row])
        yield Hover(round(LEFT + index * step, 2), round(step, 2), f"{head}: {numbers or 'no records'}")


def _description(report: Report, strip: Sequence[Column]) -> str:
    totals = {row: sum(bucket.counts.get(row, 0) for bucket in report.timeline) for row in ROWS[:3]}
    records = sum(sum(bucket.counts.values()) for bucket in report.timeline)
    worse = ", ".join(f"{count(number)} {row}" for row, number in totals.items() if number) or "none above INFO"
    return (
        f"Timeline of {count(records, 'record')} in {count(len(strip), 'column')}: {worse}; "
        f"{count(len(report.incidents), 'incident')} shaded, {count(len(report.changes), 'change')} marked."
    )
