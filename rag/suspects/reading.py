"""Reading a message with the lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from core.domain import FAULT_TYPES, Category
from rag.suspects.harmless import HARMLESS, RECOVERED
from rag.suspects.lexicon import SIGNS, Sign
from rag.suspects.lexicon_products import PRODUCT_SIGNS

MAX_CHARACTERS: Final = 3_000
"""Of a text that are read: the names and reasons stand at its start."""


_EVENT: Final = re.compile(r"(?<![\w.=/-])[a-z]{2,}(?:_[a-z]{2,})+(?![\w.=/(-])")
"""A message of structured logs that is written as one word: `validation_failed`."""

LOCATION: Final = re.compile(
    r"(?<![\w/.-])(?:[\w.@~+-]*/)*[\w.@+-]+\."
    r"(?:py|go|[cm]?js|[jt]sx|ts|java|kts?|groovy|scala|rb|rs|cs|php|c|cc|cpp|cxx|hh?|hpp|hxx|swift|lua|exs?|erl|hs)"
    r":\d+(?::\d+)?(?::\w+)?(?=[\s)\]:,\"']|$)"
)
"""Where in its source a program logged: `tools/cache/reflector.go:229` says nothing of a cache."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. `what` is the thing it names (a host, a table, a variable), where the pattern shows one;
    `words` is the text that the pattern matched."""

    fault_type: str
    category: Category
    strength: float
    term: str
    what: str | None
    words: str


@cache
def _signs() -> tuple[tuple[re.Pattern[str], Sign], ...]:
    return tuple((re.compile(sign.pattern, re.IGNORECASE), sign) for sign in (*SIGNS, *PRODUCT_SIGNS))


@cache
def _guard(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def readings(text: str) -> Iterator[Reading]:
    """Every reading of a text, in the table's order."""
    cut = _guard(HARMLESS).sub(" ", LOCATION.sub(" ", text[:MAX_CHARACTERS]))
    events = [word.replace("_", " ") for word in _EVENT.findall(cut)]
    if events:
        cut = "\n".join([cut, *dict.fromkeys(events)])
    for pattern, sign in _signs():
        match = pattern.search(cut)
        if match is not None:
            what = next((value for key, value in match.groupdict().items() if key.startswith("w") and value), None)
            yield Reading(
                sign.fault_type,
                FAULT_TYPES[sign.fault_type],
                sign.strength,
                sign.term,
                what.strip(".:,") if what else None,
                match.group(0).strip(),
            )


@lru_cache(maxsize=4_096)
def read(text: str) -> Reading | None:
    """The strongest reading of a text; None where it says nothing known or reports a recovery."""
    if recovered(text):
        return None
    return max(readings(text), key=lambda reading: reading.strength, default=None)


GUESSING: Final = 100
"""So many refused log-ins are no mistake of a customer and no secret that expired: somebody guesses."""


def persistent(reading: Reading | None, text: str, count: int) -> Reading | None:
    """The reading of a message that was told `count` times: refused log-ins in such numbers are guesses."""
    if reading is None or reading.fault_type != "credential_expired" or count < GUESSING:
        return reading
    return next((each for each in readings(text) if each.fault_type == "brute_force"), reading)


def recovered(text: str) -> bool:
    """Whether a text reports the end of trouble."""
    return _guard(RECOVERED).search(text[:MAX_CHARACTERS]) is not None
