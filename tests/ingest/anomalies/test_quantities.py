"""Values with a unit become numbers of one unit."""

from __future__ import annotations

import pytest

from ingest.anomalies.quantities import numbers_of
from ingest.anomalies.values import parameters_of


@pytest.mark.parametrize(
    ("words", "numbers", "unit"),
    [
        (["18.7ms", "1.5s", "980µs"], [18.7, 1500.0, 0.98], "ms"),
        (["1m30.5s", "2h0m0s", "5s"], [90_500.0, 7_200_000.0, 5_000.0], "ms"),
        (["-1.5s", "3"], [-1500.0, 3.0], "ms"),
        (["3.5MB", "4KiB", "12 B"], [3_500_000.0, 4_096.0, 12.0], ""),
        (["2.08x", "0.64x"], [2.08, 0.64], ""),
        (["12%", "7.5%"], [12.0, 7.5], ""),
        (["1", "2.5"], [1.0, 2.5], ""),
    ],
)
def test_values_are_numbers_of_one_unit(words: list[str], numbers: list[float], unit: str) -> None:
    found, kind = numbers_of(words)
    assert found is not None
    assert found.tolist() == pytest.approx(numbers)
    assert kind == unit


@pytest.mark.parametrize("words", [["a", "b"], ["1ms", "3MB"], ["4.1", "v2", "new"]])
def test_words_and_mixed_units_are_no_numbers(words: list[str]) -> None:
    assert numbers_of(words)[0] is None


def test_fields_of_an_object_are_parameters() -> None:
    lines = [f'{{"attr": {{"ns": "shop.orders", "durationMillis": {n}}}, "id": 7}}' for n in (3, 9)]
    assert parameters_of(None, ["Slow query"] * 2, lines) == [
        ("attr.ns", ["shop.orders", "shop.orders"]),
        ("attr.durationMillis", ["3", "9"]),
        ("id", ["7", "7"]),
    ]
