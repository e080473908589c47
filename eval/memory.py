"""Memories of cases that need no service: nearest neighbours by TF-IDF or BM25. Reference for `rag`'s memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from core.memory import MemoryDocument, MemoryFilter, MemoryMatch, Signal
from eval.text import Corpus, terms, words


def searched_text(document: MemoryDocument) -> str:
    """The searched text of a document, its known cause and fix included."""
    return "\n".join(part for part in (document.text, document.cause, document.fix) if part)


class TextMemory:
    """Nearest neighbours over `text` (and `cause`, `fix` where given). Statistics come only from documents that pass
    the filter: an excluded document leaves no trace in the weights of the others.
    """

    def __init__(self, method: Literal["tfidf", "bm25"] = "tfidf") -> None:
        self._method = method
        self._documents: dict[str, MemoryDocument] = {}
        self._terms: dict[str, Counter[str]] = {}
        self._corpus: Corpus | None = None

    def add(self, documents: Sequence[MemoryDocument]) -> int:
        """Stores documents by id; how many are held now."""
        for document in documents:
            self._documents[document.id] = document
            self._terms[document.id] = self._count(searched_text(document))
        self._corpus = None
        return len(self._documents)

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        """At most `k` documents, best first, equal scores by id. Of the filter, `exclude_ids` is honoured.

        Scores are cosines, or BM25 relative to the best match.
        """
        keys = sorted(self._documents)
        if self._corpus is None:
            self._corpus = Corpus([self._terms[key] for key in keys])
        own = None if isinstance(query, str) else query.id
        excluded = {*where.exclude_ids, own}
        without = [i for i, key in enumerate(keys) if key in excluded]
        counts = self._count(query if isinstance(query, str) else query.text)
        scores = self._corpus.tfidf(counts, without) if self._method == "tfidf" else self._corpus.bm25(counts, without)
        top = max(float(scores.max(initial=0.0)), 1e-300) if self._method == "bm25" else 1.0
        left_out = set(without)
        order = [i for i in sorted(range(len(keys)), key=lambda i: (-scores[i], keys[i])) if i not in left_out][:k]
        return [
            MemoryMatch(
                document=self._documents[keys[i]],
                score=float(scores[i]) / top,
                signals=(Signal(self._method, rank, float(scores[i])),),
            )
            for rank, i in enumerate(order, 1)
        ]

    def close(self) -> None:
        """Nothing to release."""

    def _count(self, text: str) -> Counter[str]:
        return terms(text) if self._method == "tfidf" else words(text)
