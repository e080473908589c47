"""The cross-encoder, with a real but untrained model made here: no trained one comes with CALI."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support import tiny_cross_encoder

from core.errors import ConfigError
from rag.memory.reranking import CrossEncoderReranker

pytestmark = pytest.mark.integration


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_cross_encoder(tmp_path)


def test_each_passage_gets_a_score(model: Path) -> None:
    scores = CrossEncoderReranker(str(model)).score("disk full", ["no space left", "all is well", ""])
    assert len(scores) == 3
    assert all(math.isfinite(score) for score in scores)
    assert CrossEncoderReranker(str(model)).score("disk full", []) == []


def test_a_model_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="memory_reranker"):
        CrossEncoderReranker(str(tmp_path / "absent")).score("q", ["p"])
