"""How new a message is: never seen before, grown in rate, or only the passing noise of a whole fleet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from core import severity as levels
from core.domain import Anomaly, AnomalyKind, TemplateActivity
from core.ports import TemplateHistory
from rag.suspects.clue import Clue

SINGULAR: Final = frozenset({AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE, AnomalyKind.NEW_VALUE})

FEW: Final = 3
COMMON: Final = 2
COMMON_NOVELTY: Final = 0.3
"""So few records of a message that so many were told of before, by other services, are no news of this one."""

ONCE: Final = 2
LASTING: Final = 6
MOVED: Final = 0.5
PASSING_NOVELTY: Final = 0.4
"""A request that fails once or twice passes for noise beside what lasts: a failure, or a number that surely moved."""
OF_REQUEST: Final = frozenset(
    {
        "constraint_violation",
        "credential_expired",
        "brute_force",
        "cache_failure",
        "dependency_slow",
        "dependency_down",
        "connection_refused",
        "bad_input",
        "rate_limited",
    }
)
"""Failures of one request at a time: a fault of theirs shows in many."""


def novelty_of(row: TemplateActivity, anomaly: Anomaly | None) -> float:
    """How new a template is: 1 never seen before; else by how much its rate grew."""
    if anomaly is not None and anomaly.kind in SINGULAR:
        return 1.0
    if row.before == 0:
        return 1.0 if row.reference is not None else 0.7  # nothing to compare with: new for all we know
    growth = 0.0
    if row.window and row.reference and row.reference.total_seconds() > 0:
        window = max(row.window.total_seconds(), 1.0)
        usual = row.before * window / row.reference.total_seconds()
        growth = min(max((row.during / usual - 1.5) / 8.5, 0.0), 0.8) * _surprise(row.during, usual)
    elif row.during > 3 * row.before:
        growth = 0.5
    return max(growth, 0.8 * anomaly.score if anomaly is not None else 0.0)


def _surprise(count: int, usual: float) -> float:
    """How little chance explains a count where `usual` is expected, in [0, 1]: 1 from p = .001 on.

    The tail of a Poisson distribution, bounded by Chernoff: a chore that ran four times before and once now has not
    grown, however short the window is.
    """
    if count <= usual:
        return 0.0
    log_p = count - usual - count * math.log(count / max(usual, 1e-9))
    return min(1.0, -log_p / math.log(1_000))


Told = Mapping[int, Mapping[str | None, int]]
"""Records of each template, by service."""


def told_until(history: TemplateHistory, until: datetime | None) -> Told:
    """How often each service told each template until then; nothing where no time is known."""
    if until is None:
        return {}
    told: dict[int, Counter[str | None]] = {}
    for row in history.activity(None, until):
        told.setdefault(row.template_id, Counter())[row.service] += row.during
    return told


def is_common(row: TemplateActivity, told: Told) -> bool:
    """Whether a service tells a few times what other services told before: the noise of a whole fleet."""
    others = sum(count for service, count in told.get(row.template_id, {}).items() if service != row.service)
    return row.during <= FEW and others >= COMMON


def passing(clues: Sequence[Clue], anomalies: Sequence[Anomaly] = ()) -> list[Clue]:
    """The clues, those of a request that failed once or twice less new where something else lasts: another failure, or
    one of the incident's `anomalies`, a number that moved."""
    counts: Counter[tuple[str | None, str]] = Counter()
    moved = (one for one in anomalies if one.kind is AnomalyKind.NUMERIC_SHIFT and one.score >= MOVED)
    lasting = max((one.count for one in moved), default=0)
    for clue in clues:
        if clue.reading is not None:
            counts[clue.service, clue.reading.fault_type] += clue.activity.during
        if clue.novelty > 0.6 and (clue.severity >= levels.ERROR or clue.failing):
            lasting = max(lasting, clue.activity.during)
    if lasting < LASTING:
        return list(clues)
    return [
        replace(clue, novelty=min(clue.novelty, PASSING_NOVELTY)) if _passes(clue, counts) else clue for clue in clues
    ]


def _passes(clue: Clue, counts: Counter[tuple[str | None, str]]) -> bool:
    reading = clue.reading
    if reading is None or reading.fault_type not in OF_REQUEST or clue.object is not None:
        return False
    return clue.severity < levels.FATAL and 0 < counts[clue.service, reading.fault_type] <= ONCE
