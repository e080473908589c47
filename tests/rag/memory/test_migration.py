"""A memory of an older schema: searched as it is, brought up to date by `initialise`, also after an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain import LogTemplate
from core.errors import PermanentError, RetryableError
from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from rag.memory import MEMORY_FILE, milvus
from rag.memory.milvus import Index, Milvus
from rag.memory.open import initialise, open_memory
from rag.memory.reembedding import reembed
from rag.memory.testing import WordEmbedder

FIRST_SCHEMA = {
    "dense": Index("dense", "FLAT", "COSINE"),
    "bm25": Index("bm25", "SPARSE_INVERTED_INDEX", "BM25", {"bm25_k1": 1.2, "bm25_b": 0.75}),
    "overlap": Index("overlap", "SPARSE_INVERTED_INDEX", "BM25", {"bm25_k1": 1.2, "bm25_b": 0.3}),
}
DOCUMENTS = [
    MemoryDocument(
        f"d{number}",
        MemoryKind.INCIDENT,
        f"pool {number}",
        text,
        template_ids=(number, 7),
        fingerprint=f"print-{number}",
    )
    for number, text in enumerate(("connection pool exhausted", "no space left on device", "certificate has expired"))
]


@pytest.fixture
def first_schema(tmp_path: Path) -> Path:
    """A state folder with a memory as the first schema had it."""
    initialise(tmp_path, WordEmbedder())
    memory = open_memory(tmp_path, embedder=WordEmbedder(), redact=str)
    memory.add(DOCUMENTS)
    memory.add([MemoryDocument("book", MemoryKind.RUNBOOK, "free the disk", "delete logs when no space is left")])
    memory.add_templates([LogTemplate(5, "pool <*> exhausted")])
    memory.close()
    connection = Milvus(tmp_path / MEMORY_FILE)
    generation = milvus.current(connection)
    assert generation is not None
    for what in milvus.COLLECTIONS:
        name = milvus.collection_name(what, generation.number)
        connection.call("release_collection", name)
        for index in milvus.indexes_of(what, lite=True):
            connection.call("drop_index", name, index.name)
            milvus.make_index(connection, name, [FIRST_SCHEMA[index.name]])
        connection.call("load_collection", name)
    milvus.make_current(connection, replace(generation, manifest=replace(generation.manifest, schema=1)))
    connection.close()
    return tmp_path


def found(state: Path) -> dict[str, list[tuple[str, float, tuple[tuple[str, float], ...]]]]:
    """What searches give, and the schema that the memory has."""
    memory = open_memory(state, embedder=WordEmbedder(), redact=str)
    try:
        queries = {"words": "no space left", "like a document": DOCUMENTS[0]}
        return {
            name: [
                (match.document.id, round(match.score, 4), tuple((s.name, round(s.score, 4)) for s in match.signals))
                for match in memory.search(query, 5, MemoryFilter())
            ]
            for name, query in queries.items()
        }
    finally:
        memory.close()


def schema_and_indexes(state: Path) -> tuple[int, set[str], set[str]]:
    """The schema in the manifest, the metrics of the vectors, the algorithms of the words."""
    connection = Milvus(state / MEMORY_FILE)
    try:
        generation = milvus.current(connection)
        assert generation is not None
        told = [
            connection.call("describe_index", milvus.collection_name(what, generation.number), index.name)
            for what in milvus.COLLECTIONS
            for index in milvus.indexes_of(what, lite=True)
        ]
    finally:
        connection.close()
    dense = {one["metric_type"] for one in told if one["index_type"] == "FLAT"}
    return (
        generation.manifest.schema,
        dense,
        {one.get("inverted_index_algo", "") for one in told if one["index_type"] != "FLAT"},
    )


def test_an_old_memory_is_searched_as_it_is_and_migrated_by_init(first_schema: Path) -> None:
    assert schema_and_indexes(first_schema) == (1, {"COSINE"}, {""})
    before = found(first_schema)
    assert [match[0] for match in before["words"]][:1] in (["d1"], ["book"])

    assert initialise(first_schema, WordEmbedder()) is False
    assert schema_and_indexes(first_schema) == (2, {"IP"}, {"TAAT_NAIVE"})
    assert found(first_schema) == before

    assert initialise(first_schema, WordEmbedder()) is False  # and again: nothing to do
    memory = open_memory(first_schema, embedder=WordEmbedder(), redact=str)
    try:
        assert memory.stats().schema == 2
        assert memory.add(DOCUMENTS).unchanged == len(DOCUMENTS)
        assert [template.template_id for template, _ in memory.similar_templates("pool exhausted", 3)] == [5]
    finally:
        memory.close()


@pytest.mark.parametrize("method", ["drop_index", "create_index", "load_collection", "upsert"])
def test_an_interrupted_migration_goes_on(first_schema: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    before = found(first_schema)
    call = Milvus.call

    def interrupted(self: Milvus, name: str, *args: Any, **options: Any) -> Any:
        if name == method and not (name == "load_collection" and "incidents" in args[0]):
            raise RetryableError("the machine went away")
        return call(self, name, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Milvus, "call", interrupted)
        with pytest.raises(RetryableError):
            initialise(first_schema, WordEmbedder())
    assert schema_in_manifest(first_schema) == 1

    assert initialise(first_schema, WordEmbedder()) is False
    assert schema_and_indexes(first_schema) == (2, {"IP"}, {"TAAT_NAIVE"})
    assert found(first_schema) == before


def test_reembedding_an_old_memory_makes_the_new_schema(first_schema: Path) -> None:
    done = reembed(first_schema, WordEmbedder("new", 32))
    assert done.embedded == len(DOCUMENTS) + 2
    assert schema_and_indexes(first_schema) == (2, {"IP"}, {"TAAT_NAIVE"})


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    initialise(tmp_path, WordEmbedder())
    connection = Milvus(tmp_path / MEMORY_FILE)
    generation = milvus.current(connection)
    assert generation is not None
    newer = replace(generation.manifest, schema=milvus.SCHEMA + 1)
    milvus.make_current(connection, replace(generation, manifest=newer))
    connection.close()
    with pytest.raises(PermanentError, match="upgrade CALI"):
        open_memory(tmp_path, embedder=WordEmbedder(), redact=str)


def schema_in_manifest(state: Path) -> int:
    """The schema that the memory says it has."""
    connection = Milvus(state / MEMORY_FILE)
    try:
        generation = milvus.current(connection)
    finally:
        connection.close()
    assert generation is not None
    return generation.manifest.schema
