"""What stays of a text when its values are left out: its keys in order, or what it begins with.

Programs write `key: value` and `key=value`, and values are of several words, empty, or in brackets, so that texts of
one event differ in words and layout. And many messages end in somebody else's words (`failed: ...`, `statement: ...`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from ingest.templates.opposites import EVENTS
from ingest.templates.words import GENERAL, PLAIN, WILD, WILDCARD, tells

_KEY: Final = re.compile(r"([A-Za-z_][\w.-]*)\\?[\"']?(?:: |:$|=|:(?=[\[<\"'{(]))")
_TOKEN: Final = re.compile(rf"(?:{WILD}|{PLAIN})+")
_LETTER: Final = re.compile(r"[A-Za-z]")
_DOUBLE: Final = re.compile(r"(?<!\w)\"[^\"]*\"")
_SINGLE: Final = re.compile(r"(?<!\w)'[^']*'(?!\w)")

LEAST_KEYS: Final = 2
"""Keys from which a text is told by them. What it begins with (`kernel: `) says who speaks and is none."""

_VALUE_WORDS: Final = 4
"""Words up to which something is a value; more are text, and tell one event from another."""

_PREFIX_WORDS: Final = 2
_LEAST_LENGTHS: Final = 3
_MORE: Final = 3


def skeleton(text: str) -> tuple[tuple[str, ...], ...] | None:
    """What texts with the same keys share: the words before the first key, the keys, and values that are text."""
    keys = [match for match in _KEY.finditer(text) if match.start()]
    if len(keys) < LEAST_KEYS:
        return None
    ends = [match.start() for match in keys[1:]] + [len(text)]
    values = [_words(text[key.end() : end]) for key, end in zip(keys, ends, strict=True)]
    told = [value if len(value) > _VALUE_WORDS else () for value in values]
    return (_words(text[: keys[0].start()]), tuple(key.group(1) for key in keys), *told)


def beginnings(text: str) -> Iterator[str]:
    """What a text begins with, up to each colon with a blank behind it: of two words at least."""
    at = text.find(": ")
    while at >= 0:
        prefix = text[: at + 2]
        if _is_told(prefix):
            yield prefix
        at = text.find(": ", at + 2)


def are_free(tails: Collection[str], least: int) -> bool:
    """Whether what follows the same beginning is free text: `least` of them, of several lengths; where some were
    joined already, a few."""
    needed = _MORE if GENERAL in tails else least
    return len(tails) >= needed and len({len(tail.split()) for tail in tails}) >= _LEAST_LENGTHS


def emptied(text: str) -> Iterator[tuple[str, str]]:
    """A text without what stands in its brackets of one kind, or in quotes (unless it holds wildcards among words), and
    the kind; of texts that have such and two words outside. A bracket that a text begins with is a name for it."""
    for opening, closing in ("{}", "[]", "()"):
        if (
            opening in text[1:]
            and text[0] != opening
            and (reduced := _outside(text, opening, closing)) != text
            and _is_told(reduced)
        ):
            yield opening, reduced
    for quote, pattern in (('"', _DOUBLE), ("'", _SINGLE)):
        if quote in text and (reduced := pattern.sub(_emptied, text)) != text and _is_told(reduced):
            yield quote, reduced


def _outside(text: str, opening: str, closing: str) -> str:
    """A text without what stands in brackets, unless that says what happened (`(down)`)."""
    kept: list[str] = []
    inside: list[str] = []
    depth = 0
    for piece in re.split(f"([{re.escape(opening + closing)}])", text):
        if piece == closing and depth:
            depth -= 1
            if not depth:
                kept += inside if "".join(inside).casefold() in EVENTS else ()
                inside = []
        (inside if depth else kept).append(piece)
        depth += piece == opening
    return "".join([*kept, *inside])


def _emptied(match: re.Match[str]) -> str:
    inside = match.group()[1:-1]
    if inside.casefold() in EVENTS:
        return match.group()
    return "\x00" if WILDCARD.fullmatch(inside) or not WILDCARD.search(inside) else match.group()


def _is_told(text: str) -> bool:
    return sum(map(tells, _TOKEN.findall(text))) >= _PREFIX_WORDS


def _words(text: str) -> tuple[str, ...]:
    """The words of a text with a letter in them, without those that hold a wildcard."""
    return tuple(word for word in _TOKEN.findall(text) if _LETTER.search(word) and not WILDCARD.search(word))
