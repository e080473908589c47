"""`new_template`: a message shape that the history before the window does not know."""

from __future__ import annotations

import numpy as np

from core.wording import times
from ingest.anomalies.statistics import Floats, upper_tail

_MOST_REPEATS = 5.0


def novelty(counts: Floats, singles: float, together: int, size: float, seen: float) -> Floats:
    """p-values of series never seen before: how likely is so much news by now?

    The chance that the next record is of an unseen kind is the share of records whose kind was seen once (Good 1953).
    So early in a log, when all is new, news says little, and it says more the longer nothing new came. `counts` are the
    records of each new series in this bucket, `together` how many new series of their class the bucket brings,
    `singles` the kinds of that class seen once so far, `size` and `seen` the exposures of this bucket and the history.
    Given that a new kind appears, more records of it are ever less likely (the logarithmic series).
    """
    expected = size * (singles + 0.5) / max(seen, size)
    # Over-dispersed, for new kinds come in company, and few kinds seen once tell little of how many are to come.
    alpha = 0.25 + 1.0 / (singles + 1.0)
    chance = float(upper_tail(np.array([float(together)]), np.array([expected]), np.array([alpha]))[0])
    repeats = np.minimum(counts, _MOST_REPEATS) - 1.0
    return np.asarray(chance * (size / (seen + size)) ** repeats)


def why(observed: float, reference: str, severity_name: str) -> str:
    """The sentence of one anomaly."""
    kind = f" at {severity_name}" if severity_name in ("WARN", "ERROR", "FATAL") else ""
    return f"seen {times(round(observed))}{kind} and never in {reference}"
