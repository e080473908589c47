"""`new_value`: an unseen value of a parameter that has few: a status code, a state, a reason.

As with new templates, the chance of an unseen value is the share of samples whose value was seen once (Good 1953), so a
parameter with ever new values (an id) reports none, and one with few says much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ingest.anomalies.new_template import novelty
from ingest.anomalies.statistics import discoveries
from ingest.anomalies.values import Column

LEAST_HISTORY: Final = 10
FEW: Final = 12
"""Distinct values that a parameter may have and still be categorical, or a tenth of its samples."""

_CATEGORY: Final = re.compile(r"\d{3}|[A-Za-z_\"'][A-Za-z_ .:,()\"'-]{0,80}")
"""What may be a category: a status code, or words without digits (names of pods and hosts are ever new)."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A value of a column, first seen in bucket `first` after `before` samples with `known` distinct values."""

    column: int
    value: str
    first: int
    last: int
    count: int
    before: int
    known: tuple[str, ...]
    p_value: float


def unseen(columns: Sequence[Column], start: int, rate: float) -> list[Unseen]:
    """Values first seen in the window, beyond the false discovery rate."""
    candidates = [value for i, column in enumerate(columns) for value in _of_column(i, column, start)]
    keep = discoveries(np.array([c.p_value for c in candidates]), rate)
    return [candidate for candidate, kept in zip(candidates, keep, strict=True) if kept]


def is_status(name: str) -> bool:
    """Whether a parameter's name is that of a status code."""
    lower = name.lower()
    return "status" in lower or lower == "code" or lower.endswith("_code")


def is_categorical(column: Column) -> bool:
    """Whether all values of a parameter are categories, and few."""
    values = set(column.words)
    return len(values) <= FEW and all(_CATEGORY.fullmatch(value) for value in values)


def _of_column(index: int, column: Column, start: int) -> list[Unseen]:
    if column.numbers is not None and not is_status(column.name):
        return []
    if not _brings_news(column, start):
        return []
    order = np.argsort(column.buckets, kind="stable")
    seen: Counter[str] = Counter()
    found: list[Unseen] = []
    at = column.buckets[order]
    position = 0
    while position < len(order):
        bucket = int(at[position])
        end = int(np.searchsorted(at, bucket, side="right"))
        now = Counter(column.words[order[i]] for i in range(position, end))
        new = [value for value in now if value not in seen and _CATEGORY.fullmatch(value)]
        before = sum(seen.values())
        if new and bucket >= start and before >= LEAST_HISTORY and len(seen) <= max(FEW, before // 10):
            singles = sum(1 for count in seen.values() if count == 1)
            p = novelty(np.array([float(now[v]) for v in new]), singles, len(new), end - position, before)
            for value, each in zip(new, p, strict=True):
                places = [int(column.buckets[i]) for i, word in enumerate(column.words) if word == value]
                usual = tuple(v for v, _ in seen.most_common(3))
                share = max(1, len(order) - before) / len(order)
                chance = float(each) * share ** min(len(set(places)) - 1, 20)
                found.append(Unseen(index, value, bucket, max(places), len(places), before, usual, chance))
        seen.update(now)
        position = end
    return found


def _brings_news(column: Column, start: int) -> bool:
    """Whether any category of a column first comes in the window: most columns can be left alone."""
    before = {word for word, bucket in zip(column.words, column.buckets.tolist(), strict=True) if bucket < start}
    if start > 0 and before.issuperset(column.words):
        return False
    values = set(column.words)
    return len(values) > 1 and any(_CATEGORY.fullmatch(value) for value in values - before)


def why(column: Column, value: Unseen) -> str:
    """The sentence of one anomaly."""
    usual = ", ".join(repr(v[:30]) for v in value.known)
    return (
        f"{column.name} is {value.value[:60]!r} in {value.count} samples; "
        f"the {value.before} before had {usual} (p={value.p_value:.1g})"
    )
