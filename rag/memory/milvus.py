"""A Milvus and its collections: a Milvus Lite file, or a server by URI; the same code and schema. The only pymilvus.

Collections are named `cali_<what>_<generation>`. The manifest collection says which generation is current, which model
made its vectors and which schema it has; a new generation is filled beside the old one and takes its place in one
write (`rag.memory.reembedding`).

Measured with milvus-lite 2.5.1: BM25 functions work there as on a server, so words and template ids are searched by
Milvus itself; ARRAY fields fail on empty results and filter templates are refused, so services are kept as
`|a|b|` and filters are spelled out; an unknown filter is retried for minutes unless a time-out is given.

Vectors have length 1, so that the inner product is their cosine: Milvus computes no lengths, which makes a search of
100,000 vectors take 11 ms instead of 17. Milvus Lite goes through the lists of a query's words one by one
(`TAAT_NAIVE`), 16 ms instead of 24 for eighty words; a server's default skips better in large, sealed segments.
Schema 1 had neither (`rag.memory.migration`).
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from core.errors import CaliError, PermanentError, RetryableError
from rag.memory import lite
from rag.memory.filters import quoted
from rag.memory.index import (
    BM25_SHAPES,
    BM25_TERMS,
    Generation,
    Manifest,
)
from rag.memory.lock import MemoryLock
from rag.memory.rows import MAX_VARCHAR

SCHEMA: Final = 2
MANIFEST: Final = "cali_manifest"
_KEY: Final = "memory"
_PAGE: Final = 2000
_LONG: Final = 300.0
"""Seconds that loading a collection or changing its index may take: Milvus Lite reads it whole, 100,000 incidents in
ten seconds or more."""
_LITTLE_SPACE: Final = 16_000_000
"""Bytes left on a disk from which a write that failed is put down to that."""
_LONG_CALLS: Final = frozenset({"load_collection", "create_index", "drop_index"})
COLLECTIONS: Final = ("incidents", "documents", "templates")


class Milvus:
    """A connection to a Milvus Lite file or a Milvus server, with vendor errors translated.

    Raises RetryableError where the file is held by another process or the server does not answer, PermanentError
    where the server refuses.
    """

    def __init__(
        self, target: Path | str, token: str | None = None, *, timeout: float = 10.0, wait: float = 5.0
    ) -> None:
        self._timeout = timeout
        self._file = target if isinstance(target, Path) else None
        self._server: lite.LiteServer | None = None
        self._lock = MemoryLock(target) if isinstance(target, Path) else None
        self.location = str(target)
        if self._lock is not None:
            self._lock.acquire(wait)
        try:
            with ThreadPoolExecutor(1) as pool:
                started = None if self._file is None else pool.submit(lite.start, self._file, wait)
                pymilvus = _pymilvus()  # which takes as long to import as Milvus Lite to start

                if started is not None:
                    self._server = started.result()
            uri = str(target) if self._server is None else self._server.uri
            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs every error with its traceback
            for name in [name for name in logging.root.manager.loggerDict if name.startswith("pymilvus")]:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            with translated(self.location):
                self.client: Any = pymilvus.MilvusClient(uri=uri, token=token or "", timeout=timeout)
        except BaseException:
            self.close()
            raise

    @property
    def is_lite(self) -> bool:
        """Whether this is a Milvus Lite file, not a server."""
        return self._file is not None

    def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Calls the client, with the time-out and with errors translated."""
        timeout = max(self._timeout, _LONG) if method in _LONG_CALLS else self._timeout
        try:
            with translated(self.location):
                return getattr(self.client, method)(*args, timeout=timeout, **options)
        except CaliError as exc:
            # Milvus Lite does not say why a write failed.
            free = None if self._file is None else shutil.disk_usage(self._file.absolute().parent).free
            if free is not None and free < _LITTLE_SPACE:
                raise PermanentError(f"memory {self.location}: the disk is full ({free / 1e6:.1f} MB left)") from exc
            raise

    def query(self, collection: str, filter_: str, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Every row that passes, in order of the key, page by page (one answer holds 16,384 rows at most).

        pymilvus' own iterator does the same, but does not quote keys: a quotation mark in an id breaks it.
        """
        key = "template_id" if "_templates_" in collection else "id"
        after = ""
        while True:
            both = " and ".join(f"({part})" for part in (filter_, after) if part)
            rows = self.call(
                "query",
                collection,
                filter=both,
                limit=_PAGE,
                output_fields=list(dict.fromkeys((key, *fields))),
                iterator="True",  # the server stops at the smallest keys, as for an iterator
                reduce_stop_for_best="True",
            )
            yield from rows
            if len(rows) < _PAGE:
                return
            last = max(row[key] for row in rows)
            after = f"{key} > {quoted(last) if isinstance(last, str) else last}"

    def exists(self, collection: str) -> bool:
        return bool(self.call("has_collection", collection))

    def close(self) -> None:
        client = getattr(self, "client", None)
        if client is not None:
            with contextlib.suppress(CaliError), translated(self.location):
                client.close()
            self.client = None
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._lock is not None:
            self._lock.release()


def current(milvus: Milvus) -> Generation | None:
    """The generation that searches use; None where nothing was initialised."""
    if not milvus.exists(MANIFEST):
        return None
    rows = milvus.call("query", MANIFEST, filter=f'id == "{_KEY}"', limit=1, output_fields=["value"])
    if not rows:
        return None
    value = orjson.loads(rows[0]["value"])
    if value["schema"] > SCHEMA:
        raise PermanentError(
            f"memory {milvus.location} has schema {value['schema']}, newer than this version's {SCHEMA}: upgrade CALI"
        )
    return Generation(value["generation"], Manifest(value["schema"], value["model"], value["dimension"]))


def make_current(milvus: Milvus, generation: Generation) -> None:
    """Points searches at a generation, in one write."""
    pymilvus = _pymilvus()
    if not milvus.exists(MANIFEST):
        schema = milvus.client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", pymilvus.DataType.VARCHAR, max_length=64, is_primary=True)
        schema.add_field("value", pymilvus.DataType.VARCHAR, max_length=MAX_VARCHAR)
        schema.add_field("unused", pymilvus.DataType.FLOAT_VECTOR, dim=2)  # a collection must have a vector
        _make(milvus, MANIFEST, schema, [Index("unused", "FLAT", "L2")])
    manifest = generation.manifest
    value = {
        "generation": generation.number,
        "schema": manifest.schema,
        "model": manifest.model,
        "dimension": manifest.dimension,
    }
    row = {"id": _KEY, "value": orjson.dumps(value).decode(), "unused": [0.0, 0.0]}
    milvus.call("upsert", MANIFEST, data=[row])


def create(milvus: Milvus, generation: Generation) -> None:
    """Makes the collections of a generation; those that are there stay."""
    description = _description(generation.manifest)
    for what in COLLECTIONS:
        name = collection_name(what, generation.number)
        if milvus.exists(name):
            continue
        schema = milvus.client.create_schema(auto_id=False, enable_dynamic_field=False, description=description)
        fields = _template_fields if what == "templates" else _document_fields
        fields(schema, generation.manifest.dimension)
        _make(milvus, name, schema, indexes_of(what, lite=milvus.is_lite))


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a field, in Milvus' terms."""

    name: str
    """Of the field, and of its index."""
    type: str
    metric: str
    params: Mapping[str, float | str] = field(default_factory=dict)


def indexes_of(what: str, *, lite: bool) -> Sequence[Index]:
    """The indexes of a collection of `incidents`, `documents` or `templates`."""
    dense = Index("dense", "FLAT", "IP")
    if what == "templates":
        return [dense]
    algorithm = {"inverted_index_algo": "TAAT_NAIVE"} if lite else {}
    words = [
        Index(name, "SPARSE_INVERTED_INDEX", "BM25", {"bm25_k1": k1, "bm25_b": b, **algorithm})
        for name, (k1, b) in (("bm25", BM25_TERMS), ("overlap", BM25_SHAPES))
    ]
    return [dense, *words]


def make_index(milvus: Milvus, name: str, indexes: Sequence[Index]) -> None:
    """Makes indexes of a collection. Those of an empty one are ready at once: the client's own wait for them polls
    every half second, three seconds in all."""
    params = milvus.client.prepare_index_params()
    for each in indexes:
        params.add_index(each.name, index_type=each.type, metric_type=each.metric, params=dict(each.params))
    milvus.call("create_index", name, index_params=params, sync=False)


def _make(milvus: Milvus, name: str, schema: Any, indexes: Sequence[Index]) -> None:
    """Makes a loaded collection."""
    milvus.call("create_collection", name, schema=schema, consistency_level="Strong")
    make_index(milvus, name, indexes)
    milvus.call("load_collection", name)


def is_of_another_model(milvus: Milvus, generation: Generation) -> bool:
    """Whether collections of this number are there, but for other vectors (an abandoned change of model)."""
    name = collection_name(COLLECTIONS[0], generation.number)
    if not milvus.exists(name):
        return False
    written = milvus.call("describe_collection", name).get("description", "")
    return bool(written != _description(generation.manifest))


def drop(milvus: Milvus, number: int) -> None:
    """Deletes the collections of a generation."""
    for what in COLLECTIONS:
        if milvus.exists(collection_name(what, number)):
            milvus.call("drop_collection", collection_name(what, number))


def _description(manifest: Manifest) -> str:
    return orjson.dumps({"model": manifest.model, "dimension": manifest.dimension, "schema": manifest.schema}).decode()


def collection_name(what: str, number: int) -> str:
    """`cali_incidents_1`."""
    return f"cali_{what}_{number}"


@contextlib.contextmanager
def translated(location: str) -> Iterator[None]:
    """Raises Milvus' and gRPC's errors as CALI's."""
    import grpc  # type: ignore[import-untyped]

    pymilvus = _pymilvus()
    try:
        yield
    except pymilvus.exceptions.MilvusUnavailableException as exc:
        raise RetryableError(f"memory {location} is unavailable: {exc.message}; try again later") from exc
    except pymilvus.exceptions.MilvusException as exc:
        message = str(exc.message)
        if exc.code in _RETRYABLE or any(word in message for word in _PASSING):
            raise RetryableError(f"memory {location}: {message}; is the server running? try again later") from exc
        if exc.code in _DENIED or "auth" in message.lower():
            raise PermanentError(f"memory {location} refused: {message}; check setting memory_token") from exc
        raise PermanentError(f"memory {location} refused: {message}") from exc
    except grpc.RpcError as exc:
        raise RetryableError(f"memory {location}: {exc}; is the server running? try again later") from exc


_RETRYABLE: Final = frozenset({2, 8, 106})  # ConnectError of the client; rate limit; not fully loaded
_DENIED: Final = frozenset({1400, 65535 + 1})  # not authenticated
_PASSING: Final = ("Retry timeout", "Retry run out", "Fail connecting", "illegal connection", "DEADLINE", "UNAVAILABLE")


def _pymilvus() -> Any:
    import pymilvus
    import pymilvus.client.utils
    import pymilvus.exceptions

    # It imports scipy.sparse at the first search, 0.2 s, to see whether a vector is one of scipy's: ours never is.
    if hasattr(pymilvus.client.utils, "SciPyHelper"):
        pymilvus.client.utils.SciPyHelper._checked = True
    return pymilvus


def _document_fields(schema: Any, dimension: int) -> None:
    pymilvus = _pymilvus()
    kind = pymilvus.DataType
    words = {"enable_analyzer": True, "analyzer_params": {"tokenizer": "whitespace"}}
    schema.add_field("id", kind.VARCHAR, max_length=512, is_primary=True)
    for name, length in (("kind", 16), ("tenant", 256), ("level", 16), ("outcome", 16), ("fingerprint", 128)):
        schema.add_field(name, kind.VARCHAR, max_length=length)
    schema.add_field("services", kind.VARCHAR, max_length=MAX_VARCHAR)
    for name in ("starts_at", "confirmed", "rejected"):
        schema.add_field(name, kind.INT64)
    schema.add_field("payload", kind.VARCHAR, max_length=MAX_VARCHAR)
    schema.add_field("terms", kind.VARCHAR, max_length=MAX_VARCHAR, **words)
    schema.add_field("shapes", kind.VARCHAR, max_length=MAX_VARCHAR, **words)
    schema.add_field("dense", kind.FLOAT_VECTOR, dim=dimension)
    for source, target in (("terms", "bm25"), ("shapes", "overlap")):
        schema.add_field(target, kind.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            pymilvus.Function(
                name=f"{target}_of_{source}",
                function_type=pymilvus.FunctionType.BM25,
                input_field_names=[source],
                output_field_names=[target],
            )
        )


def _template_fields(schema: Any, dimension: int) -> None:
    kind = _pymilvus().DataType
    schema.add_field("template_id", kind.INT64, is_primary=True)
    schema.add_field("payload", kind.VARCHAR, max_length=MAX_VARCHAR)
    schema.add_field("dense", kind.FLOAT_VECTOR, dim=dimension)
