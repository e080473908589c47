"""The store in one generation of the collections of a Milvus (`rag.memory.milvus`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.domain import LogTemplate
from core.memory import MemoryDocument, MemoryFilter
from rag.memory import codec
from rag.memory.filters import expression, ids_expression, prefix_expression, quoted
from rag.memory.index import (
    Asked,
    Collection,
    Entry,
    Generation,
    Hits,
    Manifest,
    Outline,
    Searched,
    Vector,
    dropped_share,
)
from rag.memory.milvus import COLLECTIONS, Milvus, collection_name
from rag.memory.rows import document_row, template_row, to_template, to_time

_WRITE: Final = 500
_TEMPLATE_FIELDS: Final = ["template_id", "payload"]


class MilvusStore:
    """A `MemoryStore` in one generation of a Milvus."""

    def __init__(self, milvus: Milvus, generation: Generation) -> None:
        self._milvus = milvus
        self._generation = generation
        self._filled: set[str] = set()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="memory-search")
        for what in COLLECTIONS:
            milvus.call("load_collection", self._name(what))

    @property
    def manifest(self) -> Manifest:
        return self._generation.manifest

    @property
    def location(self) -> str:
        return self._milvus.location

    def size(self) -> int | None:
        path = Path(self._milvus.location)
        return path.stat().st_size if path.is_file() else None

    def put(self, collection: Collection, entries: Sequence[Entry]) -> None:
        rows = [document_row(entry) for entry in entries]
        self._write(collection, rows)

    def fetch(self, collection: Collection, ids: Sequence[str]) -> Mapping[str, MemoryDocument]:
        found: dict[str, MemoryDocument] = {}
        for start in range(0, len(ids), _WRITE):
            these = ids_expression(ids[start : start + _WRITE])
            for row in self._milvus.query(self._name(collection), these, ["payload"]):
                document = codec.loads(row["payload"])
                found[document.id] = document
        return found

    def ids(self, what: str) -> Sequence[str | int]:
        """Every key of `incidents`, `documents` or `templates`."""
        key = "template_id" if what == "templates" else "id"
        return [row[key] for row in self._milvus.query(self._name(what), "", [key])]

    def ids_starting(self, collection: Collection, prefix: str, limit: int) -> Sequence[str]:
        rows = self._milvus.query(self._name(collection), prefix_expression(prefix), ["id"])
        return sorted(row["id"] for row in rows if row["id"].startswith(prefix))[:limit]

    def remove(self, collection: Collection, ids: Sequence[str]) -> int:
        self._filled.discard(collection)
        there = list(self.fetch(collection, list(dict.fromkeys(ids))))
        if there:
            for start in range(0, len(there), _WRITE):
                these = ids_expression(there[start : start + _WRITE])
                self._milvus.call("delete", self._name(collection), filter=these)
        return len(there)

    def search(self, collection: Collection, asked: Asked, k: int, where: MemoryFilter) -> Searched:
        # BM25 divides by the mean length of the documents: Milvus fails where there are none.
        if collection not in self._filled and not self._count(collection):
            return Searched({}, lambda ids: {})
        self._filled.add(collection)
        # At once: each is one request, and Milvus uses another core for each. This thread embeds meanwhile.
        dropped = dropped_share(asked.terms)
        running = {
            name: self._pool.submit(self._search, collection, field, query, k, where, dropped if name == "bm25" else 0)
            for name, field, query in (("bm25", "bm25", asked.terms), ("templates", "overlap", asked.shapes))
            if query
        }
        rows = {"dense": self._search(collection, "dense", asked.vector(), k, where)}
        rows |= {name: request.result() for name, request in running.items()}
        # Documents come with the hits: asking for them by id would look through all keys, 8 ms for 100,000.
        payloads = {hit["id"]: hit["entity"]["payload"] for hits in rows.values() for hit in hits}
        return Searched(
            {name: _in_order(hits) for name, hits in rows.items()},
            lambda ids: {key: codec.loads(payloads[key]) for key in ids if key in payloads},
        )

    def outlines(self, collection: Collection, where: MemoryFilter) -> Iterator[Outline]:
        fields = ["id", "starts_at", "fingerprint", "confirmed", "rejected"]
        for row in self._milvus.query(self._name(collection), expression(where), fields):
            yield Outline(
                row["id"], to_time(row["starts_at"]), row["fingerprint"] or None, row["confirmed"], row["rejected"]
            )

    def sightings(
        self, collection: Collection, fingerprints: frozenset[str], where: MemoryFilter
    ) -> Sequence[tuple[str, datetime | None]]:
        within = expression(MemoryFilter(tenant=where.tenant, exclude_ids=where.exclude_ids))
        these = f"fingerprint in [{', '.join(quoted(one) for one in sorted(fingerprints))}]"
        both = f"({these}) and ({within})" if within else these
        rows = self._milvus.query(self._name(collection), both, ["fingerprint", "starts_at"])
        return [(row["fingerprint"], to_time(row["starts_at"])) for row in rows]

    def count(self, collection: Collection) -> int:
        return self._count(collection)

    def put_templates(self, templates: Sequence[LogTemplate], vectors: Sequence[Vector]) -> None:
        self._write("templates", [template_row(one, vector) for one, vector in zip(templates, vectors, strict=True)])

    def fetch_templates(self, ids: Sequence[int]) -> Mapping[int, LogTemplate]:
        if not ids:
            return {}
        rows = self._milvus.call("get", self._name("templates"), ids=list(ids), output_fields=_TEMPLATE_FIELDS)
        return {row["template_id"]: to_template(row) for row in rows}

    def nearest_templates(self, vector: Vector, k: int) -> Sequence[tuple[LogTemplate, float]]:
        found = self._milvus.call(
            "search",
            self._name("templates"),
            data=[vector],
            anns_field="dense",
            limit=k,
            output_fields=_TEMPLATE_FIELDS,
        )
        return [(to_template(hit["entity"]), float(hit["distance"])) for hit in found[0]]

    def count_templates(self) -> int:
        return self._count("templates")

    def close(self) -> None:
        self._pool.shutdown()
        self._milvus.close()

    def _name(self, what: str) -> str:
        return collection_name(what, self._generation.number)

    def _count(self, what: str) -> int:
        rows = self._milvus.call("query", self._name(what), filter="", output_fields=["count(*)"])
        return int(rows[0]["count(*)"])

    def _write(self, what: str, rows: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(rows), _WRITE):
            self._milvus.call("upsert", self._name(what), data=list(rows[start : start + _WRITE]))

    def _search(
        self, collection: Collection, field: str, query: Any, k: int, where: MemoryFilter, dropped: float = 0.0
    ) -> Sequence[dict[str, Any]]:
        found = self._milvus.call(
            "search",
            self._name(collection),
            data=[query],
            anns_field=field,
            limit=k,
            filter=expression(where),
            output_fields=["payload"],
            search_params={"params": {"drop_ratio_search": dropped}} if dropped else {},
        )
        return [hit for hit in found[0] if hit["distance"] != 0]


def _in_order(hits: Sequence[dict[str, Any]]) -> Hits:
    return sorted(((hit["id"], float(hit["distance"])) for hit in hits), key=lambda hit: (-hit[1], hit[0]))
