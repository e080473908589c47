"""The contract of `core.ports.Embedder`: without a model, MiniLM as ONNX, MiniLM on torch, and an HTTP endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from services.embeddings_server import embeddings_server

from core.ports import Embedder
from rag.memory.cache import CachingEmbedder, VectorCache
from rag.memory.embedding import (
    DEFAULT_MODEL,
    OpenAIEmbedder,
    SentenceTransformerEmbedder,
    model_folder,
    prepare_default_model,
)
from rag.memory.onnx_model import OnnxEmbedder, is_exported

TEXTS = (
    "connection refused",
    "",
    "no space left on device " * 200,
    "결제 서비스 연결 시간 초과",
    "\x00\ufffd \u2028 🔥",
    "connection refused",
)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache folder with the exported model: this user's where it is there, else exported now."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cali"
    if is_exported(model_folder(user)):
        return user
    cache = tmp_path_factory.mktemp("cache")
    cosine = prepare_default_model(cache)
    assert cosine is not None and cosine >= 0.9999
    assert prepare_default_model(cache) is None
    return cache


@pytest.fixture(
    params=[
        "words",
        pytest.param("onnx", marks=pytest.mark.integration),
        pytest.param("torch", marks=pytest.mark.integration),
        "openai",
        "cached",
    ]
)
def embedder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Embedder]:
    from rag.memory.testing import WordEmbedder

    if request.param == "words":
        yield WordEmbedder()
    elif request.param == "cached":
        yield CachingEmbedder(WordEmbedder(), VectorCache(tmp_path / "vectors.db"))
    elif request.param == "onnx":
        yield OnnxEmbedder(model_folder(request.getfixturevalue("exported")))
    elif request.param == "torch":
        yield SentenceTransformerEmbedder(DEFAULT_MODEL)
    else:
        with embeddings_server() as server:
            yield OpenAIEmbedder("a-model", server.url, "key", timeout=5)


def test_one_unit_vector_per_text_in_order(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert len(vectors) == len(TEXTS)
    for vector in vectors:
        assert vector.dtype == np.float32
        assert vector.shape == (embedder.dimension,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    assert vectors[0] @ vectors[5] == pytest.approx(1, abs=1e-4)
    assert vectors[0] @ vectors[2] < 0.9
    assert embedder.model


def test_a_text_has_one_vector_whatever_is_beside_it(embedder: Embedder) -> None:
    alone = embedder.embed(["connection refused"])[0]
    beside = embedder.embed(["a long text about disks " * 50, "connection refused"])[1]
    assert alone @ beside == pytest.approx(1, abs=1e-4)


def test_no_texts_no_vectors(embedder: Embedder) -> None:
    assert list(embedder.embed([])) == []


@pytest.mark.integration
def test_the_export_agrees_with_the_original(exported: Path) -> None:
    texts = [text for text in TEXTS if text] + [f"pod web-{n} evicted: node was low on memory" for n in range(20)]
    ours = np.stack(list(OnnxEmbedder(model_folder(exported)).embed(texts)))
    theirs = np.stack(list(SentenceTransformerEmbedder(DEFAULT_MODEL).embed(texts)))
    assert float(np.min(np.sum(ours * theirs, axis=1))) >= 0.9999


@pytest.mark.integration
def test_loading_a_model_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    SentenceTransformerEmbedder(DEFAULT_MODEL).embed(["a text"])
    assert capfd.readouterr() == ("", "")
