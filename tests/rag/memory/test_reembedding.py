"""Another model for an old memory: refused until it is re-embedded, resumed where it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.domain import LogTemplate
from core.errors import ConfigError, RetryableError
from core.memory import Feedback, MemoryDocument, MemoryFilter, MemoryKind
from core.ports import Embedder
from rag.memory.codec import parse_time
from rag.memory.hybrid import HybridMemory
from rag.memory.open import initialise, open_memory
from rag.memory.reembedding import reembed
from rag.memory.testing import WordEmbedder


class FailingEmbedder(WordEmbedder):
    """Answers a number of calls, then fails as a service does."""

    def __init__(self, calls: int) -> None:
        super().__init__("new", 32)
        self._left = calls

    def embed(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        if self._left == 0:
            raise RetryableError("the service went away")
        self._left -= 1
        return super().embed(texts)


def opened(state: Path, embedder: Embedder) -> HybridMemory:
    return open_memory(state, embedder=embedder, redact=str)


def test_another_model_needs_reembedding_which_resumes(tmp_path: Path) -> None:
    old, new = WordEmbedder("old", 64), WordEmbedder("new", 32)
    initialise(tmp_path, old)
    memory = opened(tmp_path, old)
    memory.add([MemoryDocument(f"d{n:03}", MemoryKind.INCIDENT, f"pool {n}", f"number {n + 1000}") for n in range(300)])
    memory.add([MemoryDocument("book", MemoryKind.RUNBOOK, "free the disk", "delete logs")])
    memory.add_templates([LogTemplate(5, "pool <*> exhausted")])
    memory.feedback(Feedback("d007", "confirm", parse_time("2026-03-02T10:00:00Z"), cause="too small"))
    memory.close()

    for refused in (new, WordEmbedder("old", 32)):
        with pytest.raises(ConfigError, match="cali memory reembed"):
            opened(tmp_path, refused)
        with pytest.raises(ConfigError, match="cali memory reembed"):
            initialise(tmp_path, refused)

    with pytest.raises(RetryableError):
        reembed(tmp_path, FailingEmbedder(calls=1))
    memory = opened(tmp_path, old)  # the old collection serves until the new one is whole
    assert memory.stats().incidents == 300
    memory.close()

    told: list[tuple[int, int]] = []
    done = reembed(tmp_path, new, progress=lambda count, total: told.append((count, total)))
    assert (done.old_model, done.new_model, done.embedded, done.kept) == ("old", "new", 46, 256)
    assert told[-1] == (302, 302)
    assert len(new.asked) == 46

    memory = opened(tmp_path, new)
    stats = memory.stats()
    assert (stats.model, stats.dimension, stats.incidents, stats.documents, stats.templates) == ("new", 32, 300, 1, 1)
    kept = memory.get("d007")
    assert kept is not None and kept.cause == "too small" and kept.confirmed == 1
    assert memory.search("number 1123", 1, MemoryFilter())[0].document.id == "d123"
    memory.close()
    assert reembed(tmp_path, new).embedded == 0
    with pytest.raises(ConfigError):
        opened(tmp_path, old)


def test_an_abandoned_change_does_not_mix_models(tmp_path: Path) -> None:
    initialise(tmp_path, WordEmbedder("old", 64))
    memory = opened(tmp_path, WordEmbedder("old", 64))
    memory.add([MemoryDocument(f"d{n:03}", MemoryKind.INCIDENT, f"pool {n}", f"number {n + 1000}") for n in range(300)])
    memory.close()
    with pytest.raises(RetryableError):
        reembed(tmp_path, FailingEmbedder(calls=1))
    third = WordEmbedder("third", 16)
    assert reembed(tmp_path, third).embedded == 300
    memory = opened(tmp_path, third)
    assert memory.stats().incidents == 300
    memory.close()
