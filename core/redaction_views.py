"""A text as it reads when its escapes are undone, and where each part of that stands in the text itself.

A secret hides in `{\\"password\\":\\"x\\"}`, in `user%40example.com`, in a key whose lines are joined by `\\n`, between
invisible characters, in full-width letters.
Detectors look at every view; what they find is masked in the text as it was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

ROUNDS: Final = 3
"""How often escapes are undone: a JSON string in a JSON string in a URL needs three."""

_ESCAPE: Final = re.compile(
    r"\\u(?P<unicode>[0-9A-Fa-f]{4})|\\x(?P<byte>[0-9A-Fa-f]{2})|\\(?P<char>[\"'\\/bfnrt])"
    r"|(?P<percent>%[0-7][0-9A-Fa-f]|(?:%[89A-Fa-f][0-9A-Fa-f]){1,48})"
    r"|(?P<unseen>[\u00ad\u200b-\u200f\u2060\ufeff])|(?P<wide>[\uff01-\uff5e])"
    r"|&(?P<entity>amp|quot|apos|lt|gt|#0{0,4}(?:34|38|39|45|46|47|58|60|61|62|64);?|#x0{0,4}(?:2[2567defDEF]|3[acdeACDE]|40));"
)
_CHARS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ENTITIES: Final = {"amp": "&", "quot": '"', "apos": "'", "lt": "<", "gt": ">"}


@dataclass(frozen=True, slots=True)
class View:
    """A text with its escapes undone `ROUNDS` times at most.

    `starts` are offsets in `text` of stretches, `origins` and `lengths` where each lies in the view below and how long
    it is there; a stretch that is as long here as there is copied, any other is one escape.
    """

    text: str
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    below: View | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that stands for [start, end) here (end > start)."""
        view = self
        while view.below is not None:
            start, end = view._place(start, last=False), view._place(end - 1, last=True)
            view = view.below
        return start, end

    def _place(self, at: int, *, last: bool) -> int:
        index = bisect_right(self.starts, at) - 1
        here = self.starts[index]
        size = (self.starts[index + 1] if index + 1 < len(self.starts) else len(self.text)) - here
        origin, length = self.origins[index], self.lengths[index]
        if size == length:
            return origin + at - here + last
        return origin + length if last else origin


def views(text: str) -> Iterator[View]:
    """The text itself, then what it reads as after each round that undoes some escape."""
    view = View(text)
    yield view
    for _ in range(ROUNDS):
        if view.text.isascii() and "\\" not in view.text and "%" not in view.text and "&" not in view.text:
            return
        following = _undone(view)
        if following is None:
            return
        view = following
        yield view


def _undone(view: View) -> View | None:
    parts: list[str] = []
    starts: list[int] = []
    origins: list[int] = []
    lengths: list[int] = []
    size = at = 0

    def add(part: str, origin: int, length: int) -> None:
        nonlocal size
        if part:
            starts.append(size)
            origins.append(origin)
            lengths.append(length)
            parts.append(part)
            size += len(part)

    for match in _ESCAPE.finditer(view.text):
        add(view.text[at : match.start()], at, match.start() - at)
        add(_read(match), match.start(), match.end() - match.start())
        at = match.end()
    if not at:
        return None
    add(view.text[at:], at, len(view.text) - at)
    return View("".join(parts), starts, origins, lengths, view)


def _read(match: re.Match[str]) -> str:
    kind = match.lastgroup
    found = match[kind] if kind else ""
    if kind in ("unicode", "byte"):
        return chr(int(found, 16))
    if kind == "unseen":
        return ""
    if kind == "wide":
        return chr(ord(found) - 0xFEE0)
    if kind == "char":
        return _CHARS.get(found, found)
    if kind == "percent":
        return bytes.fromhex(found.replace("%", "")).decode("utf-8", "replace")
    if found in _ENTITIES:
        return _ENTITIES[found]
    digits = found.strip("#;")
    return chr(int(digits[1:], 16) if digits[0] == "x" else int(digits))
