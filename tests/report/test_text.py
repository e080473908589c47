"""Text for people, and the timeline at the resolution of a screen."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from core.findings import Findings
from report import chart, text
from report.document import build
from report.models import BucketModel
from report.timeline import columns, sparkline

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@settings(deadline=None)
@given(st.text())
def test_printable_text_is_printable_and_stays(raw: str) -> None:
    shown = text.printable(raw)
    assert shown.isprintable()
    assert text.printable(shown) == shown


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S")), max_size=200))
def test_printable_keeps_what_is_harmless(raw: str) -> None:
    assert text.printable(raw) == raw


@settings(deadline=None)
@given(st.text(), st.integers(1, 60))
def test_clipped_text_fits(raw: str, cells: int) -> None:
    assert cell_len(text.clip(raw, cells)) <= cells


def test_clipping_marks_the_cut() -> None:
    assert text.clip("abcdef", 6) == "abcdef"
    assert text.clip("abcdefg", 6) == "abcde…"
    assert text.clip("가나다라", 5) == "가나…"


@settings(deadline=None)
@given(st.text(), st.integers(1, 60))
def test_text_clipped_at_the_front_fits(raw: str, cells: int) -> None:
    assert cell_len(text.clip_start(raw, cells)) <= cells


def test_a_long_path_keeps_its_end() -> None:
    assert text.clip_start("/var/log/pods/checkout/0.log:1234", 14) == "…ut/0.log:1234"
    assert text.clip_start("a.log:1", 7) == "a.log:1"


def test_too_many_combining_marks_are_dropped() -> None:
    assert text.printable("a" + "\u0301" * 100) == "a" + "\u0301" * 4


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (0.45, "450 ms"),
        (12.34, "12.3 s"),
        (59, "59 s"),
        (1791, "29 min 51 s"),
        (7500, "2 h 5 min"),
        (3600, "1 h"),
        (273600, "3 d 4 h"),
        (-90, "-1 min 30 s"),
        (86400 * 4000, "4,000 d"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert text.duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (1234, "1.2k"), (99_999, "100k"), (999_999, "1.0M"), (1e12, "1.0T")],
)
def test_compact_numbers(number: float, shown: str) -> None:
    assert text.compact(number) == shown


@settings(deadline=None)
@given(st.integers(0, 10**30))
def test_compact_numbers_are_compact(number: int) -> None:
    assert len(text.compact(number)) <= 5


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        (None, "-"),
        (0.0, "0"),
        (1203.0, "1,203"),
        (1203.7, "1,204"),
        (12.34, "12.3"),
        (1.25, "1.2"),
        (0.00123, "0.0012"),
        (1e300, "1e+300"),
        ("503", "“503”"),
    ],
)
def test_values(observed: float | str | None, shown: str) -> None:
    assert text.value(observed) == shown


def test_spans() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    assert text.span(NOON, NOON + timedelta(seconds=61), UTC) == "2026-11-21 12:00:00 – 12:01:01 UTC (1 min 1 s)"
    assert text.span(NOON, NOON, UTC) == "2026-11-21 12:00:00 UTC"
    assert text.span(NOON, NOON + timedelta(hours=5), seoul) == ("2026-11-21 21:00:00 – 2026-11-22 02:00:00 KST (5 h)")
    assert text.span(None, None, UTC) == "the logs carry no times"
    assert text.span(NOON, None, UTC) == "2026-11-21 12:00:00 UTC"


def test_times_at_the_end_of_the_calendar() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert text.moment(last, ZoneInfo("Asia/Seoul")).startswith("9999-12-31")
    assert text.clock(datetime.min.replace(tzinfo=UTC), ZoneInfo("America/New_York")) == "00:00:00"


@pytest.mark.parametrize("name", ["UTC", "Asia/Seoul", "+09:00", "-03:30"])
def test_zones(name: str) -> None:
    assert NOON.astimezone(text.zone(name)) == NOON


def test_a_zone_that_this_machine_does_not_know_is_utc() -> None:
    assert text.zone("Mars/Olympus") is UTC
    assert text.zone("../etc/passwd") is UTC


def bucket(minute: int, **counts: int) -> BucketModel:
    start = NOON + timedelta(minutes=minute)
    return BucketModel(start=start, end=start + timedelta(minutes=1), counts=counts)


def test_columns_share_buckets_in_proportion() -> None:
    strip = columns([bucket(minute, INFO=60, ERROR=6) for minute in range(90)], 60)
    assert len(strip) == 60
    assert {column.counts["INFO"] for column in strip} == {90}
    assert {column.counts["ERROR"] for column in strip} == {9}
    assert strip[0].start == NOON
    assert strip[0].end == NOON + timedelta(seconds=90)
    assert strip[-1].end == NOON + timedelta(minutes=90)


def test_a_single_error_is_not_lost_in_a_column() -> None:
    strip = columns([bucket(minute, ERROR=int(minute == 500)) for minute in range(1000)], 7)
    assert sum(column.counts["ERROR"] for column in strip) == 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**12), max_size=80), st.integers(1, 40))
def test_columns_keep_the_records(numbers: list[int], limit: int) -> None:
    strip = columns([bucket(minute, DEBUG=number) for minute, number in enumerate(numbers)], limit)
    assert len(strip) <= limit
    assert sum(column.total for column in strip) >= sum(numbers) * 0.999
    assert sum(column.total for column in strip) <= sum(numbers) * 1.001 + 2 * limit


def test_sparkline() -> None:
    assert sparkline([0, 1, 500, 1000]) == " ▁▄█"
    assert sparkline([0, 0], 2) == "    "
    assert sparkline([]) == ""


def test_the_drawing_lies_in_its_frame(found: Findings) -> None:
    drawing = chart.chart(build(found), ZoneInfo("Asia/Seoul"))
    assert drawing is not None
    for panel in drawing.panels:
        for bar in panel.bars:
            assert chart.LEFT <= bar.x <= bar.x + bar.width <= chart.RIGHT + 0.1
            assert panel.top - 0.1 <= bar.y <= bar.y + bar.height <= panel.bottom + 0.1
    assert [tick.text for tick in drawing.ticks] == ["12:00", "12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]
    assert [shade.number for shade in drawing.shades] == [1, 2]
    assert drawing.changes[0].text == "config payments: config reloaded: db.pool.max 50 -> 5"
    assert "1,995 ERROR" in drawing.description


def test_the_drawing_without_times(timeless: Findings) -> None:
    drawing = chart.chart(build(timeless), UTC)
    assert drawing is not None
    assert [tick.text for tick in drawing.ticks] == ["first line", "last line"]
    assert drawing.shades == ()


@pytest.mark.parametrize("days", [1e-8, 1e-5, 0.001, 0.04, 1, 9, 400, 30_000, 700_000])
def test_ticks_of_any_window(days: float) -> None:
    start = datetime(100, 3, 1, 1, 2, 3, 456, tzinfo=UTC)
    span = timedelta(days=days)
    strip = columns([BucketModel(start=start, end=start + span, counts={"INFO": 1})], 10)
    ticks = list(chart._ticks(strip, UTC))
    assert len(ticks) <= 9
    assert len({tick.text for tick in ticks}) == len(ticks)


def test_nothing_to_draw(nothing_found: Findings) -> None:
    assert chart.chart(build(dataclasses.replace(nothing_found, timeline=())), UTC) is None
