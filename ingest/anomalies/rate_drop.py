"""`rate_drop`: far fewer records of a template than its own history and the load of the system explain."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies.statistics import Floats, lower_tail

RATIO: Final = 0.4
"""Observed / expected above which a fall does not matter to people, however sure it is."""

LEAST_EXPECTED: Final = 4.0
"""Expected records below which their absence says nothing."""


def candidates(counts: Floats, expected: Floats) -> NDArray[np.bool_]:
    """Series whose count is worth a test."""
    return np.asarray((expected >= LEAST_EXPECTED) & (counts < RATIO * expected))


def p_values(counts: Floats, expected: Floats, alpha: Floats) -> Floats:
    """P(at most so many) under the negative binomial of `ingest.anomalies.statistics`."""
    return lower_tail(counts, expected, alpha)


def why(observed: float, expected: float, p_value: float, span: str) -> str:
    """The sentence of one anomaly."""
    share = f"{100 * (1 - observed / expected):.0f} % fewer" if expected > 0 else "fewer"
    return f"{observed:.0f} records in {span} where {expected:.1f} were expected ({share}, p={p_value:.1g})"
