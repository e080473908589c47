"""Another model for an old memory: a new generation is filled beside the old one and takes its place when it is whole.

Resumable: the new generation's number and model stand in its collections' names and description, and what is in it
already is not embedded again. Searches use the old generation until the one write that makes the new one current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from core.errors import InputError
from core.ports import Embedder
from rag.memory import MEMORY_FILE, milvus
from rag.memory.documents import passage, plain
from rag.memory.hybrid import entry_of
from rag.memory.index import Collection, Generation, Manifest, Vector
from rag.memory.milvus_store import MilvusStore

_BATCH: Final = 256
_COLLECTIONS: Final[tuple[Collection, ...]] = ("incidents", "documents")


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What was done: the models, how many documents and templates were embedded now, and how many before."""

    old_model: str
    new_model: str
    embedded: int
    kept: int


def reembed(
    state: Path,
    embedder: Embedder,
    *,
    uri: str | None = None,
    token: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Reembedded:
    """Embeds everything in a memory with another model. Called again after an interruption, it goes on.

    `progress` is told how many of how many are done. Raises InputError where there is no memory.
    """
    connection = milvus.Milvus(uri or state / MEMORY_FILE, token)
    try:
        old = milvus.current(connection)
        if old is None:
            raise InputError(f"no memory in {connection.location}; `cali memory init` makes one")
        manifest = Manifest(milvus.SCHEMA, embedder.model, embedder.dimension)
        if replace(old.manifest, schema=manifest.schema) == manifest:
            return Reembedded(old.manifest.model, embedder.model, 0, 0)
        new = Generation(old.number + 1, manifest)
        if milvus.is_of_another_model(connection, new):
            milvus.drop(connection, new.number)
        milvus.create(connection, new)
        copied = _copy(connection, old, new, embedder, progress)
        milvus.make_current(connection, new)
        milvus.drop(connection, old.number)
        return copied
    finally:
        connection.close()


def _copy(
    connection: milvus.Milvus,
    old: Generation,
    new: Generation,
    embedder: Embedder,
    progress: Callable[[int, int], None] | None,
) -> Reembedded:
    source, target = MilvusStore(connection, old), MilvusStore(connection, new)
    total = sum(source.count(name) for name in _COLLECTIONS) + source.count_templates()
    embedded = kept = 0

    def told() -> None:
        if progress is not None:
            progress(embedded + kept, total)

    for name in _COLLECTIONS:
        done = frozenset(target.ids(name))
        waiting = [key for key in source.ids(name) if key not in done]
        kept += len(done)
        told()
        for batch in _batches(waiting):
            documents = list(source.fetch(name, [str(key) for key in batch]).values())
            vectors = _vectors(embedder, [passage(document) for document in documents])
            target.put(name, [entry_of(one, vector) for one, vector in zip(documents, vectors, strict=True)])
            embedded += len(documents)
            told()
    done = frozenset(target.ids("templates"))
    waiting = [key for key in source.ids("templates") if key not in done]
    kept += len(done)
    for batch in _batches(waiting):
        templates = list(source.fetch_templates([int(key) for key in batch]).values())
        target.put_templates(templates, _vectors(embedder, [plain(template.text) for template in templates]))
        embedded += len(templates)
        told()
    return Reembedded(old.manifest.model, new.manifest.model, embedded, kept)


def _vectors(embedder: Embedder, texts: Sequence[str]) -> list[Vector]:
    return [np.asarray(vector, np.float32) for vector in embedder.embed(texts)]


def _batches(keys: Sequence[str | int]) -> list[Sequence[str | int]]:
    return [keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH)]
