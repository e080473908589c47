"""Odd lines of a known shape are read as the first of that shape was."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from ingest.parsing import decoder, headers
from ingest.parsing.shapes import MOST_CHARACTERS, MOST_SHAPES, Shapes, shape_of
from ingest.parsing.timestamps import Clock

CLOCK = Clock(ZoneInfo("UTC"), datetime(2024, 6, 20, 12, 0, tzinfo=UTC))


def test_numbers_keep_their_length() -> None:
    assert shape_of("a 350 b 9 c x12") == "a 000 b 0 c x00"
    assert shape_of("1700000000") != shape_of("170000000")


def test_many_shapes_and_long_lines_are_not_remembered() -> None:
    shapes = Shapes()
    shapes.remember(
        ["x" * (MOST_CHARACTERS + 1), *(f"{'a' * (n % 97)} {chr(97 + n % 26)}{n:b}" for n in range(20_000))], None
    )
    assert len(shapes) <= MOST_SHAPES
    assert shapes.find("x" * (MOST_CHARACTERS + 1)) == (None, False)


def test_odd_lines_are_read_alike_the_second_time_and_few_formats_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [f"2024-06-12 10:00:{n % 60:02} INFO [main] com.shop.Cart: usual {n}" for n in range(200)]
    odd = [
        "I0612 10:00:01.123456       1 server.go:12] up",
        "2024/06/12 10:00:01 [error] 12#56: *9 connect() failed",
        "Killed",
        "1:M 12 Jun 2024 10:00:01.123 # WARNING overcommit_memory is set to 0!",
        "[warning] low disk",
    ]
    again = [line.replace("01", "02") for line in odd]
    whole = decoder.Decoder(CLOCK)
    whole.learn(pl.Series(usual))
    first, fresh = whole.decode(pl.Series(odd)), decoder.Decoder(CLOCK)
    fresh.learn(pl.Series(usual))
    expected = fresh.decode(pl.Series(again))
    tried: list[str] = []
    match = headers.match

    def counted(fmt, lines, *rest):  # type: ignore[no-untyped-def]
        tried.append(fmt.name)
        return match(fmt, lines, *rest)

    monkeypatch.setattr(headers, "match", counted)
    second = whole.decode(pl.Series(again))
    names = [whole.names[code] for code in second["format"]]
    assert names == ["klog", "nginx_error", "", "redis", "level"] == [whole.names[code] for code in first["format"]]
    assert second.drop("format").equals(expected.drop("format"))
    assert len(tried) < 10
