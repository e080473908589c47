"""From clues to an ordered list of suspects."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain import Incident, RuledOut, Suspect
from core.findings import Detection


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidate causes of one incident, best first, and what looked like a cause and is not."""

    suspects: tuple[Suspect, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()


def rank(incident: Incident, detection: Detection, *, symptom: str | None = None, limit: int = 10) -> Ranking:
    """Candidate causes of an incident, best first.

    Evidence comes from the detection's history, changes and reader; `symptom` (what the user or the alert saw) only
    steers the order. At most `limit` suspects.
    """
    return Ranking()
