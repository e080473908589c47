"""Vectors kept by content hash: a text is embedded once, whatever asks for it and however often."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from core.ports import Embedder
from rag.memory.index import Vector

_IN_PROCESS: Final = 4096
_ON_DISK: Final = 50_000


class CachingEmbedder:
    """An `Embedder` that asks another one only for texts it has not seen: each distinct text once per call, the last
    4,096 from this process, and where there is a cache file, those of earlier processes."""

    def __init__(self, inner: Embedder, disk: VectorCache | None) -> None:
        self._inner = inner
        self._disk = disk
        self._recent: OrderedDict[str, Vector] = OrderedDict()

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        keys = [content_hash(self.model, text) for text in texts]
        wanted = dict(zip(keys, texts, strict=True))
        found = {key: self._recent[key] for key in wanted if key in self._recent}
        if self._disk is not None:
            found.update(self._disk.get([key for key in wanted if key not in found]))
        missing = [key for key in wanted if key not in found]
        fresh = {
            key: np.asarray(vector, np.float32)
            for key, vector in zip(missing, self._inner.embed([wanted[key] for key in missing]), strict=True)
        }
        if fresh and self._disk is not None:
            self._disk.put(fresh)
        found.update(fresh)
        for key in wanted:
            self._recent[key] = found[key]
            self._recent.move_to_end(key)
        while len(self._recent) > _IN_PROCESS:
            self._recent.popitem(last=False)
        return [found[key] for key in keys]


class VectorCache:
    """Vectors in an SQLite file, at most 50,000: the oldest go first. A damaged file is started anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, keys: Sequence[str]) -> Mapping[str, Vector]:
        """The vectors of those keys that are there."""
        if not keys or not self._path.exists():
            return {}
        found: dict[str, Vector] = {}
        with closing(self._open()) as connection, connection:
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                rows = connection.execute(f"select key, vector from vectors where key in ({marks})", part)
                found.update((key, np.frombuffer(blob, np.float32)) for key, blob in rows)
        return found

    def put(self, vectors: Mapping[str, Vector]) -> None:
        """Stores vectors by key."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as connection, connection:
            connection.executemany(
                "insert or replace into vectors (key, vector) values (?, ?)",
                [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors.items()],
            )
            connection.execute(
                "delete from vectors where rowid <= (select max(rowid) from vectors) - ?",
                (_ON_DISK,),
            )

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10)
        try:
            connection.execute("create table if not exists vectors (key text primary key, vector blob not null)")
        except sqlite3.DatabaseError:
            connection.close()
            self._path.unlink()
            return self._open()
        return connection


def content_hash(model: str, text: str) -> str:
    """The key of a text's vector under a model."""
    return hashlib.sha256(f"{model}\x00{text}".encode(errors="surrogatepass")).hexdigest()
