"""Whether a past incident has the same cause: by shared signs and the distance of the next kind, not by its score."""

from __future__ import annotations

from dataclasses import replace

from core.domain import Suspect, SuspectKind
from core.memory import MemoryDocument, MemoryKind, MemoryMatch, Signal
from rag.memory.likeness import same_cause
from rag.memory.signs import SIGNS

POOL, DISK = "1.00*fault:connection_pool_exhaustion>checkout", "1.00*fault:disk_full>db"


def match(key: str, score: float, signs: str | None, *, print_: str | None = None, **signals: float) -> MemoryMatch:
    labels = {SIGNS: signs} if signs else {}
    document = MemoryDocument(key, MemoryKind.INCIDENT, key, "text", labels=labels, fingerprint=print_)
    return MemoryMatch(document, score, tuple(Signal(name, 1, value) for name, value in signals.items()))


def test_shared_signs_tell_where_the_score_does_not() -> None:
    near = [match("a", 0.8, POOL, signature=0.95, dense=0.7), match("b", 0.6, DISK, signature=0.3, dense=0.6)]
    far = [match("a", 0.8, POOL, signature=0.2, dense=0.7), match("b", 0.78, DISK, signature=0.2, dense=0.7)]
    assert same_cause(near)[0] > 0.7 > 0.3 > same_cause(far)[0]
    assert same_cause(near)[1] < 0.2


def test_another_past_incident_of_the_same_kind_is_no_rival() -> None:
    one = match("a", 0.8, POOL, signature=0.9)
    alone, rival = match("b", 0.5, DISK, signature=0.1), match("c", 0.79, DISK, signature=0.8)
    again = match("d", 0.79, POOL, signature=0.9)
    assert same_cause([one, again, alone])[0] == same_cause([one, alone])[0]
    assert same_cause([one, rival, alone])[0] < same_cause([one, alone])[0]


def test_without_signs_the_vectors_tell_and_less() -> None:
    told, other = match("a", 0.8, None, dense=0.9), match("b", 0.4, None, dense=0.2)
    assert same_cause([told, other])[0] > 0.7
    assert same_cause([told])[0] < 0.5  # nothing to compare it with
    assert same_cause([match("a", 0.8, None), other])[0] < same_cause([told, other])[0]


def test_one_fingerprint_is_the_same_incident_again() -> None:
    far = [match("a", 0.5, DISK, print_="p1", signature=0.1), match("b", 0.9, POOL, signature=0.5)]
    assert same_cause(far, "p1")[0] >= 0.7 > same_cause(far, "p2")[0]
    assert same_cause(far)[0] < 0.5
    assert same_cause([], "p1") == []
    assert 0 <= same_cause([match("a", 0.0, None)])[0] < 0.1


def test_the_same_likely_fault_of_the_same_service_is_the_same_kind() -> None:
    told = match("a", 0.9, POOL, signature=0.2)
    fault, service = "connection_pool_exhaustion", "checkout"
    sure = Suspect(SuspectKind.FRAME, 0.7, "the pool ran dry", "", fault_type=fault, service=service)
    assert same_cause([told], suspects=[sure])[0] > 0.7
    assert same_cause([told], suspects=[replace(sure, score=0.3)])[0] < 0.5
    assert same_cause([told], suspects=[replace(sure, service="users")])[0] < 0.5
    assert same_cause([told], suspects=[replace(sure, fault_type="disk_full")])[0] < 0.5
