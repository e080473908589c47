"""Bytes of a log file -> UTF-8 bytes: compression by magic number, character encoding by byte order mark or evidence.

Every stream here is bounded: a chunk never exceeds `CHUNK` decoded bytes, whatever the compression ratio.
"""

from __future__ import annotations

import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final, Protocol

import zstandard

CHUNK: Final = 1 << 18
"""Bytes read or decoded at a time."""

SAMPLE: Final = 1 << 16
"""Bytes that decide about encoding and binary content."""

_MAX_NUL_SHARE: Final = 0.1
_MAX_CONTROL_SHARE: Final = 0.3
_MAX_CONTROL_SHARE_OF_BYTES: Final = 0.05  # where the sample is no UTF-8
_UTF16_NUL_SHARE: Final = 0.4
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1b\x08\x00")) + b"\x7f"


class CorruptError(Exception):
    """A compressed stream broke off; what was decoded before it is good."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Zlib:
    """zlib's decompressor with the interface of bz2's and lzma's."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))


class _Zstd:
    """zstandard's decompressor with the same interface.

    It takes no output limit, so it is fed in slices: a block of 4 bytes can stand for 128 KiB.
    """

    _SLICE: Final = 1 << 11

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        self._pending = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._pending

    @property
    def needs_input(self) -> bool:
        return not self._pending

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        self._pending += data
        out: list[bytes] = []
        size = 0
        view = memoryview(self._pending)
        start = 0
        while start < len(view) and not self._inner.eof and not 0 <= max_length <= size:
            piece = self._inner.decompress(view[start : start + self._SLICE])
            start += self._SLICE
            out.append(piece)
            size += len(piece)
        self._pending = bytes(view[start:])
        return b"".join(out)


_MAGIC: Final[tuple[tuple[bytes, Callable[[], _Decompressor]], ...]] = (
    (b"\x1f\x8b", _Zlib),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
    (b"\x28\xb5\x2f\xfd", _Zstd),
)


@dataclass(frozen=True)
class Text:
    """The text of a byte stream, as chunks of UTF-8.

    `plain`: offsets into it are offsets into the stream (no compression, no other encoding). `problem`: why it is no
    text; there are no chunks then. `chunks` raises CorruptError, after everything that could be decoded, where
    compressed data is damaged or breaks off.
    """

    chunks: Iterator[bytes]
    plain: bool
    problem: str | None = None


def text_of(stream: BinaryIO) -> Text:
    """Decompresses and decodes a stream as its first bytes say."""
    head = _read_at_least(stream, 8)
    make = next((make for magic, make in _MAGIC if head.startswith(magic)), None)
    chunks = _stored(head, stream) if make is None else _members(head, stream, make)
    sample, chunks = _peek(chunks)
    codec = _utf16(sample)
    if codec is not None:
        return Text(_as_utf8(chunks, codec), plain=False)
    problem = _binary(sample)
    if problem is not None:
        return Text(iter(()), plain=False, problem=problem)
    if sample.startswith(codecs.BOM_UTF8):
        return Text(_without_mark(chunks), plain=False)
    return Text(chunks, plain=make is None)


def _stored(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = stream.read(CHUNK)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all chunks (an error while peeking comes after what was decoded)."""
    taken: list[bytes] = []
    failure: Exception | None = None
    try:
        for chunk in chunks:
            taken.append(chunk)
            if sum(map(len, taken)) >= SAMPLE:
                break
    except (CorruptError, OSError) as exc:
        failure = exc
    return b"".join(taken)[:SAMPLE], chain(taken, chunks if failure is None else _failing(failure))


def _failing(failure: Exception) -> Iterator[bytes]:
    raise failure
    yield b""  # makes this a generator


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a text that begins with a UTF-8 byte order mark, without it."""
    yield next(chunks)[len(codecs.BOM_UTF8) :]
    yield from chunks


def _read_at_least(stream: BinaryIO, count: int) -> bytes:
    """A first chunk of at least `count` bytes where there are as many (a pipe may give fewer at a time)."""
    head = b""
    while len(head) < count:
        more = stream.read(CHUNK)
        if not more:
            break
        head += more
    return head


def _members(data: bytes, stream: BinaryIO, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """Decodes concatenated compressed members (rotated logs are often appended to each other)."""
    member = make()
    while True:
        try:
            out = member.decompress(data, CHUNK)
        except (zlib.error, OSError, EOFError, lzma.LZMAError, zstandard.ZstdError) as exc:
            raise CorruptError(f"damaged compressed data: {exc}") from exc
        data = b""
        if out:
            yield out
        if member.eof:
            data = member.unused_data.lstrip(b"\x00")
            if not data:
                data = stream.read(CHUNK).lstrip(b"\x00")
            if not data:
                return
            if len(data) < 8:
                data += stream.read(CHUNK)
            if not any(data.startswith(magic) for magic, _ in _MAGIC):
                raise CorruptError("bytes after the end of the compressed data")
            member = make()
        elif member.needs_input:
            data = stream.read(CHUNK)
            if not data:
                if out:
                    continue
                raise CorruptError("compressed data breaks off")


def _binary(sample: bytes) -> str | None:
    """Why a sample is no text, or None where it may be (UTF-16 was ruled out before)."""
    if not sample:
        return None
    if sample.count(0) > _MAX_NUL_SHARE * len(sample):
        return "binary file: many NUL bytes"
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > _MAX_CONTROL_SHARE * len(sample):
        return "binary file: many control bytes"
    if control > _MAX_CONTROL_SHARE_OF_BYTES * len(sample) and not _is_utf8(sample):
        return "binary file: control bytes and no valid UTF-8"
    return None


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _utf16(sample: bytes) -> str | None:
    """The codec of UTF-16 text, by its byte order mark or by where its NUL bytes stand; None for anything else."""
    if sample.startswith(codecs.BOM_UTF16_LE) and not sample.startswith(codecs.BOM_UTF32_LE):
        return "utf-16-le"
    if sample.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    even, odd = sample[0::2], sample[1::2]
    if len(odd) < 4:
        return None
    for codec, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high.count(0) > _UTF16_NUL_SHARE * 2 * len(high) and low.count(0) <= _MAX_NUL_SHARE * len(low):
            return codec
    return None


def _as_utf8(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Chunks in `codec` as UTF-8 (what cannot be decoded becomes U+FFFD), without a byte order mark."""
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    first = True
    for chunk in chunks:
        text = decoder.decode(chunk)
        if first and text:
            text = text.removeprefix("\ufeff")
            first = False
        if text:
            yield text.encode("utf-8", "replace")
    rest = decoder.decode(b"", final=True)
    if rest:
        yield rest.encode("utf-8", "replace")
