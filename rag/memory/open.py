"""Opens and initialises the incident memory: the one place that puts store, embedder and search together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.errors import ConfigError, InputError
from core.ports import Embedder
from rag.memory import MEMORY_FILE, is_initialised
from rag.memory.fusion import Fusion
from rag.memory.hybrid import HybridMemory, Reranker
from rag.memory.index import Generation, Manifest
from rag.memory.local import LocalStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


def initialise(state: Path, embedder: Embedder, *, uri: str | None = None, token: str | None = None) -> bool:
    """Makes the memory where there is none, with collections for the embedder's model; whether it was made. One of an
    older schema is brought up to date.

    Raises ConfigError where a memory of another model is there (`cali memory reembed` changes it).
    """
    from rag.memory import milvus
    from rag.memory.migration import migrate

    connection = milvus.Milvus(uri or state / MEMORY_FILE, token)
    try:
        generation = milvus.current(connection)
        if generation is not None:
            check_model(generation.manifest, embedder)
            milvus.create(connection, generation)
            migrate(connection, generation)
            return False
        first = Generation(1, Manifest(milvus.SCHEMA, embedder.model, embedder.dimension))
        milvus.create(connection, first)
        milvus.make_current(connection, first)
        return True
    finally:
        connection.close()


def open_memory(
    state: Path,
    *,
    embedder: Embedder,
    uri: str | None = None,
    token: str | None = None,
    redact: Callable[[str], str],
    now: Callable[[], datetime] = _utc_now,
    fusion: Fusion | None = None,
    reranker: Reranker | None = None,
    wait: float = 5.0,
) -> HybridMemory:
    """The memory of a state folder, or of a Milvus server. Close it: one process at a time holds a file.

    Raises InputError where `cali memory init` did not run, ConfigError where the memory was made with another model,
    RetryableError where another process holds the file for longer than `wait` seconds or the server does not answer.
    """
    if uri is None and not is_initialised(state):
        raise InputError(f"no memory in {state}; `cali memory init` makes one")
    from rag.memory import milvus
    from rag.memory.milvus_store import MilvusStore

    connection = milvus.Milvus(uri or state / MEMORY_FILE, token, wait=wait)
    try:
        generation = milvus.current(connection)
        if generation is None:
            raise InputError(f"no memory in {connection.location}; `cali memory init` makes one")
        check_model(generation.manifest, embedder)
        store = MilvusStore(connection, generation)
    except BaseException:
        connection.close()
        raise
    return HybridMemory(store, embedder, redact=redact, now=now, fusion=fusion, reranker=reranker)


def open_local(
    embedder: Embedder,
    *,
    redact: Callable[[str], str],
    now: Callable[[], datetime] = _utc_now,
    fusion: Fusion | None = None,
    reranker: Reranker | None = None,
) -> HybridMemory:
    """A memory in this process: exact, gone with the process. For evaluation and tests."""
    store = LocalStore(embedder.model, embedder.dimension)
    return HybridMemory(store, embedder, redact=redact, now=now, fusion=fusion, reranker=reranker)


def check_model(manifest: Manifest, embedder: Embedder) -> None:
    """Raises ConfigError where the embedder's vectors do not belong in a memory."""
    if (manifest.model, manifest.dimension) != (embedder.model, embedder.dimension):
        raise ConfigError(
            "memory_model",
            embedder.model,
            f"{manifest.model} ({manifest.dimension} dimensions), which made this memory; "
            f"`cali memory reembed` changes the memory to another model",
        )
