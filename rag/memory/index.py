"""What the memory needs from a store. Two stores keep it: `local` (in this process) and `milvus`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain import LogTemplate
from core.memory import MemoryDocument, MemoryFilter, MemoryKind

Vector = NDArray[np.float32]
Collection = Literal["incidents", "documents"]
Hits = Sequence[tuple[str, float]]
"""Ids with scores, best first."""


def collection_of(kind: MemoryKind) -> Collection:
    """Where documents of a kind live."""
    return "incidents" if kind is MemoryKind.INCIDENT else "documents"


def collections_of(where: MemoryFilter) -> tuple[Collection, ...]:
    """The collections that can hold what a filter passes."""
    kinds = where.kinds or tuple(MemoryKind)
    return tuple(dict.fromkeys(collection_of(kind) for kind in kinds))


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with what it is found by. `terms` and `shapes` (template ids) are words separated by spaces."""

    document: MemoryDocument
    vector: Vector
    terms: str
    shapes: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the searches look for: a vector, words, template ids (words separated by spaces; empty: not searched).

    The vector is made when it is first asked for: the other searches can run meanwhile, and embedding takes as long.
    """

    vector: Callable[[], Vector]
    terms: str
    shapes: str


@dataclass(frozen=True, slots=True)
class Searched:
    """Hits by the name of their search; `documents` gives those of some of the ids found."""

    lists: Mapping[str, Hits]
    documents: Callable[[Sequence[str]], Mapping[str, MemoryDocument]]


@dataclass(frozen=True, slots=True)
class Outline:
    """The few fields of a document that listing and counting need."""

    id: str
    starts_at: datetime | None
    fingerprint: str | None
    confirmed: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a store was made for. A vector of another model means nothing in it."""

    schema: int
    model: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of collections: its number, and what its vectors are."""

    number: int
    manifest: Manifest


class MemoryStore(Protocol):
    """Documents with vectors and words, in two collections, and templates. Writes are durable when they return."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def location(self) -> str: ...

    def size(self) -> int | None:
        """Bytes on disk, where the store is a file."""
        ...

    def put(self, collection: Collection, entries: Sequence[Entry]) -> None: ...

    def fetch(self, collection: Collection, ids: Sequence[str]) -> Mapping[str, MemoryDocument]: ...

    def ids_starting(self, collection: Collection, prefix: str, limit: int) -> Sequence[str]: ...

    def remove(self, collection: Collection, ids: Sequence[str]) -> int: ...

    def search(self, collection: Collection, asked: Asked, k: int, where: MemoryFilter) -> Searched:
        """At most `k` hits of each search, with their documents.

        `dense`: by cosine. `bm25`: by BM25 over words (k1 1.2, b 0.75), of a long query without the words that weigh
        least (`dropped_share`); documents that share no word are absent.
        `templates`: by BM25 over template ids (k1 1.2, b 0.3): a template that few incidents have weighs most.
        """
        ...

    def outlines(self, collection: Collection, where: MemoryFilter) -> Iterator[Outline]: ...

    def sightings(
        self, collection: Collection, fingerprints: frozenset[str], where: MemoryFilter
    ) -> Sequence[tuple[str, datetime | None]]:
        """Fingerprint and start of every document with one of these fingerprints, in the tenant, not excluded."""
        ...

    def count(self, collection: Collection) -> int: ...

    def put_templates(self, templates: Sequence[LogTemplate], vectors: Sequence[Vector]) -> None: ...

    def fetch_templates(self, ids: Sequence[int]) -> Mapping[int, LogTemplate]: ...

    def nearest_templates(self, vector: Vector, k: int) -> Sequence[tuple[LogTemplate, float]]: ...

    def count_templates(self) -> int: ...

    def close(self) -> None: ...


BM25_TERMS: tuple[float, float] = (1.2, 0.75)
"""k1 and b of the search by words."""
BM25_SHAPES: tuple[float, float] = (1.2, 0.3)
"""k1 and b of the search by template ids: an incident with many templates is hardly a worse match."""

_LONG_QUERY = 20
_DROPPED = 0.3


def dropped_share(terms: str) -> float:
    """The share of a query's words that a search by words leaves out, those of the least weight in the query (how rare
    a word is, times how often the query has it). Words that half of all incidents have cost most and tell nothing: of a
    query with more than 20 words the least 0.3 are left out, of a short one none."""
    return _DROPPED if len(set(terms.split())) > _LONG_QUERY else 0.0
