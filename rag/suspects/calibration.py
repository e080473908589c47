"""From weighted facts to probabilities: how likely is it that a suspect names the cause?

A conditional logit with an outside option (McFadden, 1974): of n answers with weights z, answer i has the probability
exp(s z_i) / (exp(c) + sum_j exp(s z_j)), and c stands for "none of these". An answer is a service and a fault type;
suspects that give the same one, at different places, share it. So a suspect with strong facts far ahead of the rest is
near 1, two that are alike are near 1/2 each, and faint ones leave most to "none of these".

Fitted by `python bench/fit_suspects.py` to 96 cases that no rule had been made for, by maximum likelihood over a
grid: 50 simulated ones (`cali simulate --cases 50 --healthy-share 0 --stream-share 0 --seed 8101`), and 46 that another
author wrote of other systems. On logs that rules were made for, scores promise less than they hold; `docs/suspects.md`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Final

SHARPNESS: Final = 1.4
"""s: how much an ahead in the weighted facts counts."""
OUTSIDE: Final = 8.0
"""c: the weight of "none of these"."""
_LEAST: Final = 1e-4


def probabilities(
    totals: Sequence[float],
    answers: Sequence[Hashable],
    *,
    sharpness: float = SHARPNESS,
    outside: float = OUTSIDE,
) -> list[float]:
    """The probability of each suspect, in (0, 1), never above the one before; `totals` are weighted facts, the largest
    first, `answers` what each says. The first of several that say the same has the probability of all of them."""
    exponents = [sharpness * total for total in totals]
    top = max([outside, *exponents])
    masses = [math.exp(value - top) for value in exponents]
    whole = sum(masses) + math.exp(outside - top)
    said: dict[Hashable, float] = {}
    for answer, mass in zip(answers, masses, strict=True):
        said[answer] = said.get(answer, 0.0) + mass
    found: list[float] = []
    seen: set[Hashable] = set()
    for answer, mass in zip(answers, masses, strict=True):
        value = (mass if answer in seen else said[answer]) / whole
        seen.add(answer)
        found.append(min(max(value, _LEAST), 1.0 - _LEAST, found[-1] if found else 1.0))
    return found
