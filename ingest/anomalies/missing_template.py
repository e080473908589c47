"""`missing_template`: an expected heartbeat stopped.

A heartbeat is a series whose records keep a rhythm: the middle nine tenths of its pauses lie close to their median. It
is missed once it has been silent for several times its longest usual pause, while the rest of the log goes on. The
chance of such a silence is taken from the exponential distribution of pauses with that median, which is generous:
regular series have thinner tails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ingest.anomalies.statistics import Floats

LEAST_BEATS: Final = 8
SPREAD: Final = 0.5
"""Scatter of the pauses (half the middle nine tenths, in medians) up to which a series keeps a rhythm."""

LONGER: Final = 1.5
"""Ratio of a silence to the longest pause that there ever was."""

KEPT: Final = 0.7
"""Share of its time that a series must have kept its rhythm: restarts keep one, but only while they last."""

SILENCE: Final = 3.0
"""Silences count from this many usual longest pauses on."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A heartbeat that is missed: silent from `start` to `end`, in the unit of the times given."""

    start: float
    end: float
    period: float
    beats: int
    p_value: float


def silence(times: Floats, end: float) -> Silence | None:
    """The first silence of a series with these sorted times in a log that lasts until `end`; None where it kept on."""
    moments = np.unique(times)
    if len(moments) < LEAST_BEATS:
        return None
    pauses = np.diff(np.append(moments, max(end, float(moments[-1]))))
    longest_yet = np.maximum.accumulate(pauses)
    # Few pauses are long enough to be looked at.
    for i in (np.flatnonzero(pauses[1:] >= LONGER * longest_yet[:-1]) + 1).tolist():
        if i < LEAST_BEATS - 1:
            continue
        low, middle, high = (float(v) for v in np.quantile(pauses[:i], (0.05, 0.5, 0.95)))
        longest = max(high, middle)
        if middle <= 0 or (high - low) / 2 > SPREAD * middle:
            continue
        if i * middle < KEPT * (moments[i] - moments[0]):
            continue
        if pauses[i] >= SILENCE * longest:
            p_value = math.exp(-float(pauses[i]) / middle)
            return Silence(float(moments[i]), float(moments[i] + pauses[i]), middle, i + 1, max(p_value, 1e-12))
    return None


def why(expected: float, p_value: float, span: str) -> str:
    """The sentence of an anomaly of counts."""
    return f"silent for {span} where {expected:.1f} records were expected (p={p_value:.1g})"


def why_silent(period: str, beats: int, span: str) -> str:
    """The sentence of a missed heartbeat."""
    return f"silent for {span} after {beats} records about {period} apart"
