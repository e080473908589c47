"""The incident memory: hybrid search over a store, feedback, and what an upsert may and may not replace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final, Protocol, TypeVar

import numpy as np

from core.domain import LogTemplate
from core.errors import InputError
from core.memory import (
    AddResult,
    Feedback,
    MemoryDocument,
    MemoryFilter,
    MemoryMatch,
    MemoryStats,
    Outcome,
    Signal,
)
from core.ports import Embedder
from core.template_ids import template_hex
from rag.memory.documents import MAX_TEXT_CHARS, passage, plain, search_terms
from rag.memory.fusion import Fused, Fusion, fuse, reweight
from rag.memory.index import Asked, Collection, Entry, Hits, MemoryStore, Vector, collection_of, collections_of
from rag.memory.signature import features, nearest
from rag.memory.signs import Sign, faults_among, signs_of
from rag.memory.terms import CONCEPT_MARK, terms

_T = TypeVar("_T")

_BATCH: Final = 256
_DEPTH: Final = 50
_MAX_QUERY_TERMS: Final = 80
_MAX_QUERY_CHARS: Final = 350
"""How much of a query is embedded: what tells most comes first, and embedding takes half of a search and grows with the
length. On three sets of simulated cases the whole text found no more (hit@1 .783 of 249 queries; .787 so)."""
_RERANKED: Final = 20
_COLLECTIONS: Final[tuple[Collection, ...]] = ("incidents", "documents")


class Reranker(Protocol):
    """A cross-encoder: reads the query and a document together."""

    def score(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        """One score per passage, higher is nearer; any scale."""
        ...


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    searched: Asked
    template_ids: frozenset[int]
    id: str | None
    signs: tuple[Sign, ...]


class HybridMemory:
    """An `IncidentMemory` over any `MemoryStore`.

    `redact` masks personal data and secrets in everything that is stored, and in queries before they reach an embedder.
    `now` is the clock that recency and feedback are measured against.
    """

    def __init__(
        self,
        store: MemoryStore,
        embedder: Embedder,
        *,
        redact: Callable[[str], str],
        now: Callable[[], datetime],
        fusion: Fusion | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._redact = redact
        self._now = now
        self._fusion = fusion or Fusion()
        self._reranker = reranker

    def add(self, documents: Sequence[MemoryDocument]) -> AddResult:
        added = updated = unchanged = 0
        latest = {document.id: document for document in documents}
        for batch in _batches(list(latest.values()), _BATCH):
            for name in _COLLECTIONS:
                wanted = [self._clean(document) for document in batch if collection_of(document.kind) == name]
                if not wanted:
                    continue
                known = self._store.fetch(name, [document.id for document in wanted])
                changed: list[MemoryDocument] = []
                for document in wanted:
                    old = known.get(document.id)
                    merged = _settle(document, (*old.feedback, *document.feedback) if old else document.feedback)
                    if old == merged:
                        unchanged += 1
                        continue
                    changed.append(merged)
                    added, updated = added + (old is None), updated + (old is not None)
                self._put(name, changed)
        return AddResult(added, updated, unchanged)

    def get(self, document_id: str) -> MemoryDocument | None:
        if not document_id:
            return None
        for name in _COLLECTIONS:
            if found := self._store.fetch(name, [document_id]).get(document_id):
                return found
        ids = [key for name in _COLLECTIONS for key in self._store.ids_starting(name, document_id, 3)]
        if len(ids) > 1:
            raise InputError(f"several documents start with {document_id!r}: {', '.join(ids[:3])}; give more of the id")
        return self.get(ids[0]) if ids else None

    def list(self, where: MemoryFilter, limit: int) -> Sequence[MemoryDocument]:
        outlines = [(name, outline) for name in collections_of(where) for outline in self._store.outlines(name, where)]
        outlines.sort(key=lambda pair: (pair[1].starts_at is None, -_stamp(pair[1].starts_at), pair[1].id))
        top = outlines[:limit]
        found = {
            name: self._store.fetch(name, [outline.id for other, outline in top if other == name])
            for name in {name for name, _ in top}
        }
        return [found[name][outline.id] for name, outline in top if outline.id in found[name]]

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        if k <= 0:
            return []
        asked = self._query(query)
        if asked.id is not None:
            where = replace(where, exclude_ids=(*where.exclude_ids, asked.id))
        matches = [match for name in collections_of(where) for match in self._search(name, asked, k, where)]
        return _sorted(matches)[:k]

    def feedback(self, entry: Feedback) -> MemoryDocument:
        document = self.get(entry.incident_id)
        if document is None:
            raise InputError(f"memory has no incident {entry.incident_id!r}; `cali memory list` shows those there are")
        clean = replace(
            entry,
            incident_id=document.id,
            cause=self._redact(entry.cause) if entry.cause else None,
            fix=self._redact(entry.fix) if entry.fix else None,
            note=self._redact(entry.note),
        )
        settled = _settle(document, (*document.feedback, clean))
        if settled != document:
            self._put(collection_of(document.kind), [settled])
        return settled

    def forget(self, document_ids: Sequence[str]) -> int:
        return sum(self._store.remove(name, document_ids) for name in _COLLECTIONS)

    def add_templates(self, templates: Sequence[LogTemplate]) -> int:
        changed = 0
        latest = {template.template_id: replace(template, text=self._redact(template.text)) for template in templates}
        for batch in _batches(list(latest.values()), _BATCH):
            known = self._store.fetch_templates([template.template_id for template in batch])
            fresh = [
                template
                for template in batch
                if (old := known.get(template.template_id)) is None or old.text != template.text
            ]
            vectors = self._vectors([plain(template.text) for template in fresh])
            self._store.put_templates(fresh, vectors)
            changed += len(fresh)
        return changed

    def similar_templates(self, text: str, k: int) -> Sequence[tuple[LogTemplate, float]]:
        return self._store.nearest_templates(self._vectors([plain(self._redact(text))])[0], k) if k > 0 else []

    def stats(self) -> MemoryStats:
        counts = {name: self._store.count(name) for name in _COLLECTIONS}
        outlines = list(self._store.outlines("incidents", MemoryFilter()))
        times = [outline.starts_at for outline in outlines if outline.starts_at]
        manifest = self._store.manifest
        return MemoryStats(
            location=self._store.location,
            schema=manifest.schema,
            model=manifest.model,
            dimension=manifest.dimension,
            incidents=counts["incidents"],
            documents=counts["documents"],
            templates=self._store.count_templates(),
            confirmed=sum(outline.confirmed for outline in outlines),
            rejected=sum(outline.rejected for outline in outlines),
            oldest=min(times, default=None),
            newest=max(times, default=None),
            bytes=self._store.size(),
        )

    def export(self, where: MemoryFilter) -> Iterator[MemoryDocument]:
        for name in collections_of(where):
            ids = sorted(outline.id for outline in self._store.outlines(name, where))
            for batch in _batches(ids, _BATCH):
                found = self._store.fetch(name, batch)
                yield from (found[key] for key in batch if key in found)

    def close(self) -> None:
        self._store.close()

    def _clean(self, document: MemoryDocument) -> MemoryDocument:
        """The document as it may be stored: redacted, and bounded."""
        redact = self._redact
        return replace(
            document,
            title=redact(document.title)[:500],
            text=redact(document.text)[:MAX_TEXT_CHARS],
            services=tuple(map(redact, document.services)),
            cause=redact(document.cause)[:2000] if document.cause else None,
            fix=redact(document.fix)[:2000] if document.fix else None,
            source=redact(document.source) if document.source else None,
            labels={key: redact(value) for key, value in document.labels.items()},
            feedback=tuple(
                replace(
                    entry,
                    cause=redact(entry.cause) if entry.cause else None,
                    fix=redact(entry.fix) if entry.fix else None,
                    note=redact(entry.note),
                )
                for entry in document.feedback
            ),
        )

    def _put(self, collection: Collection, documents: Sequence[MemoryDocument]) -> None:
        vectors = self._vectors([passage(document) for document in documents])
        self._store.put(collection, [entry_of(one, vector) for one, vector in zip(documents, vectors, strict=True)])

    def _vectors(self, texts: Sequence[str]) -> Sequence[Vector]:
        return [np.asarray(vector, np.float32) for vector in self._embedder.embed(texts)] if texts else []

    def _query(self, query: MemoryDocument | str) -> _Query:
        ids: tuple[int, ...] = ()
        signs: tuple[Sign, ...] = ()
        if isinstance(query, str):
            text = self._redact(query)[:MAX_TEXT_CHARS]
            if not text.strip():
                raise InputError("the query is empty: give the words of a symptom, an error or a cause")
            words, key = " ".join(terms(text)), None
        else:
            document = self._clean(query)
            text, words, key = passage(document), search_terms(document), document.id
            ids, signs = document.template_ids, tuple(signs_of(document))
        shapes = " ".join(map(template_hex, ids))
        vector = cache(lambda: self._vectors([text[:_MAX_QUERY_CHARS]])[0])
        searched = Asked(vector, _bounded(words), shapes)
        return _Query(text, searched, frozenset(ids), key, signs)

    def _search(self, name: Collection, asked: _Query, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        depth = max(_DEPTH, 5 * k)
        searched = asked.searched if name == "incidents" else replace(asked.searched, shapes="")
        found = self._store.search(name, searched, depth, where)
        lists = self._weighed(found.lists)
        if "dense" in lists:
            lists["dense"] = [hit for hit in lists["dense"] if hit[1] >= self._fusion.dense_floor]
        fused = fuse(lists, self._fusion)[:depth]
        documents = found.documents([one.id for one in fused])
        known: Sequence[Fused] = [one for one in fused if one.id in documents]
        if asked.signs:
            known = self._compared(asked, lists, known, documents)
        if self._reranker is not None:
            known = self._reranked(asked, known, documents)
        now = self._now()
        matches = _sorted(
            [
                MemoryMatch(
                    document=documents[one.id],
                    score=reweight(one.score, documents[one.id], now, self._fusion),
                    signals=_explained(one.signals, asked.template_ids, documents[one.id]),
                )
                for one in known
            ]
        )
        return self._counted(name, _one_per_fingerprint(matches)[:k], where)

    def _compared(
        self,
        asked: _Query,
        lists: Mapping[str, Hits],
        fused: Sequence[Fused],
        documents: Mapping[str, MemoryDocument],
    ) -> Sequence[Fused]:
        """The hits with their signs compared to those asked for; where none are known of a hit, its score stays.

        What the searches found is compared, nothing is searched for: words of the faults are among those of BM25.
        Faults are compared once more by themselves: of two at once, the louder one has nearly all of the other signs.
        """
        known = {one.id: signs_of(documents[one.id]) for one in fused}
        told = {key: features(held) for key, held in known.items() if held}
        faults = {key: features(faults_among(known[key])) for key in told}
        compared = {
            "signature": nearest(features(asked.signs), told),
            "faults": nearest(features(faults_among(asked.signs)), faults),
        }
        both = {one.id: one for one in fuse({**lists, **self._weighed(compared)}, self._fusion)}
        joined = [both[one.id] if known[one.id] else one for one in fused]
        return sorted(joined, key=lambda one: (-one.score, one.id))

    def _weighed(self, lists: Mapping[str, Hits]) -> dict[str, Hits]:
        """The lists that have a weight."""
        return {signal: hits for signal, hits in lists.items() if self._fusion.weights.get(signal, 1.0) > 0}

    def _reranked(
        self, asked: _Query, fused: Sequence[Fused], documents: Mapping[str, MemoryDocument]
    ) -> Sequence[Fused]:
        """The first hits in the cross-encoder's order; they share the scores that the hits had between them."""
        assert self._reranker is not None
        head, tail = list(fused[:_RERANKED]), list(fused[_RERANKED:])
        scores = self._reranker.score(asked.text, [passage(documents[one.id]) for one in head])
        order = sorted(zip(head, scores, strict=True), key=lambda pair: (-pair[1], pair[0].id))
        return [
            Fused(one.id, place.score, (*one.signals, Signal("rerank", rank, float(score))))
            for rank, ((one, score), place) in enumerate(zip(order, head, strict=True), 1)
        ] + tail

    def _counted(self, name: Collection, matches: Sequence[MemoryMatch], where: MemoryFilter) -> Sequence[MemoryMatch]:
        """Matches with how often, and when last, an incident of their fingerprint was seen."""
        prints = frozenset(m.document.fingerprint for m in matches if m.document.fingerprint)
        if not prints:
            return [replace(match, last_seen=match.document.starts_at) for match in matches]
        seen: dict[str, list[datetime | None]] = {}
        for fingerprint, starts_at in self._store.sightings(name, prints, where):
            seen.setdefault(fingerprint, []).append(starts_at)
        counted = []
        for match in matches:
            times = seen.get(match.document.fingerprint or "", []) or [match.document.starts_at]
            last = max((time for time in times if time is not None), default=None)
            counted.append(replace(match, times_seen=len(times), last_seen=last))
        return counted


