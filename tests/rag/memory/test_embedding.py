"""Which embedder is opened, what is cached, and what endpoints may do wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from services.embeddings_server import EmbeddingsServer, embeddings_server

from core.errors import CaliError, ConfigError, InputError, PermanentError, RetryableError
from rag.memory.cache import CachingEmbedder, VectorCache
from rag.memory.embedding import DEFAULT_MODEL, OpenAIEmbedder, SentenceTransformerEmbedder, open_embedder
from rag.memory.testing import WordEmbedder


def _listed(*rows: tuple[int, list[float]]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in rows]
    return {"object": "list", "model": "m", "data": data}


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as running:
        yield running


def test_each_distinct_text_is_embedded_once(tmp_path: Path) -> None:
    inner = WordEmbedder()
    embedder = CachingEmbedder(inner, VectorCache(tmp_path / "vectors.db"))
    first = embedder.embed(["a pool", "a disk", "a pool"])
    again = embedder.embed(["a disk"])
    assert inner.asked == ["a pool", "a disk"]
    assert np.array_equal(first[0], first[2]) and np.array_equal(first[1], again[0])
    other = WordEmbedder()
    assert np.array_equal(CachingEmbedder(other, VectorCache(tmp_path / "vectors.db")).embed(["a pool"])[0], first[0])
    assert other.asked == []
    renamed = WordEmbedder("another model")
    CachingEmbedder(renamed, VectorCache(tmp_path / "vectors.db")).embed(["a pool"])
    assert renamed.asked == ["a pool"]


def test_a_damaged_cache_is_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    path.write_bytes(b"this is no database " * 500)
    embedder = CachingEmbedder(WordEmbedder(), VectorCache(path))
    assert len(embedder.embed(["a", "b"])) == 2
    with sqlite3.connect(path) as connection:
        assert connection.execute("select count(*) from vectors").fetchone() == (2,)


def test_an_endpoint_is_asked_in_batches_with_the_key(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder("m", server.url, "secret", timeout=5)
    assert len(embedder.embed([f"text {number}" for number in range(300)] + [""])) == 301
    assert [len(request["input"]) for request in server.requests] == [128, 128, 45]
    assert {request["path"] for request in server.requests} == {"/v1/embeddings"}
    assert set(server.keys) == {"Bearer secret"}
    assert all(text for request in server.requests for text in request["input"])
    assert "secret" not in repr(embedder)


@pytest.mark.parametrize(
    ("status", "value", "error"),
    [
        (401, {"error": {"message": "bad key"}}, PermanentError),
        (404, {"error": {"message": "no such model"}}, PermanentError),
        (429, {"error": {"message": "slow down"}}, RetryableError),
        (503, {"error": {"message": "busy"}}, RetryableError),
        (200, _listed(), PermanentError),
        (200, _listed((7, [1.0])), PermanentError),
        (200, _listed((0, [0.0, 0.0])), PermanentError),
        (200, _listed((0, [])), PermanentError),
    ],
)
def test_what_an_endpoint_does_wrong_is_an_error_of_ours(
    server: EmbeddingsServer, status: int, value: dict[str, Any], error: type[CaliError]
) -> None:
    server.reply = lambda body: (status, value)
    with pytest.raises(error, match="embeddings of"):
        OpenAIEmbedder("m", server.url, None, timeout=5).embed(["a text"])


def test_an_endpoint_that_changes_its_dimension_is_refused(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder("m", server.url, None, timeout=5)
    embedder.embed(["a text"])
    server.reply = lambda body: (
        200,
        _listed((0, [1.0, 2.0])),
    )
    with pytest.raises(PermanentError, match="2 dimensions after 16"):
        embedder.embed(["another"])


def test_an_endpoint_that_is_not_there_is_worth_a_retry() -> None:
    with pytest.raises(RetryableError, match="try again later"):
        OpenAIEmbedder("m", "http://127.0.0.1:9/v1", None, timeout=1).embed(["a text"])


def test_a_base_url_wins_over_the_name(server: EmbeddingsServer, tmp_path: Path) -> None:
    embedder = open_embedder(DEFAULT_MODEL, tmp_path, base_url=server.url, api_key="k")
    assert embedder.dimension == 16
    assert server.requests[0]["model"] == DEFAULT_MODEL


def test_the_default_model_says_what_prepares_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cali memory init"):
        open_embedder(DEFAULT_MODEL, tmp_path)


@pytest.mark.integration
def test_a_model_that_cannot_be_loaded_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="memory_model"):
        SentenceTransformerEmbedder(str(tmp_path / "no-such-model")).embed(["a"])
