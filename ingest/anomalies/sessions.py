"""Anomalous sessions: units of work (a request, a block, a job) whose set of templates is unlike the others'.

Two reasons, each a share of sessions that is at most `level`:

- a rare template: few sessions have it;
- a missing template: of the sessions that have A, nearly all have B too, and this one has not (an association rule A
  -> B with confidence of at least 1 - `level`; Agrawal, Imielinski and Swami, SIGMOD 1993; as an invariant of program
  flow in Lou et al., USENIX ATC 2010).

What is anomalous is in the minority: while more than a third of the sessions is flagged, the level is halved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

LEVEL: Final = 0.05
SUPPORT: Final = 20
MOST_TEMPLATES: Final = 512
_MOST_FLAGGED: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class SessionAnomaly:
    """Why a session is anomalous. `score` in [0, 1]: 1 - the share of sessions that are like it.

    `template_id` is the rare or the missing template; `given` the one it was missed beside, None for a rare one.
    """

    score: float
    template_id: int
    given: int | None
    why: str


def anomalous_sessions(
    sessions: Mapping[str, Collection[int]], level: float = LEVEL, support: int = SUPPORT
) -> dict[str, SessionAnomaly]:
    """The anomalous ones among sessions (id -> template ids), each with its strongest reason.

    `support`: sessions that must have A before a rule A -> B is believed. Nothing is found among fewer than `support`.
    """
    held = {key: frozenset(each) for key, each in sessions.items() if each}
    if len(held) < support:
        return {}
    candidates = _rare(held, level)
    for key, anomaly in _missing(held, level, support).items():
        if key not in candidates or anomaly.score > candidates[key].score:
            candidates[key] = anomaly
    while len(candidates) > _MOST_FLAGGED * len(held):
        level /= 2
        candidates = {key: each for key, each in candidates.items() if 1 - each.score <= level}
    return {key: candidates[key] for key in held if key in candidates}


def _rare(held: Mapping[str, frozenset[int]], level: float) -> dict[str, SessionAnomaly]:
    frequency = Counter(template for each in held.values() for template in each)
    found = {}
    for key, each in held.items():
        rarest = min(each, key=lambda template: (frequency[template], template))
        count = frequency[rarest]
        if count <= level * len(held):
            why = f"has a template that {count} of {len(held)} sessions have"
            found[key] = SessionAnomaly(1 - count / len(held), rarest, None, why)
    return found


def _missing(held: Mapping[str, frozenset[int]], level: float, support: int) -> dict[str, SessionAnomaly]:
    frequency = Counter(template for each in held.values() for template in each)
    templates = [template for template, count in frequency.most_common(MOST_TEMPLATES) if count >= support]
    column = {template: i for i, template in enumerate(templates)}
    keys = list(held)
    has = np.zeros((len(keys), len(templates)), dtype=np.float32)
    for number, key in enumerate(keys):
        has[number, [column[template] for template in held[key] if template in column]] = 1
    together = (has.T @ has).astype(np.float64)  # counts: exact in 32 bits, their shares are not
    alone = np.diag(together)[:, None] - together
    share = alone / np.maximum(np.diag(together)[:, None], 1)
    found: dict[str, SessionAnomaly] = {}
    # The strongest rules first, so that the first one a session breaks is its reason.
    given, missing = np.nonzero((alone > 0) & (share <= level))
    for rule in np.argsort(share[given, missing], kind="stable"):
        a, b = int(given[rule]), int(missing[rule])
        for row in np.nonzero((has[:, a] > 0) & (has[:, b] == 0))[0]:
            if keys[row] not in found:
                count, total = int(alone[a, b]), int(together[a, a])
                why = f"lacks a template that {total - count} of {total} such sessions have"
                found[keys[row]] = SessionAnomaly(1 - float(share[a, b]), templates[b], templates[a], why)
    return found
