"""Two texts of one template that differ in their numbers of words: what they share in order, wildcards between."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from ingest.templates.words import GENERAL, PLAIN, WILD, tells

_PIECE: Final = re.compile(rf"{WILD}|{PLAIN}+|\s+|.")
_MOST_PIECES: Final = 400
_KEY: Final = re.compile(r"[:=]")
_GAP: Final = "\x00"
_REPEATED: Final = re.compile(r"\s?\x00(?:\s*\x00)*\s?")
_ISLAND_WORDS: Final = 2
_LONG_WORD: Final = 4


def aligned(a: str, b: str) -> str:
    """The text that both are versions of: pieces that stand in both in the same order, `<*>` for what lies between.

    The pieces are those of the longest common blocks (Ratcliff and Obershelp's gestalt matching, as `difflib` has it).
    What stands between two wildcards stays only where it is a key, a word of four letters or several: less is met by
    chance.
    """
    left, right = _PIECE.findall(a), _PIECE.findall(b)
    if max(len(left), len(right)) > _MOST_PIECES:
        return _ends(left, right)
    pieces: list[str] = []
    for kind, start, end, other, other_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        shared = "".join(left[start:end])
        if kind == "equal" and not (start > 0 and end < len(left) and _by_chance(shared)):
            pieces.append(shared)
        elif kind == "equal":
            pieces.append(_GAP)
        else:
            pieces.append(_between(shared, "".join(right[other:other_end])))
    return _REPEATED.sub(_one, "".join(pieces))


def _between(*texts: str) -> str:
    """A wildcard, with the blanks that all of some texts (without empty ones) have at their ends."""
    told = [text for text in texts if text]
    lead = " " if all(text[0].isspace() for text in told) else ""
    trail = " " if all(text[-1].isspace() for text in told) else ""
    return f"{lead}{_GAP}{trail}"


def _one(match: re.Match[str]) -> str:
    """One wildcard for several gaps with nothing but blanks between."""
    found = match.group()
    return f"{' ' if found[0] == ' ' else ''}{GENERAL}{' ' if found[-1] == ' ' else ''}"


def _by_chance(piece: str) -> bool:
    words = list(filter(tells, _PIECE.findall(piece)))
    if len(words) >= _ISLAND_WORDS or (words and _KEY.search(piece)):
        return False
    return not any(len(word) >= _LONG_WORD for word in words)


def _ends(left: list[str], right: list[str]) -> str:
    lead, trail = 0, 0
    shorter = min(len(left), len(right))
    while lead < shorter and left[lead] == right[lead]:
        lead += 1
    while trail < shorter - lead and left[-1 - trail] == right[-1 - trail]:
        trail += 1
    return "".join([*left[:lead], GENERAL, *left[len(left) - trail :]])
