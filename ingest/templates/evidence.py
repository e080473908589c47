"""Evidence: which words of similar messages vary, and which name different events.

Drain groups messages that look alike; it cannot tell `session opened` from `session closed`, nor `user alice` from
`user bob`. This module divides such a group by what its words show. Each rule is a statement about logs:

- values after `=` vary when two are seen; identifiers and constants (`a.b`, `a_b`, `camelCase`, `UPPER`) after `:` too;
- a place that holds an identifier names things: it varies elsewhere from `identifiers` distinct ones on (constants do
  not: they are often states); so does a place that holds a masked value beside words, from two on;
- words that are mostly known to be values vary (`ingest.templates.vocabulary`);
- plain words, and constants, vary from `plain` distinct ones on: fewer are different events (`opened` and `closed`);
- the first word says who or what speaks, so it varies only from `first` distinct ones on;
- words that vary in step (each value of one goes with one value of the other) are phrases, not two parameters;
- units (`B`, `KB`) after a number vary with it;
- a position where masks or digits differ varies, and one that held quoted text of several words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ingest.templates.vocabulary import Vocabulary
from ingest.templates.words import GENERAL, PHRASE, UNIT, WILDCARD

_SIZE_UNITS: Final = "B KB MB GB TB PB KiB MiB GiB TiB byte bytes"
_TIME_UNITS: Final = "ns us ms s sec secs second seconds min mins minute minutes h hour hours"
UNITS: Final = frozenset(f"{_SIZE_UNITS} {_TIME_UNITS}".split())

_IDENTIFIER: Final = re.compile(r"[._/\\$@#]|[a-z][A-Z]")
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]+")
_NUMBERED_CONSTANT: Final = re.compile(r"[A-Z]{2}[A-Z0-9_]*")
_DOTTED: Final = re.compile(r"[./\\$@]")
_DIGIT: Final = re.compile(r"[0-9]")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From how many distinct values on a word varies. 0 switches a rule off (`units`, `known`: False)."""

    plain: int = 5
    identifiers: int = 3
    after_colon: int = 2
    after_equals: int = 2
    first: int = 20
    units: bool = True
    in_step: bool = True
    known: bool = True


def partition(
    members: Sequence[Words], before: Sequence[str], thresholds: Thresholds, known: Vocabulary | None = None
) -> list[list[Words]]:
    """`members` (distinct, of one layout) divided into templates.

    `before` holds the separator before each word, `known` the words known to be values. The result does not depend on
    the order of `members`.
    """
    known = known or Vocabulary()
    pending = [sorted(members)]
    parts: list[list[Words]] = []
    while pending:
        group = pending.pop()
        keyword = _keyword(group, before, thresholds, known) if len(group) > 1 else None
        if keyword is None:
            parts.append(group)
            continue
        by_value: dict[str, list[Words]] = defaultdict(list)
        for words in group:
            by_value[words[keyword]].append(words)
        pending.extend(by_value.values())
    return parts


def _keyword(group: Sequence[Words], before: Sequence[str], thresholds: Thresholds, known: Vocabulary) -> int | None:
    """The position whose words name different events: of those that do not vary, the one with the fewest values."""
    columns = [set(column) for column in zip(*group, strict=True)]
    varying = [at for at, values in enumerate(columns) if len(values) > 1]
    plain = {at: _plain(columns[at]) for at in varying}
    best: tuple[int, int] | None = None
    for at in varying:
        values, words = columns[at], plain[at]
        literals = [v for v in values if not WILDCARD.search(v)]
        if GENERAL in values or PHRASE in values or (len(words) <= 1 and len(values) > len(words)):
            continue
        if at and len(literals) < len(values):
            continue
        if thresholds.known and len(words) == len(literals) and known.knows(words):
            continue
        if at and thresholds.units and is_unit_of_number(literals, columns[at - 1]):
            continue
        threshold = _threshold(at, words, before[at], thresholds)
        if before[at] != "=" and thresholds.in_step and not all(_DOTTED.search(v) for v in words):
            others = [i for i in varying if i != at and len(plain[i]) > 1]
            if any(_in_step(group, at, i, max(len(values), len(columns[i]))) for i in others):
                threshold = len(group) + 1
        if len(values) < threshold and (best is None or (len(values), at) < best):
            best = (len(values), at)
    return None if best is None else best[1]


def _plain(values: set[str]) -> list[str]:
    """The values that are words rather than numbered names: `HTTPS`, and `SOCKS5` unless `SOCKS4` is there too."""
    words = [v for v in values if not WILDCARD.search(v) and not _DIGIT.search(v)]
    constants = [v for v in values if _NUMBERED_CONSTANT.fullmatch(v) and _DIGIT.search(v)]
    letters = Counter(_DIGIT.sub("", v) for v in constants)
    return words + [v for v in constants if letters[_DIGIT.sub("", v)] == 1]


def _threshold(at: int, words: Sequence[str], before: str, thresholds: Thresholds) -> int:
    if before == "=":
        return thresholds.after_equals
    identifiers = any(_IDENTIFIER.search(word) and not _CONSTANT.fullmatch(word) for word in words)
    if before == ":" and all(_IDENTIFIER.search(word) or _CONSTANT.fullmatch(word) for word in words):
        return thresholds.after_colon
    if not at:
        return thresholds.first
    return thresholds.identifiers if identifiers else thresholds.plain


def _in_step(group: Sequence[Words], a: int, b: int, larger: int) -> bool:
    return len({(words[a], words[b]) for words in group}) <= larger * 1.2


def is_unit_of_number(values: Sequence[str], left: set[str]) -> bool:
    """Whether `values` are units and stand right of numbers."""
    return bool(values) and all(v in UNITS for v in values) and all(WILDCARD.fullmatch(v) for v in left)


def generalise(group: Sequence[Words], thresholds: Thresholds) -> Words:
    """The words of a template: those that all of `group` share, wildcards for the others."""
    words: list[str] = []
    for column in zip(*group, strict=True):
        values = set(column)
        if len(values) == 1:
            words.append(column[0])
        elif thresholds.units and words and is_unit_of_number([v for v in values if v != UNIT], {words[-1]}):
            words.append(UNIT)
        else:
            words.append(GENERAL)
    return tuple(words)
