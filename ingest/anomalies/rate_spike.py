"""`rate_spike`: far more records of a template than its own history and the load of the system explain."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies.statistics import Floats, upper_tail

RATIO: Final = 2.0
"""Observed / expected below which a rise does not matter to people, however sure it is."""


def candidates(counts: Floats, expected: Floats) -> NDArray[np.bool_]:
    """Series whose count is worth a test."""
    return np.asarray((counts > RATIO * expected) & (counts >= expected + 2))


def p_values(counts: Floats, expected: Floats, alpha: Floats) -> Floats:
    """P(at least so many) under the negative binomial of `ingest.anomalies.statistics`."""
    return upper_tail(counts, expected, alpha)


def why(observed: float, expected: float, p_value: float, span: str) -> str:
    """The sentence of one anomaly."""
    ratio = f"{observed / expected:.1f}x" if expected > 0 else "far above"
    return f"{observed:.0f} records in {span} where {expected:.1f} were expected ({ratio}, p={p_value:.1g})"
