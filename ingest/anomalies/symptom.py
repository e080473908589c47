"""A symptom: an anomaly together with what grouping and judging incidents need to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import Anomaly, Citation


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
