"""Counts, precision, recall, F1, average precision, windows: by hand, and against scikit-learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics_detection import average_precision, count, f1, precision, recall, window_numbers

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
lines = st.sets(st.integers(1, 40))


def test_counts_by_hand() -> None:
    assert count([3, 4, 5, 9], [4, 5, 6]) == (2, 2, 1)
    assert precision(2, 2, 1) == 0.5
    assert recall(2, 2, 1) == pytest.approx(2 / 3)
    assert f1(2, 2, 1) == pytest.approx(4 / 7)


@pytest.mark.parametrize("value", [precision, recall, f1])
def test_silence_is_right_only_where_nothing_is_labelled(value: object) -> None:
    assert callable(value)
    assert value(0, 0, 0) == 1.0
    assert value(0, 0, 3) == 0.0
    assert value(0, 3, 0) == 0.0


@given(lines, lines)
def test_f1_is_the_harmonic_mean_and_symmetric(a: set[int], b: set[int]) -> None:
    one, two = f1(*count(a, b)), f1(*count(b, a))
    assert one == pytest.approx(two)
    p, r = precision(*count(a, b)), recall(*count(a, b))
    assert one == pytest.approx(2 * p * r / (p + r) if p + r else 0.0)
    assert 0 <= one <= 1
    assert (one == 1) == (a == b)


def test_average_precision_by_hand() -> None:
    # Ranking: 7 (right), 2 (wrong), 9 (right); one labelled line is never scored.
    scores = {7: 0.9, 2: 0.5, 9: 0.1}
    assert average_precision(scores, [7, 9, 11]) == pytest.approx((1 / 3) * 1 + (1 / 3) * (2 / 3))
    assert average_precision({}, []) == 1.0
    assert average_precision({1: 0.5}, []) == 0.0
    assert average_precision({}, [1]) == 0.0


@given(
    st.dictionaries(st.integers(1, 30), st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=1),
    st.sets(st.integers(1, 30), min_size=1),
)
@settings(deadline=None)
def test_average_precision_agrees_with_scikit_learn(scores: dict[int, float], labelled: set[int]) -> None:
    reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is no dependency").average_precision_score
    scored = labelled & set(scores)
    # Labelled lines without a score are never reached: recall ends below 1 by their share.
    theirs = reference([line in scored for line in scores], list(scores.values())) if scored else 0.0
    assert average_precision(scores, labelled) == pytest.approx(theirs * len(scored) / len(labelled))


def test_windows_are_closed_and_clipped() -> None:
    end, width = START + timedelta(minutes=20), timedelta(minutes=5)

    def at(minutes: float) -> datetime:
        return START + timedelta(minutes=minutes)

    assert window_numbers([(at(6), at(11))], START, end, width) == {1, 2}
    assert window_numbers([(at(5), at(5))], START, end, width) == {1}
    assert window_numbers([(at(-9), at(2)), (at(19), at(90))], START, end, width) == {0, 3}
    assert window_numbers([(at(-9), at(-1)), (at(21), at(22))], START, end, width) == set()
    assert window_numbers([(at(20), at(20))], START, end, width) == {3}
