"""Words of a text for search by words: the same list on every store, so that BM25 means the same everywhere.

The store's analyser only splits on spaces. What makes log text different from prose is handled here: camel-case class
names are kept whole and split (`OutOfMemoryError` -> `outofmemoryerror out memory error`), wildcards and numbers are
dropped, endings are cut so that `failed`, `failing` and `fails` meet, Hangul is cut into pairs of syllables (Korean
endings stick to their nouns), and fault concepts (`rag.memory.concepts`) are added as words of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rag.memory.concepts import concepts

_WILDCARD: Final = re.compile(r"<[A-Z_*][A-Z0-9_*:]*>|<\*>")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*|[0-9]+|[\uac00-\ud7a3]+|[^\W\d_A-Za-z\uac00-\ud7a3]+")
_HUMP: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_STOP_WORDS: Final = """
    a an and are as at be been but by for from had has have he her him his i if in into is it its me my no nor not
    of on or our she so than that the their them then there these they this those to too was we were what when
    where which who why will with you your com org io net www http https java javax lang util at
"""
_STOP: Final = frozenset(_STOP_WORDS.split())
_MAX_TERM: Final = 40
_MAX_TERMS: Final = 4000
_CONCEPT_REPEATS: Final = 3

CONCEPT_MARK: Final = "fault0"
"""Prefix of a concept's word; the 0 keeps it apart from any word of a text after `_HUMP`."""


def stem(word: str) -> str:
    """A word without the endings that English inflects by: an S-stemmer with `-ed` and `-ing` (Harman 1991)."""
    if len(word) <= 4 or not word.isascii():
        return word
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith(("ss", "us", "is")) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + replacement
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def terms(text: str) -> list[str]:
    """The words of a text, in order, repeated as often as they occur, then its fault concepts. At most 4,000."""
    found: list[str] = []
    for match in _WORD.finditer(_WILDCARD.sub(" ", text)):
        found.extend(_of_word(match.group()))
        if len(found) >= _MAX_TERMS:
            break
    for concept, count in concepts(text).items():
        found.extend([concept_term(concept)] * min(count, _CONCEPT_REPEATS))
    return found[:_MAX_TERMS]


def concept_term(concept: str) -> str:
    """The word that stands for a fault concept."""
    return CONCEPT_MARK + concept.replace("_", "")


@lru_cache(maxsize=20_000)  # texts of logs repeat their words
def _of_word(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        # Status codes, errno and SQLSTATE numbers tell; longer and shorter numbers are counts and ids.
        return (word,) if 3 <= len(word) <= 5 else ()
    if "\uac00" <= word[0] <= "\ud7a3":
        return tuple(word[i : i + 2] for i in range(len(word) - 1)) or (word,)
    lowered = word.lower()
    if any(digit in "0123456789" for digit in word) and len(word) > 12:
        return ()  # an id
    parts = [part.lower() for part in _HUMP.findall(word)] if not (word.islower() or word.isupper()) else []
    words = [lowered[:_MAX_TERM], *parts] if len(parts) > 1 else [lowered[:_MAX_TERM]]
    return tuple(stem(part) for part in words if part not in _STOP and len(part) > 1 and not part.isdigit())
