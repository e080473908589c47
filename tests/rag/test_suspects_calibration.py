"""Scores are probabilities: bounded, ordered, shared by those that say the same, low where nothing is sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.suspects.calibration import OUTSIDE, SHARPNESS, probabilities

CERTAIN = OUTSIDE / SHARPNESS
TOTALS = st.lists(st.floats(-5, 20), min_size=1, max_size=12).map(lambda values: sorted(values, reverse=True))


@given(TOTALS, st.data())
def test_probabilities_are_ordered_and_inside_the_unit_interval(totals: list[float], data: st.DataObject) -> None:
    answers = data.draw(st.lists(st.sampled_from("abc"), min_size=len(totals), max_size=len(totals)))
    found = probabilities(totals, answers)
    assert len(found) == len(totals)
    assert all(0.0 < value < 1.0 for value in found)
    assert found == sorted(found, reverse=True)


@given(TOTALS)
def test_different_answers_and_none_of_them_share_one(totals: list[float]) -> None:
    assert sum(probabilities(totals, range(len(totals)))) <= 1.0 + len(totals) * 1e-3


def test_a_lead_makes_sure_and_a_tie_does_not() -> None:
    assert probabilities([CERTAIN + 2, CERTAIN - 1], ["a", "b"])[0] > 0.9
    assert probabilities([CERTAIN + 2, CERTAIN + 2], ["a", "b"]) == pytest.approx([0.48, 0.48], abs=0.02)
    assert probabilities([CERTAIN], ["a"]) == pytest.approx([0.5])
    assert probabilities([CERTAIN - 2], ["a"])[0] < 0.1


def test_suspects_that_say_the_same_stand_together() -> None:
    alone, other = probabilities([CERTAIN + 1, CERTAIN + 1], ["a", "b"])
    together, again = probabilities([CERTAIN + 1, CERTAIN + 1], ["a", "a"])
    assert together > alone
    assert again < together
    assert other <= alone


def test_no_suspects_have_no_probabilities() -> None:
    assert probabilities([], []) == []
