"""Incidents compared by the faults they look like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from rag.memory.documents import FAULTS
from rag.memory.fusion import Fusion
from rag.memory.open import open_local
from rag.memory.signature import features, nearest
from rag.memory.testing import WordEmbedder

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DEPLOY = ["bad_deploy@checkout", "code_defect@checkout"]


def test_the_likeliest_fault_weighs_most_and_fault_with_service_more_than_each() -> None:
    told = features(["disk_full@Postgres", "slow_query@postgres", "lock_contention"])
    assert told["fault disk_full"] == told["at postgres"] == 1.0
    assert told["fault disk_full at postgres"] == 2.0
    assert told["fault slow_query"] > told["fault lock_contention"] > 0
    assert "at " not in told
    assert features([]) == {}


def test_the_same_faults_of_the_same_service_come_first() -> None:
    candidates = {
        "elsewhere": features(["bad_deploy@payment", "code_defect@payment"]),
        "same": features(DEPLOY),
        "reversed": features(DEPLOY[::-1]),
        "beside": features(["dns_failure@checkout"]),
        "other": features(["disk_full@postgres"]),
    }
    hits = nearest(features(DEPLOY), candidates)
    assert [name for name, _ in hits] == ["same", "reversed", "elsewhere", "beside"]
    assert hits[0][1] == pytest.approx(1.0)
    assert nearest(features(DEPLOY), {}) == []
    assert nearest(features([]), candidates) == []


def test_a_fault_that_few_have_tells_more() -> None:
    common = {f"c{number}": features(["slow_query@postgres"]) for number in range(8)}
    hits = nearest(
        features(["slow_query@postgres", "eviction@users"]), {**common, "rare": features(["eviction@users"])}
    )
    assert hits[0][0] == "rare"


def test_between_equal_words_the_faults_decide_and_unknown_ones_do_not_hurt() -> None:
    def document(key: str, faults: str) -> MemoryDocument:
        labels = {FAULTS: faults} if faults else {}
        return MemoryDocument(key, MemoryKind.INCIDENT, "t", "checkout answers with errors", labels=labels)

    memory = open_local(WordEmbedder(), redact=str, now=lambda: NOW, fusion=Fusion(recency=0.0))
    memory.add([document("a", "dns_failure@payment"), document("b", "bad_deploy@checkout"), document("told", "")])
    matches = memory.search(document("query", "bad_deploy@checkout"), 3, MemoryFilter())
    assert {match.document.id for match in matches[:2]} == {"b", "told"}
    by_id = {match.document.id: match for match in matches}
    assert "signature" in [signal.name for signal in by_id["b"].signals]
    assert "signature" not in [signal.name for signal in by_id["told"].signals]
    # What a person wrote down carries no faults: that is no reason to rank it lower.
    assert by_id["told"].score == pytest.approx(by_id["b"].score, rel=0.2)
    assert by_id["a"].score < 0.7 * by_id["b"].score
