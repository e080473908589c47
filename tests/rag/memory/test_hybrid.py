"""What fusion, feedback, recency and reranking do to an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.memory import Feedback, MemoryDocument, MemoryFilter, MemoryKind
from rag.memory.fusion import Fusion, fuse, reweight
from rag.memory.open import open_local
from rag.memory.testing import WordEmbedder

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OLD = MemoryDocument("a", MemoryKind.INCIDENT, "t", "x", starts_at=NOW - timedelta(days=3650))


def test_reciprocal_ranks_add_up() -> None:
    fusion = Fusion(k=10, weights={})
    fused = fuse({"dense": [("a", 0.9), ("b", 0.8)], "bm25": [("b", 7.0)], "templates": []}, fusion)
    assert [one.id for one in fused] == ["b", "a"]
    best = 2 / 11
    assert fused[0].score == pytest.approx(((0.8 / 0.9) ** 0.5 / 12 + 1 / 11) / best)
    assert fused[1].score == pytest.approx((1 / 11) / best)
    assert [(signal.name, signal.rank) for signal in fused[0].signals] == [("dense", 2), ("bm25", 1)]


def test_equal_scores_share_a_rank() -> None:
    fused = fuse({"bm25": [("a", 2.0), ("b", 2.0), ("c", 1.0)]}, Fusion())
    assert [one.signals[0].rank for one in fused] == [1, 1, 3]
    assert fused[0].score == fused[1].score == 1.0


def test_nothing_found_is_nothing() -> None:
    assert fuse({"dense": [], "bm25": []}, Fusion()) == []


def test_votes_and_age_move_a_score_within_bounds() -> None:
    def judged(**counts: int) -> MemoryDocument:
        entries = [Feedback("a", "confirm", NOW, str(n), worked=True) for n in range(counts.get("up", 0))]
        entries += [Feedback("a", "reject", NOW, str(n)) for n in range(counts.get("down", 0))]
        return MemoryDocument("a", MemoryKind.INCIDENT, "t", "x", starts_at=OLD.starts_at, feedback=tuple(entries))

    def scored(document: MemoryDocument) -> float:
        return reweight(1.0, document, NOW, Fusion())

    assert (
        scored(judged(down=9)) < scored(judged(down=1)) < scored(OLD) < scored(judged(up=1)) < scored(judged(up=9)) <= 1
    )
    corrected = replace(OLD, feedback=(Feedback("a", "reject", NOW, "kim", cause="the true cause"),))
    assert scored(corrected) == scored(OLD)  # what is on record now is right: no reason to show it later
    young = MemoryDocument("a", MemoryKind.INCIDENT, "t", "x", starts_at=NOW)
    future = MemoryDocument("a", MemoryKind.INCIDENT, "t", "x", starts_at=NOW + timedelta(days=9))
    assert scored(OLD) < scored(young) == scored(future)


class LengthReranker:
    """The shortest passage is the best."""

    def score(self, query: str, passages: Sequence[str]) -> Sequence[float]:
        return [-float(len(passage)) for passage in passages]


def test_a_reranker_has_the_last_word_and_is_named() -> None:
    memory = open_local(WordEmbedder(), redact=str, now=lambda: NOW, reranker=LengthReranker())
    texts = {"long": "pool exhausted pool exhausted and more words", "short": "pool"}
    memory.add([MemoryDocument(key, MemoryKind.INCIDENT, "t", text) for key, text in texts.items()])
    matches = memory.search("pool exhausted", 2, MemoryFilter())
    assert [match.document.id for match in matches] == ["short", "long"]
    assert ("rerank", 1) in [(signal.name, signal.rank) for signal in matches[0].signals]


def test_of_a_long_query_the_start_is_embedded_and_all_of_a_document() -> None:
    embedder = WordEmbedder()
    memory = open_local(embedder, redact=str, now=lambda: NOW)
    text = "no space left on device " + "word " * 400
    memory.add([MemoryDocument("a", MemoryKind.RUNBOOK, "disks", text)])
    embedder.asked.clear()
    matches = memory.search(text, 1, MemoryFilter())
    assert [match.document.id for match in matches] == ["a"]
    assert [len(asked) for asked in embedder.asked] == [350]
