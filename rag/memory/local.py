"""The store in this process: exact, brute force, for tests, evaluation and small memories that need not last."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np

from core.domain import LogTemplate
from core.memory import MemoryDocument, MemoryFilter
from rag.memory.index import (
    BM25_SHAPES,
    BM25_TERMS,
    Asked,
    Collection,
    Entry,
    Hits,
    Manifest,
    Outline,
    Searched,
    Vector,
    dropped_share,
)

SCHEMA = 1


class Bm25:
    """Okapi BM25 with Lucene's idf, ln(1 + (N - n + 0.5) / (n + 0.5)), the one that Milvus computes.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
    """

    def __init__(self, texts: Sequence[str], k1: float, b: float) -> None:
        counts = [Counter(text.split()) for text in texts]
        self._k1 = k1
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for row, words in enumerate(counts):
            for word, times in words.items():
                self._postings.setdefault(word, []).append((row, times))
        lengths = [words.total() for words in counts]
        mean = sum(lengths) / len(lengths) if any(lengths) else 1.0
        self._norms = [k1 * (1 - b + b * length / mean) for length in lengths]

    def scores(self, query: str, dropped: float = 0.0) -> dict[int, float]:
        """Score by row, of the rows that share a word with the query. `dropped` is the share of the query's words that
        are left out, those of the least weight."""
        total = len(self._norms)
        weights: dict[str, float] = {}
        for word, wanted in Counter(query.split()).items():
            holders = len(self._postings.get(word, []))
            weights[word] = wanted * math.log1p((total - holders + 0.5) / (holders + 0.5))
        least = sorted(weights.values())[int(dropped * len(weights))] if weights else 0.0
        found: dict[int, float] = {}
        for word, weight in weights.items():
            if weight < least:
                continue
            for row, times in self._postings.get(word, []):
                gain = weight * times * (self._k1 + 1) / (times + self._norms[row])
                found[row] = found.get(row, 0.0) + gain
        return found


class _Rows:
    """One collection. The indexes are built when first asked for after a change."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._built: tuple[list[Entry], Vector, Bm25, Bm25] | None = None

    def changed(self) -> None:
        self._built = None

    def built(self) -> tuple[list[Entry], Vector, Bm25, Bm25]:
        if self._built is None:
            rows = list(self.entries.values())
            vectors = np.stack([row.vector for row in rows]) if rows else np.zeros((0, 1), np.float32)
            self._built = (
                rows,
                vectors,
                Bm25([row.terms for row in rows], *BM25_TERMS),
                Bm25([row.shapes for row in rows], *BM25_SHAPES),
            )
        return self._built


class LocalStore:
    """A `MemoryStore` in dictionaries. Not safe for use by several threads at once."""

    def __init__(self, model: str, dimension: int) -> None:
        self._manifest = Manifest(SCHEMA, model, dimension)
        self._rows: dict[Collection, _Rows] = {"incidents": _Rows(), "documents": _Rows()}
        self._templates: dict[int, tuple[LogTemplate, Vector]] = {}

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def location(self) -> str:
        return "this process"

    def size(self) -> int | None:
        return None

    def put(self, collection: Collection, entries: Sequence[Entry]) -> None:
        rows = self._rows[collection]
        for entry in entries:
            rows.entries[entry.document.id] = entry
        rows.changed()

    def fetch(self, collection: Collection, ids: Sequence[str]) -> Mapping[str, MemoryDocument]:
        entries = self._rows[collection].entries
        return {key: entries[key].document for key in ids if key in entries}

    def ids_starting(self, collection: Collection, prefix: str, limit: int) -> Sequence[str]:
        return sorted(key for key in self._rows[collection].entries if key.startswith(prefix))[:limit]

    def remove(self, collection: Collection, ids: Sequence[str]) -> int:
        rows = self._rows[collection]
        gone = [key for key in dict.fromkeys(ids) if rows.entries.pop(key, None) is not None]
        rows.changed()
        return len(gone)

    def search(self, collection: Collection, asked: Asked, k: int, where: MemoryFilter) -> Searched:
        rows, vectors, terms, shapes = self._rows[collection].built()
        cosines = vectors @ asked.vector() if rows else np.zeros(0, np.float32)
        scores = {
            "dense": {row: float(score) for row, score in enumerate(cosines)},
            "bm25": terms.scores(asked.terms, dropped_share(asked.terms)),
            "templates": shapes.scores(asked.shapes),
        }
        lists = {name: _best(found, rows, k, where) for name, found in scores.items()}
        return Searched(lists, lambda ids: self.fetch(collection, ids))

    def outlines(self, collection: Collection, where: MemoryFilter) -> Iterator[Outline]:
        for _, entry in sorted(self._rows[collection].entries.items()):
            document = entry.document
            if passes(document, where):
                yield Outline(
                    document.id, document.starts_at, document.fingerprint, document.confirmed, document.rejected
                )

    def sightings(
        self, collection: Collection, fingerprints: frozenset[str], where: MemoryFilter
    ) -> Sequence[tuple[str, datetime | None]]:
        documents = [entry.document for entry in self._rows[collection].entries.values()]
        return [
            (one.fingerprint, one.starts_at)
            for one in documents
            if one.fingerprint in fingerprints
            and (where.tenant is None or one.tenant == where.tenant)
            and one.id not in where.exclude_ids
        ]

    def count(self, collection: Collection) -> int:
        return len(self._rows[collection].entries)

    def put_templates(self, templates: Sequence[LogTemplate], vectors: Sequence[Vector]) -> None:
        for template, vector in zip(templates, vectors, strict=True):
            self._templates[template.template_id] = (template, vector)

    def fetch_templates(self, ids: Sequence[int]) -> Mapping[int, LogTemplate]:
        return {key: self._templates[key][0] for key in ids if key in self._templates}

    def nearest_templates(self, vector: Vector, k: int) -> Sequence[tuple[LogTemplate, float]]:
        scored = [(template, float(other @ vector)) for template, other in self._templates.values()]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0].template_id))[:k]

    def count_templates(self) -> int:
        return len(self._templates)

    def close(self) -> None:
        return None


def passes(document: MemoryDocument, where: MemoryFilter) -> bool:
    """Whether a document is one that the filter asks for."""
    services = {service.casefold() for service in document.services}
    starts = document.starts_at
    return (
        (not where.kinds or document.kind in where.kinds)
        and (not where.services or any(service.casefold() in services for service in where.services))
        and (not where.levels or document.level in where.levels)
        and (not where.outcomes or document.outcome in where.outcomes)
        and (where.tenant is None or document.tenant == where.tenant)
        and (where.start is None or (starts is not None and starts >= where.start))
        and (where.end is None or (starts is not None and starts <= where.end))
        and document.id not in where.exclude_ids
    )


def _best(scores: Mapping[int, float], rows: Sequence[Entry], k: int, where: MemoryFilter) -> Hits:
    found = [
        (rows[row].document.id, score)
        for row, score in scores.items()
        if score != 0 and passes(rows[row].document, where)
    ]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]
