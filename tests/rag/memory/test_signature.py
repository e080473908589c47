"""Incidents compared by the faults they look like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from rag.memory.fusion import Fusion
from rag.memory.open import open_local
from rag.memory.signature import Features, features, nearest
from rag.memory.signs import SIGNS, Sign, signs_of
from rag.memory.testing import WordEmbedder

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DEPLOY = ("bad_deploy>checkout", "code_defect>checkout")


def _label(*faults: str) -> str:
    return " ".join(f"{0.75**rank:.2f}*fault:{fault}" for rank, fault in enumerate(faults))


def _document(key: str, **labels: str) -> MemoryDocument:
    return MemoryDocument(key, MemoryKind.INCIDENT, "t", "checkout answers with errors", labels=labels)


def _features(*faults: str) -> Features:
    return features(signs_of(_document("d", **{SIGNS: _label(*faults)})))


def test_fault_with_service_weighs_more_than_each_and_other_signs_are_one_feature() -> None:
    told = features(
        [
            Sign("fault", "disk_full", "Postgres", 1.0),
            Sign("fault", "slow_query", "postgres", 0.5),
            Sign("fault", "lock_contention", None, 0.2),
            Sign("fault", "", "gateway", 0.1),
            Sign("shown", "numeric_shift.quiet", "payment", 0.3),
            Sign("in", "table", None, 0.4),
        ]
    )
    assert told["fault disk_full"] == told[" at postgres"] == 1.0
    assert told["fault disk_full at postgres"] == 2.0
    assert told["fault slow_query"] == 0.5 > told["fault lock_contention"] == 0.2
    assert told[" at gateway"] == 0.1
    assert told["shown numeric_shift.quiet at payment"] == 0.3
    assert told["in table"] == 0.4
    assert len(told) == 9
    assert features([]) == {}


def test_a_memory_of_an_earlier_version_is_read() -> None:
    told = signs_of(_document("old", faults="disk_full@postgres slow_query"))
    assert told == [Sign("fault", "disk_full", "postgres", 1.0), Sign("fault", "slow_query", None, 0.75)]
    assert signs_of(_document("damaged", **{SIGNS: "x*fault:a 9*fault:b 0.5*other:c 0.5*fault:d fault"})) == [
        Sign("fault", "d", None, 0.5)
    ]


def test_the_same_faults_of_the_same_service_come_first() -> None:
    candidates = {
        "elsewhere": _features("bad_deploy>payment", "code_defect>payment"),
        "same": _features(*DEPLOY),
        "reversed": _features(*DEPLOY[::-1]),
        "beside": _features("dns_failure>checkout"),
        "other": _features("disk_full>postgres"),
    }
    hits = nearest(_features(*DEPLOY), candidates)
    assert [name for name, _ in hits] == ["same", "reversed", "elsewhere", "beside"]
    assert hits[0][1] == pytest.approx(1.0)
    assert nearest(_features(*DEPLOY), {}) == []
    assert nearest(features([]), candidates) == []


def test_a_fault_that_few_have_tells_more() -> None:
    common = {f"c{number}": _features("slow_query>postgres") for number in range(8)}
    hits = nearest(_features("slow_query>postgres", "eviction>users"), {**common, "rare": _features("eviction>users")})
    assert hits[0][0] == "rare"


def test_between_equal_words_the_faults_decide_and_unknown_ones_do_not_hurt() -> None:
    def document(key: str, *faults: str) -> MemoryDocument:
        return _document(key, **({SIGNS: _label(*faults)} if faults else {}))

    memory = open_local(WordEmbedder(), redact=str, now=lambda: NOW, fusion=Fusion(recency=0.0))
    memory.add([document("a", "dns_failure>payment"), document("b", "bad_deploy>checkout"), document("told")])
    matches = memory.search(document("query", "bad_deploy>checkout"), 3, MemoryFilter())
    assert {match.document.id for match in matches[:2]} == {"b", "told"}
    by_id = {match.document.id: match for match in matches}
    assert "signature" in [signal.name for signal in by_id["b"].signals]
    assert "signature" not in [signal.name for signal in by_id["told"].signals]
    # What a person wrote down carries no faults: it is judged by the searches, and comes before a fault elsewhere.
    assert by_id["told"].score > by_id["a"].score
    assert by_id["a"].score < 0.7 * by_id["b"].score


def test_of_two_faults_at_once_the_quieter_one_counts_before_the_signs_of_the_louder() -> None:
    """The louder fault has nearly all of the signs: faults are compared once more by themselves."""
    numbers = ("took-ms.up>checkout", "rt.up>gateway", "waiting.up>orders")
    both = "1.00*fault:lock_contention>postgres 0.40*fault:heartbeat_missing>tally " + " ".join(
        f"2.00*moved:{number}" for number in numbers
    )
    loud = " ".join(f"2.00*moved:{number}" for number in numbers)
    documents = [
        _document("same", **{SIGNS: "1.00*fault:heartbeat_missing>tally 2.00*moved:free.down>disk"}),
        _document("loud", **{SIGNS: f"1.00*fault:disk_full>shelf {loud}"}),
        *(_document(f"d{number}", **{SIGNS: f"1.00*fault:eviction>s{number}"}) for number in range(6)),
    ]
    ahead = {}
    for name, weight in (("with", 0.5), ("without", 0.0)):
        weights = {"dense": 0.5, "templates": 0.5, "faults": weight}
        fusion = Fusion(weights=weights, recency=0.0)
        memory = open_local(WordEmbedder(), redact=str, now=lambda: NOW, fusion=fusion)
        memory.add(documents)
        matches = memory.search(_document("query", **{SIGNS: both}), 5, MemoryFilter())
        scores = {match.document.id: match.score for match in matches}
        ahead[name] = scores["same"] / scores["loud"]
        found = {signal.name for match in matches if match.document.id == "same" for signal in match.signals}
        assert ("faults" in found) is (weight > 0)
    assert ahead["with"] > 1.2 * ahead["without"]
