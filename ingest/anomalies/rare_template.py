"""`rare_template`: a message shape known from a few records only, and now back in numbers."""

from __future__ import annotations

from typing import Final

from core.wording import times

RARE: Final = 3.0
"""Accepted records before the window up to which a template counts as rare."""


def is_rare(before: float) -> bool:
    """Whether so few earlier records make a template rare."""
    return 0 < before <= RARE


def why(observed: float, before: float, reference: str) -> str:
    """The sentence of one anomaly."""
    return f"seen {times(round(observed))}, but only {times(round(before))} in {reference}"
