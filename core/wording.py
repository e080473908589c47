"""Words that reports of every room share."""

from __future__ import annotations


def times(number: int) -> str:
    """How often: `once`, `12 times`."""
    return "once" if number == 1 else f"{number} times"
