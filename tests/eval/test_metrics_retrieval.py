"""Retrieval metrics: by hand, against scikit-learn, and their bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics_retrieval import hit_at_k, ndcg_at_k, recall_at_k, reciprocal_rank

RANKED = ["c", "a", "d", "b"]


def test_by_hand() -> None:
    relevant = {"a", "b", "z"}
    assert hit_at_k(RANKED, relevant, 1) == 0
    assert hit_at_k(RANKED, relevant, 2) == 1
    assert recall_at_k(RANKED, relevant, 3) == pytest.approx(1 / 3)
    assert recall_at_k(RANKED, relevant, 10) == pytest.approx(2 / 3)
    assert reciprocal_rank(RANKED, relevant) == 0.5
    assert reciprocal_rank(["x"], relevant) == 0
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at_k(RANKED, relevant, 10) == pytest.approx(gain / best)
    assert ndcg_at_k(["a", "a"], {"a", "b"}, 5) < 1  # a repetition gains nothing


@given(st.permutations(list("abcdef")), st.sets(st.sampled_from(list("abcdefgh")), min_size=1), st.integers(1, 8))
def test_bounds_and_the_perfect_order(ranked: list[str], relevant: set[str], k: int) -> None:
    for value in (hit_at_k(ranked, relevant, k), recall_at_k(ranked, relevant, k), ndcg_at_k(ranked, relevant, k)):
        assert 0 <= value <= 1 + 1e-12
    assert reciprocal_rank(ranked, relevant) >= ndcg_at_k(ranked, relevant, 1)
    perfect = sorted(relevant) + [each for each in ranked if each not in relevant]
    assert ndcg_at_k(perfect, relevant, k) == pytest.approx(1)
    assert recall_at_k(ranked, relevant, k) <= recall_at_k(ranked, relevant, k + 1)


@given(st.permutations(list("abcdef")), st.sets(st.sampled_from(list("abcdef")), min_size=1), st.integers(1, 6))
@settings(deadline=None)
def test_ndcg_agrees_with_scikit_learn(ranked: list[str], relevant: set[str], k: int) -> None:
    reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is no dependency").ndcg_score
    truth = [[float(each in relevant) for each in ranked]]
    scores = [[float(-place) for place in range(len(ranked))]]
    assert ndcg_at_k(ranked, relevant, k) == pytest.approx(reference(truth, scores, k=k))
