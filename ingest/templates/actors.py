"""Who speaks: first words that stand before several messages are names, and the messages are one template each.

`firefox.exe opening ...` and `svchost.exe opening ...` may be two events or one of two programs. Where three or more
beginnings are shared by several messages (`... closing`, `... failed`), they name who does all that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ingest.templates.words import GENERAL, PLAIN, WILD, tells

_TOKEN: Final = re.compile(rf"{WILD}|{PLAIN}+|\S")
_ENDS_A_NAME: Final = frozenset("=,;:[]{}\"'|<>")

LEAST_NAMES: Final = 3
"""Beginnings that messages must share."""

MOST_TEXTS: Final = 5000
"""Texts beyond which nothing is looked for: so many templates are free text, not messages of programs."""

_LONGEST_NAME: Final = 4
_REST_WORDS: Final = 2

_KNOWN: Final = (GENERAL,)
"""A place that varies: it is known that names stand here."""

_Split = tuple[tuple[str, ...], int]
"""A beginning, and the hash of what follows it."""


def groups(texts: Mapping[int, str]) -> list[list[int]]:
    """Which of some texts are one template, by id: they differ in who speaks."""
    if len(texts) > MOST_TEXTS:
        return []
    rests: dict[int, dict[tuple[str, ...], int]] = defaultdict(dict)
    for each, text in texts.items():
        for name, rest in _splits(text):
            rests[rest].setdefault(name, each)
    several = {rest: names for rest, names in rests.items() if len(names) >= LEAST_NAMES}
    said: dict[tuple[str, ...], int] = defaultdict(int)
    for names in several.values():
        for name in names:
            said[name] += 1
    return [
        sorted(set(names.values()))
        for names in rests.values()
        if len(names) > 1 and (_KNOWN in names or sum(said[name] > 1 for name in names) >= LEAST_NAMES)
    ]


@lru_cache(maxsize=1 << 14)
def _splits(text: str) -> tuple[_Split, ...]:
    """The ways to take a text for a name and what it does; what it does has two words at least."""
    tokens = _TOKEN.findall(text)
    left = sum(map(tells, tokens))
    found = []
    for at, token in enumerate(tokens[:_LONGEST_NAME], start=1):
        left -= tells(token)
        if token in _ENDS_A_NAME or left < _REST_WORDS:
            break
        found.append((tuple(tokens[:at]), hash(tuple(tokens[at:]))))
    return tuple(found)
