"""What went wrong and with whom: the faults that two incidents look like, compared.

Two incidents with one cause seldom share their words, since services, versions and layouts of logs differ; what their
suspects are tends to be the same, in like order, also where the first suspect is wrong. Each fault gives three
features, its type, whom it blames, and both together, which weighs most; the likeliest fault weighs most. The
similarity is the cosine, with features weighted by how rare they are among the candidates (Salton and Buckley,
"Term-weighting approaches in automatic text retrieval", 1988).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rag.memory.index import Hits

_DECAY: Final = 0.75
"""What a fault weighs relative to the one before it."""
_TOGETHER: Final = 2.0

Features = Mapping[str, float]


def features(faults: Sequence[str]) -> Features:
    """Features of faults, the likeliest first: a type each, with the service that is blamed after an `@`."""
    found: dict[str, float] = {}
    for rank, fault in enumerate(faults):
        name, _, service = fault.partition("@")
        weight = _DECAY**rank
        told = {f"fault {name}": weight}
        if service:
            told |= {f"at {service.casefold()}": weight, f"fault {name} at {service.casefold()}": _TOGETHER * weight}
        for key, value in told.items():
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
