"""`cali memory` as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_cross_encoder

pytestmark = pytest.mark.integration

CHECK = """
import json, resource, sys
from cali.main import run
code = run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
slow = sys.modules.keys() & {"torch", "polars", "scipy", "pkg_resources", "langchain_core", "sqlalchemy"}
told = {"code": code, "slow": sorted(slow), "cpu": used.ru_utime + used.ru_stime}
print(json.dumps(told), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with a memory."""
    folder = tmp_path_factory.mktemp("state")
    assert "made" in cali("init", "--state", str(folder)).stdout
    return folder


def cali(*arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    process = subprocess.run(
        [sys.executable, "-c", "from cali.main import main; main()", "memory", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        timeout=200,
    )
    assert not check or process.returncode == 0, process.stderr
    return process


def test_a_memory_from_the_first_command_to_the_last(state: Path, tmp_path: Path) -> None:
    where = ("--state", str(state))
    (tmp_path / "disk.md").write_text("# Disk full\n\nDelete archived segments when no space is left on the device.\n")
    (tmp_path / "old.jsonl").write_text(
        '{"id": "INC-1", "title": "checkout 503", "text": "HikariPool-1 - Connection is not available",'
        ' "service": "checkout", "cause": "pool too small", "started_at": "2026-03-02T10:00:00Z"}\n{bad\n'
    )
    imported = cali("import", str(tmp_path), *where, "--format", "json", check=False)
    assert imported.returncode == 2  # one line was not usable, the rest was imported
    counts = json.loads(imported.stdout)
    assert (counts["schema"], counts["added"], len(counts["quarantined"])) == ("cali.memory.import/1", 2, 1)

    cali("add", "--id", "note-1", "--title", "users log in slowly", "--text", "mail me@example.com", *where)
    found = json.loads(cali("search", "too many connections", "--format", "json", *where).stdout)
    assert found["schema"] == "cali.memory.search/1"
    assert found["matches"][0]["document"]["id"] == "INC-1"
    assert {signal["name"] for signal in found["matches"][0]["signals"]} <= {"dense", "bm25"}
    assert "cause: pool too small" in cali("search", "too many connections", *where).stdout

    assert "me@example.com" not in cali("show", "note-1", *where).stdout
    assert "confirmed 1" in cali("confirm", "INC", "--fix", "raise it", "--worked", "--by", "kim", *where).stdout
    assert "rejected 1" in cali("reject", "note-1", *where).stdout
    listed = json.loads(cali("list", "--format", "json", "--outcome", "resolved", *where).stdout)
    assert [document["id"] for document in listed["documents"]] == ["INC-1"]
    stats = json.loads(cali("stats", "--format", "json", *where).stdout)
    assert (stats["incidents"], stats["documents"], stats["confirmed"], stats["rejected"]) == (2, 1, 1, 1)

    exported = tmp_path / "all.jsonl"
    cali("export", "--output", str(exported), *where)
    assert len(exported.read_text().splitlines()) == 3
    again = json.loads(cali("import", str(exported), *where, "--format", "json").stdout)
    assert (again["added"], again["unchanged"]) == (0, 3)
    assert "forgot 1" in cali("forget", "note-1", *where).stdout
    unknown = cali("show", "note-1", *where, check=False)
    assert unknown.returncode == 2 and "cali memory list" in unknown.stderr


def test_a_file_is_the_same_from_every_folder_and_others_are_imported_all_the_same(state: Path) -> None:
    books = state.parent / "books"
    (books / "none").mkdir(parents=True)
    (books / "queue.md").write_text("# Queue\n\nScale the consumers out when the queue of orders grows.\n")
    where = ("--state", str(state), "--format", "json")
    first = cali("import", str(books / "none"), str(books / "queue.md"), *where, check=False)
    assert first.returncode == 2 and json.loads(first.stdout)["added"] == 1
    relative = os.path.relpath(books / "queue.md")
    assert json.loads(cali("import", relative, *where).stdout)["unchanged"] == 1


def test_hostile_text_does_not_reach_the_terminal(state: Path, tmp_path: Path) -> None:
    where = ("--state", str(state))
    (tmp_path / "book.md").write_text("# Bell \x1b]0;owned\x07\n\nPress \x1b]8;;http://evil\x1b\\here\u202e now.\n")
    cali("import", str(tmp_path / "book.md"), *where)
    listed = cali("list", "--kind", "runbook", *where).stdout
    found = cali("search", "press here", *where).stdout
    document = json.loads(cali("search", "press here", "--format", "json", *where).stdout)["matches"][0]["document"]
    shown = cali("show", document["id"], *where).stdout
    for out in (listed, found, shown):
        assert "Bell" in out and not {"\x1b", "\x07", "\u202e"} & set(out)


def test_bytes_that_are_no_text_and_titles_without_words(state: Path) -> None:
    where = ("--state", str(state))
    searched = subprocess.run(
        [sys.executable, "-c", "from cali.main import main; main()", "memory", "search", "-", *where],
        input=b"queue \xff\xfe full", capture_output=True, env=os.environ, timeout=100,
    )  # fmt: skip
    assert searched.returncode == 0, searched.stderr
    refused = cali("add", "--title", " ", *where, check=False)
    assert refused.returncode == 2 and "--title" in refused.stderr


def test_a_file_that_is_no_memory_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_text("this is no database")
    process = cali("stats", "--state", str(tmp_path), check=False)
    assert process.returncode == 2 and "no memory, or damaged" in process.stderr


def test_a_cold_search_imports_no_torch(state: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", CHECK, "memory", "search", "disk full", "--state", str(state)],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=100,
    )
    told = json.loads(process.stderr.strip().splitlines()[-1])
    assert told["code"] == 0
    assert told["slow"] == []  # what a search does not need, it does not import
    assert told["cpu"] < 4.0  # seconds of processor time; the bench measures the wall clock on a quiet machine


def test_without_a_memory_the_next_step_is_named(tmp_path: Path) -> None:
    process = cali("search", "x", "--state", str(tmp_path), check=False)
    assert process.returncode == 2
    assert "cali memory init" in process.stderr


def test_a_cross_encoder_reorders_where_one_is_set(state: Path, tmp_path: Path) -> None:
    where = ("--state", str(state))
    cali("add", "--id", "rerank-1", "--title", "queue is full", "--text", "the queue of orders is full", *where)
    search = ("search", "the queue is full", "--format", "json", *where)
    assert "rerank" not in cali(*search).stdout.replace("rerank-1", "")
    found = json.loads(cali(*search, CALI_MEMORY_RERANKER=str(tiny_cross_encoder(tmp_path))).stdout)
    assert "rerank" in [signal["name"] for signal in found["matches"][0]["signals"]]
    missing = cali(*search, check=False, CALI_MEMORY_RERANKER=str(tmp_path / "absent"))
    assert missing.returncode == 2
    assert "memory_reranker" in missing.stderr
