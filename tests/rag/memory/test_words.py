"""BM25 in this process, and which words of a long query a search leaves out."""

from __future__ import annotations

import pytest

from rag.memory.index import dropped_share
from rag.memory.local import Bm25

TEXTS = ["pool full of checkout", "pool full of orders", "pool empty", "pool disk"]


def test_scores_are_those_of_okapi() -> None:
    scores = Bm25(TEXTS, 1.2, 0.75).scores("checkout")
    # idf = ln(1 + (4 - 1 + .5) / (1 + .5)); four words where the mean is three.
    assert scores == pytest.approx({0: 1.2039728 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 4 / 3))})


def test_the_words_of_least_weight_are_left_out() -> None:
    index = Bm25(TEXTS, 1.2, 0.75)
    assert set(index.scores("checkout orders pool")) == {0, 1, 2, 3}
    assert set(index.scores("checkout orders pool", 0.4)) == {0, 1}
    # Said often enough, a word that all have weighs more than a rare one.
    assert set(index.scores("checkout " + "pool " * 20, 0.5)) == {0, 1, 2, 3}
    assert index.scores("", 0.4) == {}
    assert index.scores("unknown", 0.4) == {}


def test_a_short_query_is_searched_with_all_its_words() -> None:
    words = [f"word{number}" for number in range(21)]
    assert dropped_share(" ".join(words[:20])) == 0.0
    assert dropped_share(" ".join(words[:20] * 3)) == 0.0
    assert 0.0 < dropped_share(" ".join(words)) < 0.5
