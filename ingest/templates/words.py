"""Words and layout: a masked message is the words in it and what stands between them.

Blanks and `= , ; : ( ) [ ] { } " ' | < >` separate words, so `key=value` and `(value)` have the value as a word. The
layout keeps every separator; messages are compared word by word only where their layouts are equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

GENERAL: Final = "<*>"
"""A word that varies, by evidence."""
UNIT: Final = "<UNIT>"
"""A unit that varies (`B`, `KB`) after a number; number and unit together show as `<SIZE>`."""
PHRASE: Final = "<STR>"
"""Quoted text."""
SLOT: Final = "\x00"
"""Stands for a word in a layout."""

WILD: Final = r"<(?:\*|[A-Z][A-Z0-9_]*)>"
"""A wildcard, as part of an expression."""
PLAIN: Final = r"[^\s=,;:()\[\]{}\"'|<>\x00]"
"""A character of a word, as part of an expression."""
WILDCARD: Final = re.compile(WILD)
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")
_WORD: Final = re.compile(rf"({WILD}|{PLAIN}+)")
_MEMBER: Final = re.compile('(\x00") ?: ?"?(?=\x00)')
_SIZE: Final = re.compile(r"<(?:NUM|\*|SIZE)> ?<UNIT>")


def tells(word: str) -> bool:
    """Whether a word says something: it has letters, and holds no wildcard."""
    return _LETTERS.search(word) is not None and WILDCARD.search(word) is None


def split(masked: str) -> tuple[tuple[str, ...], str]:
    """The words of a masked message (its blanks single, as `masking.mask` leaves them) and its layout."""
    if SLOT in masked:
        masked = masked.replace(SLOT, "\ufffd")
    parts = _WORD.split(masked)  # separators and words in turn
    return tuple(parts[1::2]), SLOT.join(parts[::2])


def join(words: Sequence[str], layout: str) -> str:
    """The text of words in their layout; `<NUM> <UNIT>` becomes `<SIZE>`."""
    text = "".join(part + word for part, word in zip(layout.split(SLOT), (*words, ""), strict=True))
    return _SIZE.sub("<SIZE>", text).replace(UNIT, GENERAL) if UNIT in text else text


def separators_before(layout: str) -> tuple[str, ...]:
    """For each word, the separator just before it (blanks between skipped for `:` and `=`); `^` for the first.

    The value of a member of a JSON object, bare or in quotes, stands after `=`, too: it is the value of a key.
    """
    tight = _MEMBER.sub("\\1=", layout).replace(": ", " :").replace("= ", " =")
    return tuple(tight[at - 1] if at else "^" for at, char in enumerate(tight) if char == SLOT)
