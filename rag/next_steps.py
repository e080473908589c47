"""What to do next: checks that read, before anything that changes."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain import Incident, Suspect


def next_steps(incident: Incident, suspects: Sequence[Suspect]) -> tuple[str, ...]:
    """Concrete steps for the person on call, the cheapest and safest first."""
    return ()
