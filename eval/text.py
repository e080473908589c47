"""TF-IDF and BM25 over a corpus of texts: small, exact, without a service.

TF-IDF: sublinear term frequency (1 + ln tf), smoothed inverse document frequency ln((1 + n) / (1 + df)) + 1, vectors of
length 1 (Salton and Buckley 1988; the smoothing is scikit-learn's). BM25: Robertson and Zaragoza 2009, k1 = 1.5,
b = 0.75, with the idf ln(1 + (n - df + .5) / (df + .5)), which is never negative.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = re.compile(r"\b\w\w+\b")
K1: Final = 1.5
B: Final = 0.75

Floats = NDArray[np.float64]


def words(text: str) -> Counter[str]:
    """Lower-case words of two characters or more, with their counts."""
    return Counter(_WORD.findall(text.lower()))


def terms(text: str) -> Counter[str]:
    """Words and pairs of neighbouring words, with their counts."""
    found = _WORD.findall(text.lower())
    counts = Counter(found)
    counts.update(f"{a} {b}" for a, b in pairwise(found))
    return counts


class Corpus:
    """Documents as counted terms. Weights are computed at each question, from the documents that are not left out."""

    def __init__(self, documents: Sequence[Mapping[str, int]]) -> None:
        self._vocabulary: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        counts: list[int] = []
        for row, document in enumerate(documents):
            for term, count in document.items():
                rows.append(row)
                columns.append(self._vocabulary.setdefault(term, len(self._vocabulary)))
                counts.append(count)
        self._size = len(documents)
        self._rows = np.asarray(rows, dtype=np.intp)
        self._columns = np.asarray(columns, dtype=np.intp)
        self._counts = np.asarray(counts, dtype=np.float64)

    def tfidf(self, query: Mapping[str, int], without: Collection[int] = ()) -> Floats:
        """Cosine of the query with each document, shape (documents,); 0 for those left out."""
        keep, columns, counts, rows = self._kept(without)
        idf = np.log((1 + keep) / (1 + np.bincount(columns, minlength=len(self._vocabulary)))) + 1
        asked = self._query(query)
        known = np.bincount(columns, minlength=len(self._vocabulary)) > 0
        vector = np.where((asked > 0) & known, (1 + np.log(np.maximum(asked, 1))) * idf, 0.0)
        norm = np.linalg.norm(vector)
        weights = (1 + np.log(counts)) * idf[columns]
        lengths = np.sqrt(np.bincount(rows, weights**2, minlength=self._size))
        dots = np.bincount(rows, weights * vector[columns], minlength=self._size)
        return np.asarray(dots / np.maximum(lengths * norm, 1e-300), dtype=np.float64)

    def bm25(self, query: Mapping[str, int], without: Collection[int] = ()) -> Floats:
        """BM25 of each document for the query's distinct terms, shape (documents,); 0 for those left out."""
        keep, columns, counts, rows = self._kept(without)
        frequency = np.bincount(columns, minlength=len(self._vocabulary))
        idf = np.log(1 + (keep - frequency + 0.5) / (frequency + 0.5))
        lengths = np.bincount(rows, counts, minlength=self._size)
        mean = lengths.sum() / keep if keep and lengths.any() else 1.0
        saturated = counts * (K1 + 1) / (counts + K1 * (1 - B + B * lengths[rows] / mean))
        weights = np.where(self._query(query)[columns] > 0, idf[columns] * saturated, 0.0)
        return np.asarray(np.bincount(rows, weights, minlength=self._size), dtype=np.float64)

    def _kept(self, without: Collection[int]) -> tuple[int, NDArray[np.intp], Floats, NDArray[np.intp]]:
        if not without:
            return self._size, self._columns, self._counts, self._rows
        left_out = set(without)
        mask = ~np.isin(self._rows, list(left_out))
        return self._size - len(left_out), self._columns[mask], self._counts[mask], self._rows[mask]

    def _query(self, query: Mapping[str, int]) -> Floats:
        vector = np.zeros(len(self._vocabulary))
        for term, count in query.items():
            column = self._vocabulary.get(term)
            if column is not None:
                vector[column] = count
        return vector


def inverse_document_frequency(documents: Iterable[Collection[str]]) -> dict[str, float]:
    """Smoothed idf of every term that occurs in some document (each a collection of distinct terms)."""
    frequency: Counter[str] = Counter()
    total = 0
    for document in documents:
        total += 1
        frequency.update(document)
    return {term: float(np.log((1 + total) / (1 + df)) + 1) for term, df in frequency.items()}


def cosine_ranks(
    queries: Sequence[Mapping[str, int]], texts: Sequence[Mapping[str, int]], idf: Mapping[str, float]
) -> list[int]:
    """1-based rank of `texts[i]` among all texts for `queries[i]`, by TF-IDF cosine.

    Texts that score the same share the better rank; 0 where query and text have no known term in common.
    """
    vectors = [_vector(text, idf) for text in texts]
    ranks = []
    for number, query in enumerate(queries):
        asked = _vector(query, idf)
        scores = [sum(value * vector.get(term, 0.0) for term, value in asked.items()) for vector in vectors]
        own = scores[number]
        ranks.append(1 + sum(score > own + 1e-12 for score in scores) if own > 0 else 0)
    return ranks


def _vector(counts: Mapping[str, int], idf: Mapping[str, float]) -> dict[str, float]:
    raw = {term: (1 + float(np.log(count))) * idf[term] for term, count in counts.items() if term in idf}
    norm = sum(value * value for value in raw.values()) ** 0.5
    return {term: value / norm for term, value in raw.items()} if norm else {}
