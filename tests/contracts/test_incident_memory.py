"""The contract of `core.ports.IncidentMemory`: in this process, on a Milvus Lite file, and on a Milvus server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.milvus_server import milvus_server

from core.domain import LogTemplate
from core.errors import InputError
from core.memory import AddResult, Feedback, MemoryDocument, MemoryFilter, MemoryKind, Outcome
from core.ports import IncidentMemory
from rag.memory import MEMORY_FILE
from rag.memory.open import initialise, open_local, open_memory
from rag.memory.testing import WordEmbedder

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALL = MemoryFilter()


def masked(text: str) -> str:
    """Stands for the redactor: what it masks is easy to look for."""
    return text.replace("hunter2", "<PASSWORD_1>")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an initialised Milvus Lite file; making one takes seconds, so tests copy it."""
    folder = tmp_path_factory.mktemp("prepared")
    initialise(folder, WordEmbedder())
    return folder / MEMORY_FILE


@pytest.fixture(params=["local", "milvus-lite", pytest.param("milvus-server", marks=pytest.mark.integration)])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IncidentMemory]:
    embedder = WordEmbedder()
    if request.param == "local":
        yield open_local(embedder, redact=masked, now=lambda: NOW)
        return
    shutil.copyfile(request.getfixturevalue("prepared"), tmp_path / MEMORY_FILE)
    with ExitStack() as stack:
        uri = stack.enter_context(milvus_server(tmp_path / MEMORY_FILE)) if request.param == "milvus-server" else None
        opened = open_memory(tmp_path, embedder=embedder, uri=uri, redact=masked, now=lambda: NOW)
        stack.callback(opened.close)
        yield opened


def incident(key: str, text: str, **fields: object) -> MemoryDocument:
    base = MemoryDocument(
        id=key,
        kind=MemoryKind.INCIDENT,
        title=text.split("\n")[0][:60],
        text=text,
        services=("checkout",),
        level="high",
        starts_at=NOW - timedelta(days=30),
        ends_at=NOW - timedelta(days=30, minutes=-9),
        fingerprint=f"print-{key}",
    )
    return replace(base, **fields)  # type: ignore[arg-type]


POOL = incident("pool", "connection pool exhausted in checkout", template_ids=(2**62, 17), cause="leak of connections")
DISK = incident("disk", "no space left on device while writing the log", services=("db",), level="disaster")
CERT = incident("cert", "certificate has expired for the payment gateway", tenant="other", starts_at=None)
BOOK = MemoryDocument(
    "book", MemoryKind.RUNBOOK, "Disk full: free space", "Delete old logs when no space is left on the device."
)


def test_what_was_added_comes_back_equal(memory: IncidentMemory) -> None:
    odd = incident(
        'odd "id" \\ 100%_',
        "결제 실패: \u2028 \x00 \"'); drop %_\\ 한국어 오류",
        services=('a"b', "x%_y", "|", "결제"),
        labels={"k": 'v"'},
        source="p|q",
        fix="restart",
        outcome=Outcome.RESOLVED,
        template_ids=(0, 2**63 - 1),
        feedback=(Feedback('odd "id" \\ 100%_', "confirm", NOW, "kim", worked=True),),
    )
    assert memory.add([POOL, DISK, CERT, BOOK, odd]) == AddResult(added=5)
    for document in (POOL, DISK, CERT, BOOK, odd):
        assert memory.get(document.id) == document
    assert memory.get("absent") is None
    assert memory.get("") is None
    for service in odd.services:
        assert [d.id for d in memory.list(MemoryFilter(services=(service,)), 9)] == [odd.id]


def test_adding_again_changes_nothing_and_keeps_what_people_said(memory: IncidentMemory) -> None:
    memory.add([POOL, DISK])
    assert memory.add([POOL, DISK]) == AddResult(unchanged=2)
    memory.feedback(Feedback("pool", "confirm", NOW, "kim", cause="max_size was 5", fix="raise max_size", worked=True))
    assert memory.add([replace(POOL, text=POOL.text + " again", cause="a guess")]) == AddResult(updated=1)
    again = memory.get("pool")
    assert again is not None
    assert (again.cause, again.fix, again.outcome) == ("max_size was 5", "raise max_size", Outcome.RESOLVED)
    assert (again.confirmed, again.worked) == (1, 1)
    assert again.text.endswith("again")
    assert memory.stats().incidents == 2


def test_the_last_of_several_with_one_id_wins(memory: IncidentMemory) -> None:
    assert memory.add([POOL, replace(POOL, title="newer")]) == AddResult(added=1)
    assert memory.list(ALL, 9)[0].title == "newer"


def test_a_unique_start_of_an_id_is_enough(memory: IncidentMemory) -> None:
    memory.add([incident("ab_1", "one"), incident("ab%2", "two"), incident("ac", "three")])
    assert memory.get("ac") is not None
    found = memory.get("ab_")
    assert found is not None and found.id == "ab_1"
    with pytest.raises(InputError, match="several"):
        memory.get("a")


