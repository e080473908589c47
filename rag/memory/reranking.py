"""The optional last step of a search: a cross-encoder that reads the query and each of the best documents together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.errors import ConfigError
from rag.memory.loading import no_progress_bars


class CrossEncoderReranker:
    """A `Reranker` over a sentence-transformers cross-encoder, by folder or name. Loaded at first use."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._encoder: Any = None

    def score(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        """The model's relevance of each passage. Raises ConfigError where the model cannot be loaded."""
        if not passages:
            return []
        if self._encoder is None:
            from sentence_transformers import CrossEncoder

            try:
                with no_progress_bars():
                    self._encoder = CrossEncoder(self._model, device="cpu")
            except (OSError, ValueError) as exc:
                expected = "a folder or name of a cross-encoder that sentence-transformers can load"
                raise ConfigError("memory_reranker", self._model, expected) from exc
        scores = self._encoder.predict([(query, passage) for passage in passages], show_progress_bar=False)
        return [float(score) for score in scores]
