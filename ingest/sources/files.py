"""Files, globs, folders and stdin as sources of lines."""

from __future__ import annotations

import glob
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from core.domain import Quarantined
from core.errors import InputError
from ingest.sources.decoding import CorruptError, text_of
from ingest.sources.lines import LineFramer, LineIndex, from_line

STDIN: Final = "stdin"


@dataclass(frozen=True)
class OpenedSources:
    """What paths lead to: sources that can be read, in order, and paths that cannot, with the reason."""

    sources: tuple[FileSource, ...]
    unreadable: tuple[Quarantined, ...]


class FileSource:
    """One file, or stdin, as a source of lines (`core.ports.LogSource`).

    Stdin is copied to a temporary file while it is read, so that evidence can be quoted from it later; `close` removes
    the copy (it has no name on disk where the system allows that, so it cannot be left behind).
    """

    def __init__(self, name: str, path: Path | None, max_line_bytes: int, stream: BinaryIO | None = None) -> None:
        self.name = name
        self.path = path
        self._stream = stream
        self._max_line_bytes = max_line_bytes
        self._quarantined: list[Quarantined] = []
        self._spool: BinaryIO | None = None
        self._spooled = False
        self._index: LineIndex | None = None
        self.modified_at: datetime | None = None
        if path is not None:
            self.modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """What could not be used of what the last `lines()` read."""
        return tuple(self._quarantined)

    def lines(self) -> Iterator[pl.DataFrame]:
        """Frames of `core.batch.LINES`, about 4 MB of text each. Raises InputError where the file cannot be opened."""
        self._quarantined = []
        with self._bytes() as raw:
            text = text_of(raw)
            if text.problem is not None:
                self._quarantined.append(Quarantined(self.name, 0, text.problem))
                return
            index = LineIndex() if text.plain else None
            framer = LineFramer(self._max_line_bytes, index)
            noted = 0
            try:
                for frame in framer.frames(text.chunks):
                    noted = self._note_cut(framer, noted)
                    yield frame
                    del frame
            except CorruptError as exc:
                last = framer.position - 1
                self._quarantined.append(Quarantined(self.name, last, f"{exc}; kept the {last} lines before it"))
            except OSError as exc:
                last = framer.position - 1
                reason = f"cannot be read further: {exc.strerror or exc}; kept the {last} lines before it"
                self._quarantined.append(Quarantined(self.name, last, reason))
            self._index = index
            self._spooled = self._spool is not None

    def lines_from(self, position: int, block: int = 1 << 18) -> Iterator[pl.DataFrame]:
        """Frames that begin at or before the line `position`, read again; nothing is quarantined twice.

        They are of about `block` bytes each where a plain file is read: few where only some lines are wanted. A plain
        UTF-8 file is entered near the line by the index made in `lines()`; anything else is read from its
        beginning. Raises InputError where the file cannot be opened any more.
        """
        with self._bytes() as raw:
            if self._index is not None:
                first, offset = self._index.before(position)
                raw.seek(offset)
                chunks = from_line(iter(lambda: raw.read(1 << 16), b""), position - first)
                framer = LineFramer(self._max_line_bytes, None, position)
                yield from framer.frames(chunks, block)
                return
            try:
                yield from LineFramer(self._max_line_bytes).frames(text_of(raw).chunks)
            except (CorruptError, OSError):
                return  # counted by lines()

    @property
    def seekable(self) -> bool:
        """Whether `lines_from` enters the file near a line (after `lines()` read it), rather than at its beginning."""
        return self._index is not None

    def close(self) -> None:
        """Forgets the copy of stdin."""
        self._stream = None
        self._index = None
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _note_cut(self, framer: LineFramer, noted: int) -> int:
        for position in framer.cut[noted:]:
            reason = f"line longer than {self._max_line_bytes} bytes: cut to that length"
            self._quarantined.append(Quarantined(self.name, position, reason))
        return len(framer.cut)

    @contextmanager
    def _bytes(self) -> Iterator[BinaryIO]:
        if self.path is not None:
            try:
                stream = self.path.open("rb")
            except OSError as exc:
                raise InputError(
                    f"{self.name} cannot be opened: {exc.strerror}; check the path and its rights"
                ) from exc
            with stream:
                yield stream
        elif self._spooled and self._spool is not None:
            self._spool.seek(0)
            yield self._spool
        elif self._spool is None and self._stream is not None:
            self._spool = tempfile.TemporaryFile(prefix="cali-stdin-")  # noqa: SIM115 - closed by close()
            yield _Tee(self._stream, self._spool)  # type: ignore[misc]
        else:
            raise InputError("stdin was read already and cannot be read again")