def test_each_signal_finds_and_says_so(memory: IncidentMemory) -> None:
    memory.add([POOL, DISK, incident("other", "totally different words here", template_ids=(17, 2**62, 5))])
    query = incident("new", "pool of connections is exhausted", template_ids=(2**62, 17, 99))
    matches = memory.search(query, 5, ALL)
    best = {match.document.id: match for match in matches}
    assert matches[0].document.id == "pool"
    assert {signal.name for signal in best["pool"].signals} == {"dense", "bm25", "templates"}
    assert [signal.name for signal in best["other"].signals if signal.name == "templates"] == ["templates"]
    shared = {signal.name: signal.score for signal in best["pool"].signals}
    assert shared["templates"] == pytest.approx(2 / 3)
    assert all(0 <= match.score <= 1 for match in matches)
    assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)


def test_a_document_is_never_its_own_match(memory: IncidentMemory) -> None:
    memory.add([POOL])
    assert memory.search(POOL, 5, ALL) == []


def test_other_words_for_one_fault_are_found(memory: IncidentMemory) -> None:
    memory.add([DISK, POOL, incident("oom", "container was OOMKilled by the kernel")])
    assert memory.search("ENOSPC", 1, ALL)[0].document.id == "disk"
    assert memory.search("java.lang.OutOfMemoryError", 1, ALL)[0].document.id == "oom"


def test_an_empty_memory_finds_nothing(memory: IncidentMemory) -> None:
    assert memory.search("anything at all", 5, ALL) == []
    assert memory.search(POOL, 5, ALL) == []
    assert memory.similar_templates("x", 3) == []
    assert memory.list(ALL, 5) == []
    assert memory.search("anything", 0, ALL) == []
    with pytest.raises(InputError, match="empty"):
        memory.search("  ", 5, ALL)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ALL, {"pool", "disk", "cert", "book"}),
        (MemoryFilter(kinds=(MemoryKind.RUNBOOK,)), {"book"}),
        (MemoryFilter(kinds=(MemoryKind.INCIDENT,)), {"pool", "disk", "cert"}),
        (MemoryFilter(services=("CHECKOUT",)), {"pool", "cert"}),
        (MemoryFilter(services=("db", "checkout")), {"pool", "disk", "cert"}),
        (MemoryFilter(services=('" or id != "',)), set()),
        (MemoryFilter(services=("check",)), set()),
        (MemoryFilter(services=("%",)), set()),
        (MemoryFilter(levels=("disaster",)), {"disk"}),
        (MemoryFilter(outcomes=(Outcome.RESOLVED,)), set()),
        (MemoryFilter(tenant="default"), {"pool", "disk", "book"}),
        (MemoryFilter(tenant='default" or tenant != "'), set()),
        (MemoryFilter(start=NOW - timedelta(days=31)), {"pool", "disk"}),
        (MemoryFilter(start=NOW), set()),
        (MemoryFilter(end=NOW), {"pool", "disk"}),
        (MemoryFilter(exclude_ids=("pool", "book")), {"disk", "cert"}),
    ],
)
def test_filters(memory: IncidentMemory, where: MemoryFilter, expected: set[str]) -> None:
    memory.add([POOL, DISK, CERT, BOOK])
    assert {document.id for document in memory.list(where, 99)} == expected
    assert {document.id for document in memory.export(where)} == expected
    found = memory.search("connection pool space device certificate expired logs", 99, where)
    assert {match.document.id for match in found} == expected


def test_a_list_is_newest_first(memory: IncidentMemory) -> None:
    memory.add([incident(f"i{day}", f"day {day}", starts_at=NOW - timedelta(days=day)) for day in (3, 1, 2)] + [CERT])
    assert [document.id for document in memory.list(ALL, 99)] == ["i1", "i2", "i3", "cert"]
    assert [document.id for document in memory.list(ALL, 2)] == ["i1", "i2"]


def test_one_fault_seen_often_is_one_match(memory: IncidentMemory) -> None:
    days = (40, 7, 19)
    memory.add(
        [
            incident(f"pool-{day}", POOL.text, fingerprint="pool", starts_at=NOW - timedelta(days=day), tenant="t")
            for day in days
        ]
        + [incident("elsewhere", POOL.text, fingerprint="pool", tenant="u")]
    )
    matches = memory.search("pool exhausted", 5, MemoryFilter(tenant="t"))
    assert len(matches) == 1
    assert matches[0].times_seen == 3
    assert matches[0].last_seen == NOW - timedelta(days=7)


def test_feedback_moves_equals_apart(memory: IncidentMemory) -> None:
    memory.add([incident(key, "queue lag grows in orders") for key in ("a", "b", "c")])
    assert [match.document.id for match in memory.search("queue lag grows", 3, ALL)] == ["a", "b", "c"]
    memory.feedback(Feedback("a", "reject", NOW, "kim"))
    memory.feedback(Feedback("c", "confirm", NOW, "kim", worked=True))
    assert [match.document.id for match in memory.search("queue lag grows", 3, ALL)] == ["c", "b", "a"]


