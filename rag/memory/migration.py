"""Brings the collections of an older schema up to date: `cali memory init` does it.

Schema 2 has other indexes than schema 1 over the same fields (`rag.memory.milvus` says why), and the same hits: until
it is migrated, a memory of schema 1 is searched as it is, only slower.

What is done already is left alone and the manifest is written last: after an interruption, the next call goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rag.memory import milvus
from rag.memory.index import Generation
from rag.memory.milvus import Index, Milvus


def migrate(connection: Milvus, generation: Generation) -> Generation:
    """The generation in this version's schema. Rows stay where they are; each index that differs is made anew, during
    which a server answers no search of that collection."""
    if generation.manifest.schema >= milvus.SCHEMA:
        return generation
    for what in milvus.COLLECTIONS:
        name = milvus.collection_name(what, generation.number)
        indexes = milvus.indexes_of(what, lite=connection.is_lite)
        there = {each.name: _described(connection, name, each.name) for each in indexes}
        changed = [each for each in indexes if not _is(each, there[each.name])]
        if changed:
            connection.call("release_collection", name)
            for each in changed:
                if there[each.name]:
                    connection.call("drop_index", name, each.name)
            milvus.make_index(connection, name, changed)
        connection.call("load_collection", name)
    migrated = replace(generation, manifest=replace(generation.manifest, schema=milvus.SCHEMA))
    milvus.make_current(connection, migrated)
    return migrated


def _described(connection: Milvus, name: str, field: str) -> dict[str, Any]:
    """The index of a field as the server tells it; empty where there is none."""
    if field not in connection.call("list_indexes", name):
        return {}
    return dict(connection.call("describe_index", name, field))


def _is(index: Index, there: dict[str, Any]) -> bool:
    """Whether what is there is the index that is wanted. The server tells parameters as texts."""
    wanted = {"index_type": index.type, "metric_type": index.metric, **index.params}
    return all(str(there.get(key)) == str(value) for key, value in wanted.items())
