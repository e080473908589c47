"""Files as sources: what is found, how it is decoded, and what happens to bad input."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
import zstandard

from core.batch import LINES
from core.errors import InputError
from ingest.sources.files import FileSource, open_sources


def read(path: Path | str, **options: int) -> tuple[list[str], FileSource]:
    opened = open_sources([str(path)], **options)
    assert not opened.unreadable
    (source,) = opened.sources
    frames = list(source.lines())
    for frame in frames:
        assert frame.schema == LINES
    table = pl.concat(frames) if frames else pl.DataFrame(schema=LINES)
    assert table["position"].to_list() == list(range(1, table.height + 1))
    return table["line"].to_list(), source


def written(folder: Path, content: bytes, name: str = "a.log") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\n", ["a", ""]),
        (b"\n", [""]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\r\r\nc", ["a\rb\r", "c"]),
        ("a\u2028b\x0bc\x0cd\x85e\n".encode(), ["a\u2028b\x0bc\x0cd\x85e"]),
        (b"\xef\xbb\xbfa\nb", ["a", "b"]),
        (b"nul \x00 here and much more text around it\nb\n", ["nul \x00 here and much more text around it", "b"]),
        ("größe\n".encode(), ["größe"]),
        ("größe\n".encode("latin-1"), ["größe"]),
        ("größe\n".encode() + "größe\n".encode("latin-1"), ["größe", "größe"]),
        ("\ufeffgröße\nb\n".encode("utf-16-le"), ["größe", "b"]),
        ("\ufeffgröße\r\nb\r\n".encode("utf-16-be"), ["größe", "b"]),
        ("plain words in a row\nb\n".encode("utf-16-le"), ["plain words in a row", "b"]),
        ("plain words in a row\nb\n".encode("utf-16-be"), ["plain words in a row", "b"]),
    ],
)
def test_lines_of_a_file(tmp_path: Path, content: bytes, lines: list[str]) -> None:
    got, source = read(written(tmp_path, content))
    assert got == lines
    assert not source.quarantined


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_compression_is_known_by_its_bytes(tmp_path: Path, compress: object) -> None:
    content = b"".join(b"line %d\n" % number for number in range(100_000))
    path = written(tmp_path, compress(content))  # type: ignore[operator]
    got, source = read(path)
    assert len(got) == 100_000
    assert got[-1] == "line 99999"
    assert not source.quarantined
    again = pl.concat(list(source.lines_from(70_000)))
    assert again.filter(pl.col("position") == 70_000)["line"].to_list() == ["line 69999"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, zstandard.compress])
def test_members_of_a_compressed_file_are_joined(tmp_path: Path, compress: object) -> None:
    content = compress(b"a\n") + compress(b"b\n")  # type: ignore[operator]
    assert read(written(tmp_path, content))[0] == ["a", "b"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_truncated_file_keeps_what_could_be_decoded(tmp_path: Path, compress: object) -> None:
    lines = [f"line {number} {os.urandom(8).hex()}" for number in range(90_000)]
    packed = compress("\n".join(lines).encode())  # type: ignore[operator]
    got, source = read(written(tmp_path, packed[: len(packed) // 2]))
    assert 10_000 < len(got) < 90_000
    assert got[:-1] == lines[: len(got) - 1]
    (entry,) = source.quarantined
    assert entry.position == len(got)
    assert "breaks off" in entry.reason


def test_a_damaged_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    lines = [f"line {number} {os.urandom(8).hex()}" for number in range(100_000)]
    packed = bytearray(gzip.compress("\n".join(lines).encode()))
    packed[len(packed) // 2] ^= 0xFF
    packed[len(packed) // 2 + 1] ^= 0xFF
    got, source = read(written(tmp_path, bytes(packed)))
    assert got[:1000] == lines[:1000]
    assert any("damaged" in entry.reason for entry in source.quarantined)


def test_a_binary_file_gives_no_lines_and_one_reason(tmp_path: Path) -> None:
    for content in (bytes(range(256)) * 100, b"\x7fELF" + b"\x00" * 5000 + b"\x01\x02text", os.urandom(50_000)):
        got, source = read(written(tmp_path, content))
        assert got == []
        (entry,) = source.quarantined
        assert entry.position == 0
        assert "binary" in entry.reason


def test_a_long_line_is_cut_and_the_others_are_kept(tmp_path: Path) -> None:
    content = b"first\n" + b"x" * 3_000_000 + b"\nlast\n"
    got, source = read(written(tmp_path, content))
    assert [len(line) for line in got] == [5, 1 << 20, 4]
    (entry,) = source.quarantined
    assert entry.position == 2
    got, source = read(written(tmp_path, b"a\n" + "é".encode() * 30 + b"\nb\n"), max_line_bytes=21)
    assert got == ["a", "é" * 10, "b"]
    assert [entry.position for entry in source.quarantined] == [2]


def test_memory_does_not_grow_with_a_line(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    with path.open("wb") as out:
        out.write(b"first\n")
        for _ in range(50):
            out.write(b"x" * (1 << 20))
        out.write(b"\nlast\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got, source = read(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert [len(line) for line in got] == [5, 1 << 20, 4]
    assert [entry.position for entry in source.quarantined] == [2]
    assert after - before < 30_000  # KiB


def test_folders_globs_and_missing_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs/deep").mkdir(parents=True)
    (tmp_path / "logs/.git").mkdir()
    for name in ("logs/b.log", "logs/a.log", "logs/deep/c.log", "logs/.hidden", "logs/.git/x"):
        written(tmp_path, b"x\n", name)
    monkeypatch.chdir(tmp_path)
    opened = open_sources(["logs"])
    assert [source.name for source in opened.sources] == ["logs/a.log", "logs/b.log", "logs/deep/c.log"]
    opened = open_sources(["logs/*.log", "logs/a.log", "nothing.log", "none*.log", "", "a\x00b"])
    assert [source.name for source in opened.sources] == ["logs/a.log", "logs/b.log"]
    assert [entry.source for entry in opened.unreadable] == ["nothing.log", "none*.log", "", "a\x00b"]
    assert all(entry.position == 0 and entry.reason for entry in opened.unreadable)


def test_an_empty_folder_and_a_broken_link_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.log").symlink_to(tmp_path / "gone.log")
    opened = open_sources([str(tmp_path / "empty"), str(tmp_path / "link.log")])
    assert not opened.sources
    assert [entry.reason for entry in opened.unreadable] == [
        "the folder holds no files (hidden ones are skipped)",
        "no such file (a broken link)",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, b"x\n")
    path.chmod(0)
    opened = open_sources([str(path)])
    assert "Permission denied" in opened.unreadable[0].reason


def test_a_file_that_disappears_raises_an_error_for_people(tmp_path: Path) -> None:
    path = written(tmp_path, b"x\n")
    (source,) = open_sources([str(path)]).sources
    path.unlink()
    with pytest.raises(InputError, match="cannot be opened"):
        next(source.lines())


class _Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_stdin_is_read_once_and_can_be_quoted_later(monkeypatch: pytest.MonkeyPatch, compress: object) -> None:
    content = b"".join(b"line %d\n" % number for number in range(100_000))
    monkeypatch.setattr(sys, "stdin", _Stdin(compress(content)))  # type: ignore[operator]
    opened = open_sources(["-", "-"])
    (source,) = opened.sources
    assert source.name == "stdin"
    assert sum(frame.height for frame in source.lines()) == 100_000
    again = pl.concat(list(source.lines_from(70_000)))
    assert again.filter(pl.col("position") == 70_000)["line"].to_list() == ["line 69999"]
    source.close()
    with pytest.raises(InputError):
        next(source.lines_from(1))


def test_a_pipe_is_read_like_stdin(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"a\nb\n"))
    writer.start()
    (source,) = open_sources([str(pipe)]).sources
    assert pl.concat(list(source.lines()))["line"].to_list() == ["a", "b"]
    writer.join()
    assert pl.concat(list(source.lines_from(1)))["line"].to_list() == ["a", "b"]
    source.close()


def test_the_index_leads_to_a_line(tmp_path: Path) -> None:
    lines = [f"line {number} {'x' * (number % 300)}" for number in range(60_000)]
    got, source = read(written(tmp_path, "\r\n".join(lines).encode()))
    assert got == lines
    assert source.seekable
    for position in (1, 2, 777, 30_000, 59_999, 60_000):
        first = next(source.lines_from(position))
        assert position - int(first["position"][0]) < 3000  # entered near the line, not at the beginning
        assert first.filter(pl.col("position") == position)["line"].to_list() == [lines[position - 1]]
