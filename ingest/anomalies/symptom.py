"""A symptom: an anomaly together with what grouping and judging incidents need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.domain import Anomaly, Citation
from ingest.anomalies.symptoms import is_asked_in_vain


@dataclass(frozen=True, slots=True)
class Symptom:
    """One anomaly in place.

    `start` and `end` (inclusive) are microseconds since the epoch where `timed`, records read before otherwise.
    `alarm`: how alarming the message is by itself; `weight`: how much the anomaly speaks for trouble, both in [0, 1].
    `examples` are places of records, earliest first; `mentions` the services that the message names.
    """

    anomaly: Anomaly
    alarm: float
    weight: float
    timed: bool
    start: int
    end: int
    message: str
    examples: tuple[Citation, ...] = ()
    trace_ids: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()


IN_VAIN: Final = 0.4
"""Most that requests for what is not there add to the evidence of an incident: alone they are scanners and crawlers."""
FLOOD: Final = 100.0
"""Times the usual from which they are more: a site may have lost its files."""


def evidence_of(symptom: Symptom) -> float:
    """How much a symptom adds to the evidence of an incident, in [0, 1]."""
    usual = symptom.anomaly.expected
    flood = symptom.anomaly.count >= FLOOD * max(usual if isinstance(usual, float) else 0.0, 1.0)
    return symptom.weight if flood or not is_asked_in_vain(symptom.message) else min(symptom.weight, IN_VAIN)
