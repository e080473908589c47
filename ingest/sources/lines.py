"""Chunks of UTF-8 bytes -> frames of `core.batch.LINES`, with bounded memory.

Only `\\n` ends a line; one `\\r` before it belongs to the line end. Bytes that are no UTF-8 make their line Latin-1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

BLOCK: Final = 4 << 20
"""Bytes of text in a frame, about."""

STRIDE: Final = 1 << 18
"""Bytes between two entries of a line index."""


@dataclass
class LineIndex:
    """Byte offsets of some lines of a text, in order: where to start reading for a line number."""

    positions: list[int] = field(default_factory=lambda: [1])
    offsets: list[int] = field(default_factory=lambda: [0])

    def add(self, position: int, offset: int) -> None:
        """Notes that the line `position` (1-based) begins at byte `offset`; calls come in order."""
        if position > self.positions[-1]:
            self.positions.append(position)
            self.offsets.append(offset)

    def before(self, position: int) -> tuple[int, int]:
        """The last known line at or before `position`, and its byte offset."""
        at = bisect_right(self.positions, position) - 1
        return self.positions[max(at, 0)], self.offsets[max(at, 0)]


class LineFramer:
    """Cuts a stream of chunks into frames of whole lines.

    A line over `max_line_bytes` is cut to it; the rest is skipped as it arrives, so that memory does not grow with the
    line. `cut` lists the positions of such lines. `index`, where given, is filled with byte offsets. `position` is that
    of the first line.
    """

    def __init__(self, max_line_bytes: int, index: LineIndex | None = None, position: int = 1) -> None:
        self._max = max_line_bytes
        self._index = index
        self.position = position
        self._offset = 0
        self.cut: list[int] = []

    def frames(self, chunks: Iterator[bytes], block: int = BLOCK) -> Iterator[pl.DataFrame]:
        """Frames of about `block` bytes. What was read before an error in `chunks` comes before the error."""
        held: list[bytes] = []  # whole lines, then perhaps the beginning of one
        size = 0
        open_size = 0  # bytes of the unfinished last line in `held`
        skipping = 0  # bytes of an overlong line dropped so far
        error: Exception | None = None
        iterator = iter(chunks)
        while True:
            try:
                chunk = next(iterator)
            except StopIteration:
                break
            except Exception as exc:  # noqa: BLE001 - re-raised below, after what was read
                error = exc
                break
            if skipping:
                end = chunk.find(b"\n")
                if end < 0:
                    skipping += len(chunk)
                    continue
                skipping += end
                yield self._frame(b"".join(held) + b"\n", skipping)
                held, size, open_size, skipping = [], 0, 0, 0
                chunk = chunk[end + 1 :]
            last = chunk.rfind(b"\n")
            open_size = open_size + len(chunk) if last < 0 else len(chunk) - last - 1
            held.append(chunk)
            size += len(chunk)
            if open_size > self._max:
                text = b"".join(held)
                start = len(text) - open_size
                if start:
                    yield self._frame(text[:start])
                skipping = open_size - self._max
                held = [text[start : start + self._max]]
                size = self._max
            elif size - open_size >= block:
                # The block has grown by lines, so this chunk ends one: it is cut there before the large copy is made.
                held[-1] = chunk[: last + 1]
                whole = b"".join(held)
                held, size = [chunk[last + 1 :]], open_size
                # Nothing of the block is kept here while the consumer works on the frame.
                del chunk
                frame = self._frame(whole)
                del whole
                yield frame
                del frame
        text = b"".join(held)
        if text:
            yield self._frame(text if text.endswith(b"\n") else text + b"\n", skipping, ended=text.endswith(b"\n"))
        if error is not None:
            raise error

    def _frame(self, text: bytes, skipped: int = 0, ended: bool = True) -> pl.DataFrame:
        """Frame of whole lines. `skipped`: bytes of the only line in `text` that were dropped."""
        column = split_lines(text).alias("line")
        first = self.position
        positions = pl.int_range(first, first + len(column), dtype=pl.UInt64, eager=True)
        lines = pl.DataFrame([positions.alias("position"), column])
        if skipped:
            self.cut.append(first)
        elif len(text) > self._max:
            lines = self._cut(lines)
        if self._index is not None:
            self._note(text, column, first)
        self._offset += len(text) + skipped - (not ended)
        self.position = first + lines.height
        return lines

    def _cut(self, lines: pl.DataFrame) -> pl.DataFrame:
        sizes = lines["line"].str.len_bytes()
        rows = (sizes > self._max).arg_true()
        if not len(rows):
            return lines
        over = lines[rows]
        self.cut.extend(over["position"].to_list())
        shorter = [text.encode()[: self._max].decode(errors="ignore") for text in over["line"]]
        return lines.with_columns(lines["line"].clone().scatter(rows, pl.Series(shorter, dtype=pl.String)))

    def _note(self, text: bytes, lines: pl.Series, first: int) -> None:
        """Notes where some lines of a frame begin; `first` is the position of its first line."""
        assert self._index is not None
        self._index.add(first, self._offset)
        ends = (lines.str.len_bytes() + 1).cum_sum()
        if ends[-1] == len(text) and b"\r" not in text:  # else lines lost their returns, or changed their encoding
            at = 0
            while (row := int(ends.search_sorted(at + STRIDE))) < len(ends):
                at = ends[row]
                self._index.add(first + row + 1, self._offset + at)
            return
        at, position = 0, first
        while (end := text.find(b"\n", at + STRIDE)) >= 0:
            position += text.count(b"\n", at, end + 1)
            at = end + 1
            self._index.add(position, self._offset + at)


def from_line(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Chunks of a text without its first `count` lines; empty chunks are left out."""
    for chunk in chunks:
        lines = chunk.count(b"\n") if count else 0
        if lines < count:
            count -= lines
            continue
        start = 0
        for _ in range(count):
            start = chunk.index(b"\n", start) + 1
        count = 0
        if start < len(chunk):
            yield chunk[start:]


def split_lines(text: bytes) -> pl.Series:
    """The lines of `text` (which ends with `\\n`), decoded, without their ends."""
    try:
        column = pl.Series([text], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:  # no UTF-8
        return pl.Series([_decode(line) for line in text[:-1].split(b"\n")], dtype=pl.String).str.strip_suffix("\r")
    column = column.str.split("\n").explode().head(-1)
    return column.str.strip_suffix("\r") if b"\r" in text else column


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")
