"""What went wrong and with whom: the signs that two incidents show (`rag.memory.signs`), compared.

A fault gives three features, its type, whom it blames, and both together, which weighs twice as much; a number that
moved gives two, with its service and, of half the weight, without; other signs give one. The similarity is the cosine,
with features weighted by how rare they are among the candidates (Salton and Buckley, "Term-weighting approaches in
automatic text retrieval", 1988).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rag.memory.index import Hits
from rag.memory.signs import Sign

_TOGETHER: Final = 2.0

Features = Mapping[str, float]


def features(told: Sequence[Sign]) -> Features:
    """Features of signs, with their weights."""
    found: dict[str, float] = {}
    for sign in told:
        service = f" at {sign.service.casefold()}" if sign.service else ""
        weights = {f"{sign.kind} {sign.name}{service}": sign.weight}
        if sign.kind == "moved" and service:
            weights[f"moved {sign.name}"] = sign.weight / 2
        if sign.kind == "fault" and service:
            weights = {service: sign.weight}
            if sign.name:
                weights |= {f"fault {sign.name}": sign.weight, f"fault {sign.name}{service}": _TOGETHER * sign.weight}
        for key, value in weights.items():
            found[key] = max(found.get(key, 0.0), value)
    return found


def nearest(query: Features, candidates: Mapping[str, Features]) -> Hits:
    """The candidates that share a feature with the query, with their cosines, best first."""
    holders = Counter(key for held in candidates.values() for key in held)
    rarity = {key: math.log1p((len(candidates) - number + 0.5) / (number + 0.5)) for key, number in holders.items()}
    alone = math.log1p(2 * len(candidates) + 1)  # of what no candidate has
    asked = {key: value * rarity.get(key, alone) for key, value in query.items()}
    length = math.hypot(*asked.values())
    hits = []
    for name, held in candidates.items():
        weighed = {key: value * rarity[key] for key, value in held.items()}
        shared = sum(value * weighed[key] for key, value in asked.items() if key in weighed)
        if shared > 0:
            hits.append((name, shared / (length * math.hypot(*weighed.values()))))
    return sorted(hits, key=lambda hit: (-hit[1], hit[0]))