def entry_of(document: MemoryDocument, vector: Vector) -> Entry:
    """A document with everything that a store finds it by."""
    return Entry(
        document=document,
        vector=vector,
        terms=search_terms(document),
        shapes=" ".join(map(template_hex, document.template_ids)),
    )


def _settle(document: MemoryDocument, feedback: Sequence[Feedback]) -> MemoryDocument:
    """The document with feedback, each entry once, in order of time; the latest word on cause, fix and outcome wins."""
    entries = tuple(sorted(dict.fromkeys(feedback), key=lambda entry: (entry.at, entry.by, entry.verdict)))
    cause, fix, outcome = document.cause, document.fix, document.outcome
    for entry in entries:
        if entry.verdict == "reject":
            cause, fix = entry.cause, entry.fix
        cause, fix = entry.cause or cause, entry.fix or fix
        if entry.worked is not None:
            outcome = Outcome.RESOLVED if entry.worked else Outcome.UNRESOLVED
    return replace(document, feedback=entries, cause=cause, fix=fix, outcome=outcome)


def _explained(signals: Sequence[Signal], wanted: frozenset[int], document: MemoryDocument) -> tuple[Signal, ...]:
    """Signals whose template score is the share of templates that both have (Jaccard), which people can read."""
    both, either = wanted & set(document.template_ids), wanted | set(document.template_ids)
    return tuple(
        replace(signal, score=len(both) / len(either)) if signal.name == "templates" and either else signal
        for signal in signals
    )


def _one_per_fingerprint(matches: Sequence[MemoryMatch]) -> list[MemoryMatch]:
    """The best match of each fingerprint: a fault seen ten times is one answer."""
    first: dict[str, MemoryMatch] = {}
    for match in matches:
        first.setdefault(match.document.fingerprint or f"id:{match.document.id}", match)
    return list(first.values())


def _bounded(words: str) -> str:
    """Query words, at most 80 different ones: fault concepts first, then in order of appearance."""
    split = words.split()
    kept = sorted(dict.fromkeys(split), key=lambda word: not word.startswith(CONCEPT_MARK))[:_MAX_QUERY_TERMS]
    allowed = frozenset(kept)
    return " ".join(word for word in split if word in allowed)


def _sorted(matches: Sequence[MemoryMatch]) -> list[MemoryMatch]:
    return sorted(matches, key=lambda match: (-match.score, match.document.id))


def _stamp(time: datetime | None) -> float:
    return time.timestamp() if time is not None else 0.0


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
