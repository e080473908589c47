"""Who holds the lock that others wait for: a waiting session says what it waits for, its holder what it works on.

Work that takes a whole table (`LOCK TABLE`, a schema change, a rebuild of an index, a change of very many rows), told
by a service that does not wait itself, about the table that the others wait for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import SuspectKind
from rag.suspects.clue import Clue
from rag.suspects.names import is_product
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, table_of
from rag.suspects.scene import Scene

_HOLDS: Final = re.compile(
    r"\block(?:ed|ing)? (?:the )?tables?\b|\b(?:access )?exclusive (?:mode|lock)\b|\bfor update\b|\balter table\b"
    r"|\bcreate (?:unique )?index\b|\breindex\w*\b|\bvacuum full\b|\btruncat\w+|\boptimi[sz]e table\b|\bback ?fill\w*"
    r"|\bpurg(?:e|ing)\b|\barchiv(?:e|ing)\b|\brecomput\w+|\bbulk\b|\b\d{5,} (?:rows|records)\b"
    r"|\bidle in transaction\b",
    re.IGNORECASE,
)
_WAITING: Final = frozenset({"lock_contention", "slow_query", "dependency_slow"})


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each table that is waited for and that another service works on as a whole."""
    waits: dict[str, list[Clue]] = {}
    for clue in scene.clues:
        if clue.reading is not None and clue.reading.fault_type == "lock_contention" and clue.novelty > 0.3:
            waits.setdefault(table_of(clue.text) or "", []).append(clue)
    waiting = {clue.service for clues in waits.values() for clue in clues}
    for table, clues in waits.items():
        lead = max(clues, key=lambda clue: clue.activity.during)
        for holder in scene.clues if table else ():
            if _holds(holder, table, waiting, lead):
                yield _proposal(holder, table, lead, clues)


def _holds(clue: Clue, table: str, waiting: set[str | None], lead: Clue) -> bool:
    if clue.service is None or clue.service in waiting or is_product(clue.service) or clue.age > lead.age:
        return False
    reads = clue.reading is not None and clue.reading.fault_type in _WAITING
    about = re.search(rf"\b{re.escape(table)}\b", clue.text[:2_000], re.IGNORECASE)
    return not reads and about is not None and _HOLDS.search(clue.text[:2_000]) is not None


def _proposal(holder: Clue, table: str, lead: Clue, waits: list[Clue]) -> Proposal:
    callers = ", ".join(dict.fromkeys(clue.service for clue in waits if clue.service)) or "others"
    return Proposal(
        kind=SuspectKind.EXHAUSTION,
        cause=f"{holder.service} holds the lock on {table} that {callers} wait for: {message_of(holder)};"
        f" meanwhile {message_of(lead)}",
        why=(f"{holder.service} works on {table} and does not wait itself", counted(lead)),
        facts=replace(clue_facts(lead), strength=0.97, upstream=1.0, earliness=1.0, exhausted=1.0),
        evidence=(holder.evidence, *(clue.evidence for clue in waits[:3])),
        fault_type="lock_contention",
        service=holder.service,
        component=f"table/{table}",
        words=frozenset({str(holder.service), table, "lock"}),
    )
