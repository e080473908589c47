"""Markdown and JSON lines into documents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InputError
from core.memory import MemoryKind, Outcome
from rag.memory.codec import dumps, loads
from rag.memory.importing import MAX_PASSAGE_CHARS, read_file, read_jsonl, read_markdown

RUNBOOK = """---
title: Disk full
services: [db, storage]
owner: platform
severity: sev1
---
# Disk full

Free space before anything else, because databases stop when they cannot write to their log.

## Find what grew

Look at the largest folders first; temporary files and old segments are the usual ones.

```sh
# not a heading
du -x --max-depth 2 / | sort -n | tail
```

## Delete old segments

Only those that are archived; the newest two stay, whatever the pressure is, or replication breaks.
"""
POSTMORTEM = """# Incident on 2020-02-12 - Concourse down

- **Identified**: Pingdom reported Concourse down, and nobody could deploy for twenty minutes that day.
- **Root cause**: `terraform destroy` ran in the wrong workspace
  and deleted the nodes.
- **Resolution**: `terraform apply` made the nodes again.
"""


def test_a_runbook_is_split_by_heading_and_keeps_its_front_matter() -> None:
    found = read_markdown(RUNBOOK, "disk.md", tenant="t")
    assert found.quarantined == ()
    assert [document.title for document in found.documents] == [
        "Disk full",
        "Disk full: Find what grew",
        "Disk full: Delete old segments",
    ]
    assert {document.kind for document in found.documents} == {MemoryKind.RUNBOOK}
    first, second, _ = found.documents
    assert (first.services, first.level, first.labels) == (("db", "storage"), "disaster", {"owner": "platform"})
    assert (first.tenant, first.source) == ("t", "disk.md")
    assert "# not a heading" in second.text
    assert len({document.id for document in found.documents}) == 3


def test_the_same_text_gives_the_same_ids_and_a_new_text_too() -> None:
    ids = [document.id for document in read_markdown(RUNBOOK, "disk.md", tenant="t").documents]
    changed = RUNBOOK.replace("Only those", "Merely those")
    assert [document.id for document in read_markdown(changed, "disk.md", tenant="t").documents] == ids
    assert not set(ids) & {document.id for document in read_markdown(RUNBOOK, "other.md", tenant="t").documents}


def test_a_postmortem_gives_time_cause_and_fix() -> None:
    (document,) = read_markdown(POSTMORTEM, "pm.md", tenant="t").documents
    assert document.kind is MemoryKind.POSTMORTEM
    assert document.cause == "`terraform destroy` ran in the wrong workspace and deleted the nodes."
    assert document.fix == "`terraform apply` made the nodes again."
    assert document.starts_at == datetime(2020, 2, 12, tzinfo=UTC)
    assert document.outcome is Outcome.RESOLVED


def test_long_sections_become_passages() -> None:
    text = "# Long\n\n" + "\n\n".join(f"Paragraph {number} " + "words " * 60 for number in range(30)) + "x" * 5000
    documents = read_markdown(text, "long.md", tenant="t").documents
    assert all(0 < len(document.text) <= MAX_PASSAGE_CHARS for document in documents)
    assert sum(document.text.count("Paragraph") for document in documents) == 30
    assert sum(document.text.count("x" * 100) for document in documents) >= 3


@pytest.mark.parametrize("text", ["", "   \n", "---\na: 1\n---\n"])
def test_no_text_is_said(text: str) -> None:
    found = read_markdown(text, "empty.md", tenant="t")
    assert found.documents == ()
    assert [item.reason for item in found.quarantined] == ["no text"]


def test_bad_front_matter_is_said_and_the_text_kept() -> None:
    found = read_markdown("---\na: [1\n---\nFree the disk.", "bad.md", tenant="t")
    assert found.documents
    assert "front matter" in found.quarantined[0].reason


def test_json_lines_of_others_and_of_ours() -> None:
    lines = [
        b'{"incident_id": "INC-7", "summary": "checkout down", "description": "503 from payment",'
        b' "service": "checkout, payment",'
        b' "root_cause": {"text": "certificate expired"}, "resolution": "renewed",'
        b' "started_at": "2026-03-02T10:00:00Z",'
        b' "severity": "SEV-2", "team": "shop"}',
        b"",
        b"{not json",
        b'{"id": "x"}',
        b"[1]",
        b'{"schema": "cali.memory/9", "id": "x"}',
    ]
    found = read_jsonl(lines, "old.jsonl", tenant="t")
    (document,) = found.documents
    assert (document.id, document.title, document.cause, document.fix) == (
        "INC-7", "checkout down", "certificate expired", "renewed",
    )  # fmt: skip
    assert (document.services, document.level, document.labels) == (("checkout", "payment"), "high", {"team": "shop"})
    assert document.starts_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert [item.position for item in found.quarantined] == [3, 4, 5, 6]
    assert read_jsonl([dumps(document).encode()], "again", tenant="u").documents == (document,)


@pytest.mark.parametrize(
    "line",
    ['{"id": 7}', '{"id": "a", "level": "bad"}', '{"id": "a", "starts_at": "soon"}',
     '{"id": "a", "template_ids": ["zz"]}',
     '{"id": "a", "kind": "poem"}', '{"id": "a", "feedback": [{}]}', '{"id": "a", "labels": []}', "[]", "7", "{"],
)  # fmt: skip
def test_a_document_with_a_wrong_field_is_refused(line: str) -> None:
    if line == '{"id": "a", "labels": []}':
        assert loads(line).labels == {}
        return
    with pytest.raises(InputError):
        loads(line)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_bytes(b"MZ")
    for path in (tmp_path / "a.exe", tmp_path / "absent.md"):
        with pytest.raises(InputError, match=path.name):
            read_file(path, tenant="t")
    (tmp_path / "bytes.md").write_bytes(b"# \xff\xfe\x00 broken\n\nstill some text here")
    assert read_file(tmp_path / "bytes.md", tenant="t").documents


@pytest.mark.data
def test_every_real_postmortem_is_read(data: Path) -> None:
    for path in sorted((data / "postmortems" / "texts").glob("*.md")):
        found = read_file(path, tenant="t")
        assert found.documents, path
        assert found.quarantined == ()
        assert {document.kind for document in found.documents} == {MemoryKind.POSTMORTEM}
        assert found.documents[0].starts_at is not None, path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_by_its_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "book.md"
    path.write_text("# 결제 장애\n\n연결 풀이 고갈되면 닫지 않는 코드를 찾는다.\n", encoding=encoding)
    (document,) = read_file(path, tenant="t").documents
    assert (document.title, document.text) == ("결제 장애", "연결 풀이 고갈되면 닫지 않는 코드를 찾는다.")


@pytest.mark.parametrize("content", [bytes(range(256)) * 8, "# 결제 장애 런북".encode("cp949")])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "book.md"
    path.write_bytes(content)
    with pytest.raises(InputError, match="UTF-8"):
        read_file(path, tenant="t")


def test_a_byte_order_mark_before_json_lines_is_no_part_of_them(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text('{"title": "a"}\n{"title": "b"}\n', encoding="utf-8-sig")
    imported = read_file(path, tenant="t")
    assert [document.title for document in imported.documents] == ["a", "b"] and not imported.quarantined
