"""How well similar cases are found.

Definitions: Manning, Raghavan and Schütze (2008), chapter 8; nDCG of Järvelin and Kekäläinen (TOIS 2002) with binary
gain and the discount 1 / log2(rank + 1). `ranked` holds ids, best first; `relevant` must not be empty.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence


def hit_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """1 where one of the first k is relevant, else 0."""
    return float(any(each in relevant for each in ranked[:k]))


def recall_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the relevant ones that are among the first k."""
    return len(set(ranked[:k]) & set(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """1 / rank of the first relevant one; 0 where none was found."""
    return next((1 / rank for rank, each in enumerate(ranked, 1) if each in relevant), 0.0)


def ndcg_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Discounted gain of the first k, relative to the best possible order. An id that comes twice gains once."""
    gain, seen = 0.0, set()
    for rank, each in enumerate(ranked[:k], 1):
        if each in relevant and each not in seen:
            gain += 1 / math.log2(rank + 1)
        seen.add(each)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(set(relevant))) + 1))
    return gain / best