def test_of_equals_the_newer_comes_first(memory: IncidentMemory) -> None:
    days = {"b": 400, "c": 3, "a": 90}
    memory.add([incident(key, "disk full", starts_at=NOW - timedelta(days=age)) for key, age in days.items()])
    assert [match.document.id for match in memory.search("disk full", 5, ALL)] == ["c", "a", "b"]


def test_feedback_is_kept_and_counts_once(memory: IncidentMemory) -> None:
    memory.add([POOL])
    said = Feedback("pool", "confirm", NOW, "kim", fix="raise it", worked=True, note="see hunter2")
    first = memory.feedback(said)
    assert memory.feedback(said) == first == memory.get("pool")
    assert (first.confirmed, first.worked, first.fix, first.outcome) == (1, 1, "raise it", Outcome.RESOLVED)
    assert first.feedback[0].note == "see <PASSWORD_1>"
    later = memory.feedback(Feedback("poo", "reject", NOW + timedelta(days=1), "lee", worked=False))
    assert (later.rejected, later.failed, later.outcome) == (1, 1, Outcome.UNRESOLVED)
    assert (later.cause, later.fix) == (None, None)
    assert (memory.stats().confirmed, memory.stats().rejected) == (1, 1)
    with pytest.raises(InputError, match="cali memory list"):
        memory.feedback(Feedback("absent", "confirm", NOW))


def test_what_is_forgotten_is_gone(memory: IncidentMemory) -> None:
    memory.add([POOL, DISK, BOOK])
    assert memory.forget(["pool", "absent", "book"]) == 2
    assert memory.get("pool") is None
    assert [match.document.id for match in memory.search("connection pool space", 9, ALL)] == ["disk"]
    assert memory.forget(["disk", "disk"]) == 1
    assert memory.search("no space left", 9, ALL) == []


def test_nothing_is_stored_that_the_redactor_masks(memory: IncidentMemory) -> None:
    memory.add(
        [
            incident(
                "leak", "password hunter2", cause="hunter2", fix="hunter2", source="hunter2", labels={"k": "hunter2"}
            )
        ]
    )
    memory.feedback(Feedback("leak", "confirm", NOW, cause="hunter2", fix="hunter2", note="hunter2"))
    memory.add_templates([LogTemplate(1, "login with hunter2 failed")])
    assert "hunter2" not in repr(memory.get("leak"))
    assert "hunter2" not in repr(memory.similar_templates("login", 1))


def test_templates_are_kept_by_their_id(memory: IncidentMemory) -> None:
    pool = LogTemplate(2**63 - 1, "pool <*> exhausted", 1, 7, 17, "checkout", NOW, NOW)
    disk = LogTemplate(0, "disk <*> full")
    assert memory.add_templates([pool, disk]) == 2
    assert memory.add_templates([pool, disk]) == 0
    assert memory.add_templates([replace(pool, text="the pool <*> is exhausted", version=2)]) == 1
    assert memory.stats().templates == 2
    nearest, cosine = memory.similar_templates("pool exhausted", 2)[0]
    assert nearest == replace(pool, text="the pool <*> is exhausted", version=2)
    assert 0.5 < cosine <= 1.00001


def test_stats_name_what_is_held(memory: IncidentMemory) -> None:
    memory.add([POOL, DISK, CERT, BOOK])
    stats = memory.stats()
    assert (stats.incidents, stats.documents, stats.templates) == (3, 1, 0)
    assert (stats.model, stats.dimension) == ("words", 64)
    assert (stats.oldest, stats.newest) == (POOL.starts_at, POOL.starts_at)
    assert stats.location


def test_huge_documents_are_cut_and_thousands_are_listed(memory: IncidentMemory) -> None:
    memory.add([incident("huge", "오류 word " * 20_000, title="t" * 9_000, cause="c" * 9_000)])
    stored = memory.get("huge")
    assert stored is not None and 1_000 < len(stored.text) <= 12_000
    memory.add([incident(f"n{number:04}", f"number {number}") for number in range(2_500)])
    assert len(list(memory.export(ALL))) == 2_501
    assert len(memory.list(ALL, 3_000)) == 2_501
    assert memory.forget([f"n{number:04}" for number in range(2_500)]) == 2_500


def test_closing_twice_is_no_error(memory: IncidentMemory) -> None:
    memory.close()
    memory.close()


def test_a_long_query_is_found_by_its_rare_words(memory: IncidentMemory) -> None:
    common = " ".join(f"common{chr(97 + number)}" for number in range(26))
    rare = ("marmalade", "lighthouse", "saxophone", "gargoyle")
    memory.add([incident(f"i{number}", f"{common} {word}") for number, word in enumerate(rare)])
    (first, *_) = memory.search(f"{common} gargoyle", 4, ALL)
    assert first.document.id == "i3"
    assert next(signal for signal in first.signals if signal.name == "bm25").rank == 1


def test_many_fingerprints_are_counted_at_once(memory: IncidentMemory) -> None:
    seen = [
        incident(f"{number}-{turn}", f"disk full on host{number}", fingerprint=f'print "{number}"')
        for number in range(12)
        for turn in range(2)
    ]
    memory.add(seen)
    for k in (3, 12):
        assert [match.times_seen for match in memory.search("disk full", k, ALL)] == [2] * k
