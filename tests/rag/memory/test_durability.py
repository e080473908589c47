"""What a memory acknowledged survives the death of its process; a second process learns who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import RetryableError
from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from rag.memory.open import initialise, open_memory
from rag.memory.testing import WordEmbedder

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from core.memory import MemoryDocument, MemoryKind
from rag.memory.open import open_memory
from rag.memory.testing import WordEmbedder

memory = open_memory(Path(sys.argv[1]), embedder=WordEmbedder(), redact=str, now=lambda: datetime.now(UTC))
for number in range(100_000):
    key = f"w{number:06}"
    memory.add([MemoryDocument(key, MemoryKind.INCIDENT, f"incident {number}", f"number {number + 1000}")])
    print(key, flush=True)
"""


def start(state: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(state)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@pytest.mark.parametrize("whole_group", [False, True], ids=["the writer", "the writer and Milvus Lite"])
def test_killed_in_the_middle_of_writes_nothing_acknowledged_is_lost(tmp_path: Path, whole_group: bool) -> None:
    initialise(tmp_path, WordEmbedder())
    acknowledged: list[str] = []
    for _ in range(2):  # once on a fresh file, once on one that was recovered
        writer = start(tmp_path)
        assert writer.stdout is not None
        read = [writer.stdout.readline().strip() for _ in range(60)]
        (os.killpg if whole_group else os.kill)(writer.pid, signal.SIGKILL)
        read += [line.strip() for line in writer.stdout.readlines()]
        writer.wait()
        acknowledged += [key for key in read if len(key) == 7]
        memory = open_memory(tmp_path, embedder=WordEmbedder(), redact=str, now=lambda: datetime.now(UTC))
        try:
            held = {document.id for document in memory.export(MemoryFilter())}
            assert set(acknowledged) <= held
            newest = acknowledged[-1]
            assert newest in {
                match.document.id for match in memory.search(f"number {int(newest[1:]) + 1000}", 5, MemoryFilter())
            }
        finally:
            memory.close()
    assert len(acknowledged) >= 120


def test_a_second_process_is_told_who_holds_the_memory(tmp_path: Path) -> None:
    initialise(tmp_path, WordEmbedder())
    writer = start(tmp_path)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        with pytest.raises(RetryableError, match=f"process {writer.pid}.*memory_uri"):
            open_memory(tmp_path, embedder=WordEmbedder(), redact=str, wait=0.1)
    finally:
        writer.kill()
        writer.wait()
    open_memory(tmp_path, embedder=WordEmbedder(), redact=str).close()


def test_a_document_is_found_again_after_closing(tmp_path: Path) -> None:
    initialise(tmp_path, WordEmbedder())
    moment = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
    document = MemoryDocument("a", MemoryKind.INCIDENT, "disk full", "no space left", starts_at=moment)
    for expected in (1, 0):
        memory = open_memory(tmp_path, embedder=WordEmbedder(), redact=str)
        assert memory.add([document]).added == expected
        assert memory.get("a") == document
        memory.close()


def test_milvus_lite_leaves_nothing_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, temporary = tmp_path / "state", tmp_path / "tmp"
    state.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    environment = dict(os.environ)
    initialise(state, WordEmbedder())
    assert dict(os.environ) == environment
    writer = start(state)
    assert writer.stdout is not None
    assert writer.stdout.readline()
    os.killpg(writer.pid, signal.SIGKILL)
    writer.wait()
    left = [path.name for path in state.iterdir() if path.suffix == ".sock"]
    assert left == [f".memory.db.{writer.pid}.sock"]  # a process that is killed removes nothing

    memory = open_memory(state, embedder=WordEmbedder(), redact=str)
    assert memory.get("w000000") is not None
    assert [path.name for path in state.iterdir() if path.suffix == ".sock"] == [f".memory.db.{os.getpid()}.sock"]
    memory.close()
    assert sorted(path.name for path in state.iterdir()) == ["memory.db", "memory.db.lock"]
    assert list(temporary.iterdir()) == []


def test_a_memory_deep_in_the_file_system_opens(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*("a-folder-with-a-long-name",) * 6)
    deep.mkdir(parents=True)
    initialise(deep, WordEmbedder())
    memory = open_memory(deep, embedder=WordEmbedder(), redact=str)
    try:
        assert memory.stats().incidents == 0
    finally:
        memory.close()
    assert sorted(path.name for path in deep.iterdir()) == ["memory.db", "memory.db.lock"]
