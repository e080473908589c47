"""Incidents of long streams: found, missed, false, split, merged, and the time to detect.

Predicted and labelled incidents are closed intervals of event time; they touch when they overlap with `SLACK` on either
side. Labelled and predicted incidents that touch are matched one to one: as many pairs as possible, then the largest
overlap, a service in common first (an optimal assignment, as tracking metrics do: Bernardin and Stiefelhagen, CLEAR
MOT, 2008; existence and cardinality as in Tatbul et al., Precision and Recall for Time Series, NeurIPS 2018). Then

- found: a labelled incident that some prediction touches; missed otherwise;
- merged: a labelled incident that has no pair, but is touched by a prediction that is paired with another;
- split: a prediction that has no pair, but touches a labelled incident;
- false: a prediction that touches no labelled incident and no grey interval;
- a prediction that touches only grey intervals is neither right nor wrong;
- time to detect: start of the earliest prediction that touches the incident, less its labelled start, not below 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SLACK: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Span:
    """An incident as an interval; `services` help to pair incidents that overlap in time."""

    start: datetime
    end: datetime
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StreamMatch:
    """How the incidents of one stream compare. `pairs` maps labelled to predicted incident, by index."""

    pairs: dict[int, int]
    found: int
    missed: int
    split: int
    merged: int
    false: int
    ignored: int
    delays: tuple[float, ...]
    touching: tuple[tuple[int, ...], ...]

    @property
    def clean(self) -> bool:
        """No labelled incident was split or merged."""
        return self.split == 0 and self.merged == 0


def touches(a: Span, b: Span, slack: timedelta = SLACK) -> bool:
    """Whether two intervals overlap, with `slack` at the edges."""
    return a.start <= b.end + slack and b.start <= a.end + slack


def overlap(a: Span, b: Span) -> float:
    """Intersection over union of two intervals in [0, 1]."""
    union = (max(a.end, b.end) - min(a.start, b.start)).total_seconds()
    shared = (min(a.end, b.end) - max(a.start, b.start)).total_seconds()
    return max(0.0, shared) / union if union else 1.0


def match_stream(labelled: Sequence[Span], predicted: Sequence[Span], grey: Sequence[Span] = ()) -> StreamMatch:
    """Compares the incidents of one stream."""
    touching = tuple(tuple(p for p, b in enumerate(predicted) if touches(a, b)) for a in labelled)
    pairs = _pair(labelled, predicted, touching)
    paired = set(pairs.values())
    related = {p for found in touching for p in found}
    free = [p for p in range(len(predicted)) if p not in related]
    ignored = sum(any(touches(predicted[p], g) for g in grey) for p in free)
    found = sum(bool(each) for each in touching)
    return StreamMatch(
        pairs=pairs,
        found=found,
        missed=len(labelled) - found,
        split=len(related - paired),
        merged=sum(bool(each) and t not in pairs for t, each in enumerate(touching)),
        false=len(free) - ignored,
        ignored=ignored,
        delays=tuple(
            max(0.0, (min(predicted[p].start for p in each) - labelled[t].start).total_seconds())
            for t, each in enumerate(touching)
            if each
        ),
        touching=touching,
    )


def _pair(labelled: Sequence[Span], predicted: Sequence[Span], touching: Sequence[Sequence[int]]) -> dict[int, int]:
    if not any(touching):
        return {}
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    # A pair outweighs everything else, a shared service outweighs the overlap.
    weights = np.zeros((len(labelled), len(predicted)))
    for t, found in enumerate(touching):
        for p in found:
            shared = bool(labelled[t].services & predicted[p].services)
            weights[t, p] = 4 * (len(labelled) + len(predicted)) + 2 * shared + overlap(labelled[t], predicted[p])
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return {int(t): int(p) for t, p in zip(rows, columns, strict=True) if weights[t, p] > 0}