class _Tee:
    """A stream whose bytes are copied as they are read."""

    def __init__(self, stream: BinaryIO, copy: BinaryIO) -> None:
        self._stream = stream
        self._copy = copy

    def read(self, size: int = -1) -> bytes:
        """Bytes up to `size`, fewer only at the end: an unbuffered pipe gives what it has."""
        parts: list[bytes] = []
        while size != 0 and (part := self._stream.read(size)):
            parts.append(part)
            if size > 0:
                size -= len(part)
        data = b"".join(parts)
        self._copy.write(data)
        return data


def open_sources(paths: Sequence[str], *, max_line_bytes: int = 1 << 20) -> OpenedSources:
    """The sources that `paths` name: files, globs, folders (recursive, sorted, without hidden files), `-` for stdin.

    A path that cannot be used is in `unreadable` with the reason; nothing is raised for it. A file named twice is read
    once. `max_line_bytes` is the length in bytes to which a longer line is cut.
    """
    sources: list[FileSource] = []
    unreadable: list[Quarantined] = []
    seen: set[str] = set()
    for path in paths:
        if path == "-":
            if STDIN not in seen:
                seen.add(STDIN)
                # Unbuffered: a thread that waits in a buffered read would hold its lock when the process wants to end.
                stdin = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
                sources.append(FileSource(STDIN, None, max_line_bytes, stdin))
            continue
        names, reason = _expand(path)
        if reason is not None:
            unreadable.append(Quarantined(path, 0, reason))
        for name in names:
            key = os.path.realpath(name)
            if key in seen:
                continue
            seen.add(key)
            problem = _problem(name)
            if problem is not None:
                unreadable.append(Quarantined(name, 0, problem))
            elif Path(name).is_file():
                sources.append(FileSource(name, Path(name), max_line_bytes))
            else:  # a pipe, such as <(command): it cannot be read again, so it is copied like stdin
                sources.append(FileSource(name, None, max_line_bytes, Path(name).open("rb", 0)))  # noqa: SIM115
    return OpenedSources(tuple(sources), tuple(unreadable))


def _expand(path: str) -> tuple[list[str], str | None]:
    """File names that a path stands for; or why there are none."""
    if not path:
        return [], "empty path"
    if "\x00" in path:
        return [], "no such file: the path contains a NUL character"
    if os.path.isdir(path):  # noqa: PTH112 - keeps the path as typed
        return _folder(path)
    if os.path.lexists(path):
        return [path], None
    if glob.has_magic(path):
        found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - keeps the path as typed
        names = [
            name
            for match in found
            for name in (_folder(match)[0] if os.path.isdir(match) else [match])  # noqa: PTH112
        ]
        return (names, None) if names else ([], "no file matches this pattern")
    return [], "no such file or folder"


def _folder(path: str) -> tuple[list[str], str | None]:
    names: list[str] = []
    failures: list[OSError] = []
    for root, folders, files in os.walk(path, onerror=failures.append):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        names.extend(os.path.join(root, name) for name in files if not name.startswith("."))  # noqa: PTH118
    if failures:
        return sorted(names), f"folder cannot be read in full: {failures[0].strerror}"
    return sorted(names), None if names else "the folder holds no files (hidden ones are skipped)"


def _problem(name: str) -> str | None:
    """Why a file cannot be read, or None."""
    path = Path(name)
    try:
        if not path.exists():
            return "no such file (a broken link)"
        if not (path.is_file() or path.is_fifo() or path.is_char_device()):
            return "not a file"
        if path.is_file():
            with path.open("rb"):
                pass
    except OSError as exc:
        return f"cannot be read: {exc.strerror}"
    return None
