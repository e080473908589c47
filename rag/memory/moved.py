"""Which number of a service moved, and how far: what faults that raise no error are known by.

A queue that fills, descriptors that leak and requests that slow down leave one number that is ten times the usual.
Which number it is tells them apart: `waiting`, `open_fds`, the duration of one route.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from core.domain import Anomaly, AnomalyKind

_NAME: Final = re.compile(r"(?P<several>\w+) of \d+ kinds of |(?P<name>[^:]{1,60}): ")
"""The name of the number at the head of the sentence of its anomaly; how many kinds of request moved does not tell."""
_NO_WORD: Final = re.compile(r"[\W_]+")
_LEAST: Final = 2.0
_FULL: Final = 10.0


@dataclass(frozen=True, slots=True)
class Moved:
    """A number by the name that the log gives it, and how many `times` the usual it became (0 to infinite)."""

    name: str
    times: float

    @property
    def direction(self) -> str:
        return "up" if self.times > 1 else "down"

    @property
    def strength(self) -> float:
        """How much it moved, in (0, 1]: ten times the usual, or a tenth, is 1."""
        times = self.times if self.times >= 1 else 1 / self.times if self.times > 0 else math.inf
        return min(1.0, math.log(times) / math.log(_FULL))


def moved_number(anomaly: Anomaly) -> Moved | None:
    """The number that at least doubled or halved; None where none did."""
    if anomaly.kind is not AnomalyKind.NUMERIC_SHIFT:
        return None
    observed, expected = anomaly.observed, anomaly.expected
    found = _NAME.match(anomaly.why)
    if found is None or not isinstance(observed, (int, float)) or not isinstance(expected, (int, float)):
        return None
    name = _NO_WORD.sub("-", found["several"] or found["name"]).strip("-").lower()
    if not name or min(observed, expected) < 0 or observed == expected:
        return None
    times = observed / expected if expected > 0 else math.inf
    return Moved(name, times) if times >= _LEAST or times <= 1 / _LEAST else None
