"""Whose clock is wrong: the machine that its time service speaks of, and no program that only noticed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rag.suspects.clue import Clue
from rag.suspects.hosts import host_of, machine_of

_TIME_SERVICE: Final = re.compile(r"chrony|\bntp|timesync|\bptp", re.IGNORECASE)


def keeps_time(service: str | None) -> bool:
    """Whether a service keeps the clock of its machine (chronyd, ntpd, systemd-timesyncd, ptp4l)."""
    return service is not None and _TIME_SERVICE.search(service) is not None


def clock_of(clue: Clue | None, clues: Sequence[Clue]) -> str | None:
    """`host/name` of the machine with the wrong clock; where no time service tells, the one that the record is of."""
    for other in clues:
        skewed = other.reading is not None and other.reading.fault_type == "clock_skew"
        written = host_of(other) if skewed and keeps_time(other.service) else None
        if written is not None:
            return f"host/{written}"
    return machine_of(clue, clues) if clue is not None else None
