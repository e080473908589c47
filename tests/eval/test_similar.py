"""What a memory holds for each case: the others of its pool, less its group, and no label unless asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.memory import MemoryDocument, MemoryFilter, MemoryKind, MemoryMatch
from eval.datasets import load_dataset
from eval.labels import cause_to_remember
from eval.memory import TextMemory
from eval.similar import with_similar
from eval.system import Outcome, Prediction

WriteDataset = Callable[..., Path]


class Spy(TextMemory):
    """Remembers what it was given and asked."""

    added: list[MemoryDocument]
    asked: list[tuple[object, tuple[str, ...]]]

    def __init__(self) -> None:
        super().__init__()
        self.added, self.asked, self.closed = [], [], False

    def add(self, documents: Sequence[MemoryDocument]) -> int:
        self.added += documents
        return super().add(documents)

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        self.asked.append((query, where.exclude_ids))
        return super().search(query, k, where)

    def close(self) -> None:
        self.closed = True


def outcome(case_id: str, text: str, error: str | None = None) -> Outcome:
    document = MemoryDocument("x", MemoryKind.INCIDENT, "t", text, fingerprint="same for all")
    return Outcome(case_id, 0.1, Prediction(document=None if error else document), error=error)


def cases() -> list[dict[str, Any]]:
    secret = {"service": "secret-service", "text": "secret cause"}
    return [
        {
            "case_id": "a",
            "logs": ["x.log"],
            "pool": "p",
            "group": "g",
            "root_cause": secret,
            "symptom": "secret symptom",
        },
        {"case_id": "b", "logs": ["x.log"], "pool": "p", "group": "g", "root_cause": secret},
        {"case_id": "c", "logs": ["x.log"], "pool": "p", "root_cause": secret},
        {"case_id": "d", "logs": ["x.log"], "pool": "q", "root_cause": secret},
        {"case_id": "e", "logs": ["x.log"], "pool": "p", "root_cause": secret},
    ]


TEXTS = {"a": "disk full", "b": "disk full", "c": "disk nearly full", "d": "disk full", "e": "certificate expired"}


def test_only_the_pool_and_never_the_group(write_dataset: WriteDataset) -> None:
    dataset = load_dataset(write_dataset(cases(), {"x.log": "x\n"}))
    memories: list[Spy] = []

    def make() -> Spy:
        memories.append(Spy())
        return memories[-1]

    outcomes = {key: outcome(key, text) for key, text in TEXTS.items()}
    found = with_similar(dataset, outcomes, make)
    assert [each.case_id for each in found["a"].similar] == ["c", "e"]
    assert [each.case_id for each in found["c"].similar] == ["a", "b", "e"]
    assert found["d"].similar == ()
    assert all(memory.closed for memory in memories)
    asked = {query.id: excluded for memory in memories for query, excluded in memory.asked}  # type: ignore[attr-defined]
    assert asked["a"] == ("a", "b") and asked["c"] == ("c",)
    held = [document for memory in memories for document in memory.added]
    assert "secret" not in repr(held)
    assert {document.fingerprint for document in held} == {None}


def test_labels_enter_only_when_asked(write_dataset: WriteDataset) -> None:
    dataset = load_dataset(write_dataset(cases(), {"x.log": "x\n"}))
    memory = Spy()
    outcomes = {key: outcome(key, text) for key, text in TEXTS.items()}
    with_similar(dataset, outcomes, lambda: memory, partial(cause_to_remember, root=dataset.root))
    assert {document.cause for document in memory.added} == {"secret-service\nsecret cause"}
    assert all("secret" not in str(query) for query, _ in memory.asked if isinstance(query, str))
    assert all(query.cause is None for query, _ in memory.asked if isinstance(query, MemoryDocument))


def test_failed_cases_leave_no_document(write_dataset: WriteDataset) -> None:
    dataset = load_dataset(write_dataset(cases(), {"x.log": "x\n"}))
    outcomes = {key: outcome(key, text, "broke" if key == "c" else None) for key, text in TEXTS.items()}
    found = with_similar(dataset, outcomes, TextMemory)
    assert found["c"].similar == () and found["c"].error == "broke"
    assert [each.case_id for each in found["a"].similar] == ["e"]


def test_documents_are_found_by_their_own_symptom(write_dataset: WriteDataset) -> None:
    texts = {"t/1.md": "The disk of the database was full.", "t/2.md": "A certificate expired.", "t/3.md": "Rain."}
    items = [
        {"case_id": "1", "logs": [], "text": "t/1.md", "symptom": "database disk full"},
        {"case_id": "2", "logs": [], "text": "t/2.md", "symptom": "tls certificate"},
        {"case_id": "3", "logs": [], "text": "t/3.md"},
    ]
    dataset = load_dataset(write_dataset(items, texts))
    found = with_similar(dataset, {key: outcome(key, "") for key in "123"}, TextMemory)
    assert [found[key].known_item_rank for key in "123"] == [1, 1, None]
    assert "1" not in {each.case_id for each in found["1"].similar}
