"""Moves of a parameter that is written seldom: a depth or a heap once a minute.

Buckets of time hold one such value or none, so the values themselves are the sequence. Every stretch of it is compared
with all that came before: mean ranks, as Wilcoxon, Mann and Whitney do, with the exact permutation probability where
no value inside is as low (or as high) as any before. The most striking stretch counts as many times as stretches were
compared (Bonferroni), and a gauge that drifts by itself counts as fewer values than it has: by (1 + r) / (1 - r) fewer
with an autocorrelation of r (Bayley and Hammersley 1946).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from ingest.anomalies.statistics import Floats, mean_ranks

LEAST_HISTORY: Final = 6
LEAST_NOW: Final = 3
MOST_VALUES: Final = 400
"""Values above which a sequence is no sparse one."""

_MOST_DRIFT: Final = 0.9


class Stretch(NamedTuple):
    """Values [first, end) of a sequence that are unlike all before `first`: `sign` 1 above, -1 below."""

    first: int
    end: int
    sign: int
    p_value: float


def stretches(values: Floats, start: int, most: int) -> list[Stretch]:
    """Up to `most` stretches of a sequence, in order; none begins before place `start`. Empty for long sequences."""
    found: list[Stretch] = []
    kept = np.arange(len(values))
    while len(found) < most and LEAST_HISTORY + LEAST_NOW <= len(kept) <= MOST_VALUES:
        best = _most_striking(values[kept], int(np.searchsorted(kept, start)))
        if best is None:
            break
        first, end = int(kept[best.first]), int(kept[best.end - 1]) + 1
        found.append(Stretch(first, end, best.sign, best.p_value))
        kept = np.concatenate([kept[: best.first], kept[best.end :]])
    return sorted(found)


def _most_striking(values: Floats, start: int) -> Stretch | None:
    n = len(values)
    if values.min() == values.max():
        return None
    ranks = mean_ranks(values) * n
    sums = np.concatenate([[0.0], np.cumsum(ranks)])
    scatter = float(ranks.var())
    best, tests = Stretch(0, 0, 0, 1.0), 0
    for first in range(max(LEAST_HISTORY, start), n - LEAST_NOW + 1):
        ends = np.arange(first + LEAST_NOW, n + 1)
        inside = (ends - first).astype(np.float64)
        tests += len(ends)
        drift = _drift(ranks[:first])
        gap = (sums[ends] - sums[first]) / inside - sums[first] / first
        z = np.abs(gap) / np.sqrt(scatter * drift * (1 / first + 1 / inside))
        # The normal tail in logarithms, by Mills' ratio: good enough to find the place.
        surprise = z**2 / 2 + np.log(np.maximum(1.0, 1.25 * z))
        for sign in (1, -1):
            lowest = np.minimum.accumulate(sign * values[first:])[LEAST_NOW - 1 :]
            apart = lowest > (sign * values[:first]).max()
            exact = np.array([_surprise(first / drift, m / drift) for m in inside[apart]])
            surprise[apart] = np.maximum(surprise[apart], exact)
        at = int(np.argmax(surprise))
        p_value = math.exp(-min(float(surprise[at]), 690.0))
        if p_value < best.p_value:
            best = Stretch(first, int(ends[at]), 1 if gap[at] > 0 else -1, p_value)
    if not best.sign:
        return None
    first, signed = best.first, best.sign * values
    while first > max(LEAST_HISTORY, start) and signed[first - 1] > signed[: first - 1].max():
        first -= 1  # it has grown since then
    return best._replace(first=first, p_value=min(1.0, best.p_value * tests))


def _surprise(n: float, m: float) -> float:
    """ln C(n + m, m), for counts that need not be whole."""
    return math.lgamma(n + m + 1) - math.lgamma(n + 1) - math.lgamma(m + 1)


def _drift(ranks: Floats) -> float:
    """How many values stand for one independent one, from the autocorrelation beyond what chance brings."""
    centred = ranks - ranks.mean()
    power = float((centred**2).sum())
    if power == 0:
        return 1.0
    r = float((centred[1:] * centred[:-1]).sum()) / power - 1.0 / math.sqrt(len(ranks))
    r = min(max(r, 0.0), _MOST_DRIFT)
    return (1 + r) / (1 - r)
