"""Precision, recall and F1 of what was flagged: lines, windows, sessions. Average precision of scored lines.

Source: van Rijsbergen, Information Retrieval (1979), chapter 7; Manning, Raghavan and Schütze (2008), chapter 8.
Micro: the counts of all cases are added first. Macro: the value of each case, then the mean over cases.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple


class Counts(NamedTuple):
    """True positives, false positives, false negatives."""

    tp: int
    fp: int
    fn: int


def count(predicted: Collection[object], labelled: Collection[object]) -> Counts:
    """Compares two sets of things (line numbers, window numbers, session ids)."""
    found, true = set(predicted), set(labelled)
    right = len(found & true)
    return Counts(right, len(found) - right, len(true) - right)


def precision(tp: float, fp: float, fn: float) -> float:
    """tp / (tp + fp). With nothing flagged: 1 where there was nothing to flag, else 0."""
    return tp / (tp + fp) if tp + fp else float(fn == 0)


def recall(tp: float, fp: float, fn: float) -> float:
    """tp / (tp + fn). With nothing to flag: 1 where nothing was flagged, else 0."""
    return tp / (tp + fn) if tp + fn else float(fp == 0)


def f1(tp: float, fp: float, fn: float) -> float:
    """Harmonic mean of precision and recall, 2 tp / (2 tp + fp + fn); 1 where nothing was to flag and nothing was."""
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0


def average_precision(scores: Mapping[int, float], labelled: Collection[int]) -> float:
    """Area under the precision-recall steps of the ranking by score: sum over distinct scores of (R_n - R_{n-1}) P_n.

    Things without a score come last and add nothing. 1 where nothing is labelled and nothing scored, 0 where only one
    is.
    """
    true = set(labelled)
    if not true:
        return float(not any(score > 0 for score in scores.values()))
    ranked = sorted(((score, key in true) for key, score in scores.items() if score > 0), key=lambda each: -each[0])
    total, hits, seen, at = 0.0, 0, 0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        fresh = sum(right for _, right in ranked[at:end])
        hits, seen, at = hits + fresh, end, end
        total += fresh / len(true) * hits / seen
    return total


def window_numbers(
    intervals: Collection[tuple[datetime, datetime]], start: datetime, end: datetime, width: timedelta
) -> set[int]:
    """Numbers of the windows of a width, laid end to end from `start` to `end`, that some closed interval touches."""
    last = max(0, -(-(end - start) // width) - 1)
    found: set[int] = set()
    for low, high in intervals:
        if high < start or low > end:
            continue
        first = min(last, max(0, (low - start) // width))
        found.update(range(first, min(last, (high - start) // width) + 1))
    return found
