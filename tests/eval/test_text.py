"""TF-IDF and BM25 against reference implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.text import K1, B, Corpus, cosine_ranks, inverse_document_frequency, terms, words

texts = st.lists(st.text("abc xyz", min_size=0, max_size=40), min_size=1, max_size=6)


def test_words_and_pairs() -> None:
    assert words("Disk full: disk /dev/sda1 a") == {"disk": 2, "full": 1, "dev": 1, "sda1": 1}
    assert terms("disk is full") == {"disk": 1, "is": 1, "full": 1, "disk is": 1, "is full": 1}


@given(texts, st.text("abc xyz", max_size=40))
@settings(deadline=None)
def test_tfidf_agrees_with_scikit_learn(documents: list[str], query: str) -> None:
    module = pytest.importorskip("sklearn.feature_extraction.text", reason="scikit-learn is no dependency")
    vectorizer = module.TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    try:
        matrix = vectorizer.fit_transform(documents)
    except ValueError:  # no word in any document
        assert not Corpus([terms(each) for each in documents]).tfidf(terms(query)).any()
        return
    expected = (matrix @ vectorizer.transform([query]).T).toarray()[:, 0]
    assert Corpus([terms(each) for each in documents]).tfidf(terms(query)) == pytest.approx(expected)


@given(texts, st.text("abc xyz", max_size=40))
@settings(deadline=None)
def test_bm25_ranks_as_rank_bm25_does(documents: list[str], query: str) -> None:
    module = pytest.importorskip("rank_bm25", reason="in the test extra")
    tokens = [list(words(each).elements()) for each in documents]
    if not any(tokens):
        return
    reference = module.BM25Okapi(tokens, k1=K1, b=B)
    # The reference has another idf (it can be negative); with ours put in, scores must be equal.
    total = len(documents)
    for word in reference.idf:
        holding = sum(word in each for each in tokens)
        reference.idf[word] = float(np.log(1 + (total - holding + 0.5) / (holding + 0.5)))
    scores = Corpus([words(each) for each in documents]).bm25(words(query))
    assert scores == pytest.approx(reference.get_scores(list(words(query))))


@given(texts, st.text("abc xyz", max_size=40), st.data())
@settings(deadline=None)
def test_a_document_left_out_leaves_no_trace(documents: list[str], query: str, data: st.DataObject) -> None:
    out = data.draw(st.integers(0, len(documents) - 1))
    rest = [each for i, each in enumerate(documents) if i != out]
    for count, method in ((terms, "tfidf"), (words, "bm25")):
        whole, less = Corpus([count(each) for each in documents]), Corpus([count(each) for each in rest])
        scores = getattr(whole, method)(count(query), without=[out])
        assert scores[out] == 0
        assert np.delete(scores, out) == pytest.approx(getattr(less, method)(count(query)))


def test_ranks_among_causes() -> None:
    causes = [terms("disk full on node"), terms("certificate expired"), terms("memory leak")]
    logs = [terms("no space left on disk full"), terms("tls certificate expired yesterday"), terms("all is well")]
    assert cosine_ranks(logs, causes, inverse_document_frequency(logs)) == [1, 1, 0]


def test_equal_texts_share_the_better_rank() -> None:
    causes = [terms("disk full"), terms("disk full"), terms("disk")]
    assert cosine_ranks([terms("disk full")] * 3, causes, inverse_document_frequency(causes)) == [1, 1, 3]
