"""Brier, ECE, risk-coverage: by hand, against a second way to compute them, and their bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics_calibration import aurc, brier, expected_calibration_error, risk_coverage

CONFIDENCE = np.array([0.9, 0.8, 0.8, 0.3])
CORRECT = np.array([1.0, 0.0, 1.0, 0.0])

answers = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.35, 0.5, 0.9, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1)


def test_brier_by_hand() -> None:
    assert brier(CONFIDENCE, CORRECT) == pytest.approx((0.01 + 0.64 + 0.04 + 0.09) / 4)


def test_ece_by_hand() -> None:
    # Bins (.8, .9]: {.9 right}; (.7, .8]: {.8 wrong, .8 right}; (.2, .3]: {.3 wrong}.
    assert expected_calibration_error(CONFIDENCE, CORRECT) == pytest.approx((0.1 + 2 * 0.3 + 0.3) / 4)


def test_risk_coverage_by_hand() -> None:
    # The two answers of confidence .8 are tied: one of them is wrong, so each counts one half.
    assert risk_coverage(CONFIDENCE, CORRECT) == pytest.approx([0, 0.25, 1 / 3, 0.5])
    assert aurc(CONFIDENCE, CORRECT) == pytest.approx((0 + 0.25 + 1 / 3 + 0.5) / 4)


@given(answers)
def test_bounds_and_the_last_point(given_answers: list[tuple[float, float]]) -> None:
    confidence, correct = np.array(given_answers).T
    assert 0 <= brier(confidence, correct) <= 1
    assert 0 <= expected_calibration_error(confidence, correct) <= 1
    curve = risk_coverage(confidence, correct)
    assert curve[-1] == pytest.approx(1 - correct.mean())
    assert ((curve >= -1e-12) & (curve <= 1 + 1e-12)).all()


@given(answers)
def test_ece_agrees_with_a_loop_over_bins(given_answers: list[tuple[float, float]]) -> None:
    total = 0.0
    for low in range(10):
        inside = [(c, y) for c, y in given_answers if low / 10 < c <= (low + 1) / 10 or (low == 0 and c == 0)]
        if inside:
            mean = [sum(each) / len(inside) for each in zip(*inside, strict=True)]
            total += len(inside) / len(given_answers) * abs(mean[0] - mean[1])
    confidence, correct = np.array(given_answers).T
    assert expected_calibration_error(confidence, correct) == pytest.approx(total)


@given(answers, st.randoms())
def test_the_order_of_ties_does_not_matter(given_answers: list[tuple[float, float]], random: object) -> None:
    shuffled = list(given_answers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = np.array(given_answers).T, np.array(shuffled).T
    assert aurc(*one) == pytest.approx(aurc(*two))
