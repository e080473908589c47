"""An embedder without a model, for tests: texts that share words are near each other, and nothing else is known."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from rag.memory.index import Vector
from rag.memory.terms import terms


class WordEmbedder:
    """Each word is a fixed random direction; a text is their mean (random projection of its bag of words)."""

    def __init__(self, model: str = "words", dimension: int = 64) -> None:
        self._model = model
        self._dimension = dimension
        self.asked: list[str] = []

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        self.asked.extend(texts)
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        total = np.zeros(self._dimension)
        for word in terms(text) or [""]:
            seed = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")
            total += np.random.default_rng(seed).standard_normal(self._dimension)
        return np.asarray(total / np.linalg.norm(total), np.float32)
