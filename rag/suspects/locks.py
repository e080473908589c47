"""Who holds the lock that others wait for: a waiting session says what it waits for, its holder what it works on.

Work that takes a whole table (`LOCK TABLE`, a schema change, a rebuild of an index, a change of very many rows), told
by a service that does not wait itself, about the table that the others wait for; or a session that the database or what
watches it names as the one that blocks, or that is open for longest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import SuspectKind
from rag.suspects.clue import Clue
from rag.suspects.names import is_product, simple
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, table_of
from rag.suspects.scene import Scene

_HOLDS: Final = re.compile(
    r"\block(?:ed|ing)? (?:the )?tables?\b|\b(?:access )?exclusive (?:mode|lock)\b|\bfor update\b|\balter table\b"
    r"|\bcreate (?:unique )?index\b|\breindex\w*\b|\bvacuum full\b|\btruncat\w+|\boptimi[sz]e table\b|\bback ?fill\w*"
    r"|\bpurg(?:e|ing)\b|\barchiv(?:e|ing)\b|\brecomput\w+|\bbulk\b|\b\d{5,} (?:rows|records)\b"
    r"|\bidle in transaction\b",
    re.IGNORECASE,
)
_BLOCKS: Final = re.compile(
    r"\brows?[ _]locked\b|\blong(?:est)?[ _-]?(?:running[ _-])?trans?actions?\b"
    r"|\bblocking (?:pid|session|quer\w+|process)\b"
    r"|\bblocked by\b|\block holder\b|\bholding (?:the )?locks?\b|\bidle in transaction\b|\bidle_in_transaction\b",
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
        for clue in scene.clues:
            if table and _holds(clue, table, waiting, lead):
                yield _proposal(clue, str(clue.service), table, lead, clues)
            holder = _named_holder(clue, scene, waiting)
            if holder is not None:
                yield _proposal(clue, holder, table, lead, clues)


def _holds(clue: Clue, table: str, waiting: set[str | None], lead: Clue) -> bool:
    if clue.service is None or clue.service in waiting or is_product(clue.service) or clue.age > lead.age:
        return False
    reads = clue.reading is not None and clue.reading.fault_type in _WAITING
    about = re.search(rf"\b{re.escape(table)}\b", clue.text[:2_000], re.IGNORECASE)
    return not reads and about is not None and _HOLDS.search(clue.text[:2_000]) is not None


def _named_holder(clue: Clue, scene: Scene, waiting: set[str | None]) -> str | None:
    """The service whose session is named as the one that blocks: users of databases are often called like it."""
    fields = " ".join(f"{key}={value}" for key, value in clue.record.attributes.items())
    text = f"{clue.text[:1_000]} {fields[:1_000]}"
    if clue.novelty <= 0.3 or _BLOCKS.search(text) is None:
        return None
    words = {simple(word) for word in re.findall(r"[A-Za-z][\w-]*", text)}
    named = [name for name in scene.services if simple(name) in words and name not in waiting and name != clue.service]
    return named[0] if len(named) == 1 and not is_product(named[0]) else None


def _proposal(clue: Clue, holder: str, table: str, lead: Clue, waits: list[Clue]) -> Proposal:
    callers = ", ".join(dict.fromkeys(clue.service for clue in waits if clue.service)) or "others"
    return Proposal(
        kind=SuspectKind.EXHAUSTION,
        cause=f"{holder} holds the lock{f' on {table}' if table else ''} that {callers} wait for: {message_of(clue)};"
        f" meanwhile {message_of(lead)}",
        why=(f"{holder} holds what the others wait for, and does not wait itself", counted(lead)),
        facts=replace(clue_facts(lead), strength=0.97, upstream=1.0, earliness=1.0, exhausted=1.0),
        evidence=(clue.evidence, *(each.evidence for each in waits[:3])),
        fault_type="lock_contention",
        service=holder,
        component=f"table/{table}" if table else None,
        words=frozenset({holder, table, "lock"}),
    )
