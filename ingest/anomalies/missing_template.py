"""`missing_template`: an expected heartbeat stopped."""

from __future__ import annotations


def why(expected: float, p_value: float, span: str) -> str:
    """The sentence of one anomaly."""
    return f"silent for {span} where {expected:.1f} records were expected (p={p_value:.1g})"
