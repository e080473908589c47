"""How much an anomaly speaks for trouble: what opens an incident, and what only accompanies one."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.domain import AnomalyKind
from ingest.anomalies.judge import ALARMING, ERRORS

LASTING: Final = 300.0
"""Seconds out of the normal from which a warning, or a fall, is no passing thing."""


EVENT: Final = 10.0
"""Seconds within which records of one template are one event."""

CRASH: Final = 0.9
"""Alarm from which even one event is grave."""


def weigh(
    kind: AnomalyKind, alarming: float, p_value: float, records: float, seconds: float, ratio: float = 1.0
) -> float:
    """How much an anomaly speaks for trouble, in [0, 1]: what the message says, how sure, how many, how long.

    `records` beyond the expected; `seconds` out of the normal; `ratio` to the expected. One error may be noise;
    warnings count when they last.
    """
    sure = min(1.0, -float(np.log10(max(p_value, 1e-12))) / 6.0)
    lasting = min(1.0, seconds / LASTING)
    if kind in (AnomalyKind.RATE_DROP, AnomalyKind.MISSING_TEMPLATE):
        if alarming >= ALARMING:
            return 0.0  # fewer complaints are no complaint
        return (0.55 if kind is AnomalyKind.MISSING_TEMPLATE else 0.4) * lasting * (0.4 + 0.6 * sure)
    if alarming < ALARMING:
        return 0.15 * (0.3 + 0.7 * sure)
    if alarming >= ERRORS:
        # A burst within seconds is one event, however many records it writes.
        events = 1.0 + min(max(0.0, records - 1.0), seconds / EVENT)
        extent = min(1.0, (0.6 if alarming >= CRASH else 0.4) + 0.2 * float(np.log2(events)) + 0.2 * lasting)
    else:
        extent = 0.25 + 0.75 * lasting + 0.15 * min(1.0, max(0.0, seconds - LASTING) / (2 * LASTING))
    if kind is AnomalyKind.RATE_SPIKE:
        extent *= 1.0 + 0.3 * lasting * min(1.0, float(np.log2(max(1.0, ratio))) / 4.0)
    base = 0.9 if kind is AnomalyKind.RATE_SPIKE else 0.9 if kind is AnomalyKind.RARE_TEMPLATE else 1.0
    return min(1.0, base * alarming * (0.35 + 0.65 * sure) * extent)
