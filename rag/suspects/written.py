"""Data that someone changed: a statement that writes to a whole table, just before others fail on what it holds.

A load, a clean-up or a script of one hour is a change as a deploy is: nothing else was changed, and programs that ran
well meet values that they do not know, or find nothing any more. Their records tell a defect; the data brought it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.domain import Anomaly, AnomalyKind, ChangeKind, SuspectKind
from rag.suspects.change import closeness, near, owner_of
from rag.suspects.clue import Clue
from rag.suspects.names import is_product
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of, table_of
from rag.suspects.scene import Scene

NEAR: Final = 0.15
"""How close before its effects a statement must stand; the closeness of a change (`change.py`). Few rows may be bad: it
takes a while until they are enough to be noticed."""
CHANGED: Final = 0.5
"""How close a change of the program itself explains its failures better."""
ONCE: Final = 3
"""A statement that runs more often than this is the daily work of a program."""
HALF: Final = 0.5

_WRITES: Final = re.compile(
    r"\b(?:update \S+ set|delete from|truncate(?: table)?|insert into \S+ (?:\([^)]*\) )?select"
    r"|copy \S+ (?:\([^)]*\) )?from|load data (?:local )?infile|replace into|merge into)\b",
    re.IGNORECASE,
)
_BROKEN: Final = frozenset({"code_defect", "bad_input"})
"""What a program tells that meets values which it does not know."""
_CODE: Final = frozenset({ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.MIGRATION})
_FOUND: Final = re.compile(
    r"^\S*(?:results?|rows?|hits?|matche?s?|items?|found|records?|documents?|total|count|size)\b[^:]*: ", re.IGNORECASE
)
"""The head of an anomaly's sentence about how much was found."""


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each table that was written to just before services fail on their data, or find nothing."""
    if any(clue.reading is not None and clue.reading.fault_type == "lock_contention" for clue in scene.clues):
        return  # what holds a table up is another fault (`locks.py`)
    for clue in scene.clues:
        table = table_of(clue.text) if _writes(clue) else None
        if table is None:
            continue
        broken = [other for other in scene.clues if _breaks(other, clue, scene)]
        emptied = next((item for item in scene.incident.anomalies if _finds_less(item, clue)), None)
        ahead = max((_ahead(clue, *span) for span in _spans(broken, emptied)), default=0.0)
        if ahead >= NEAR:
            yield _proposal(clue, table, ahead, broken, emptied)


def _writes(clue: Clue) -> bool:
    new = clue.novelty > 0.6 and clue.activity.during <= ONCE
    return new and is_product(clue.service or "") and _WRITES.search(clue.text[:2_000]) is not None


def _breaks(other: Clue, write: Clue, scene: Scene) -> bool:
    """Whether a service that nothing else changed fails, since the statement, on values."""
    if other.service in (None, write.service) or not other.failing or other.novelty <= 0.3:
        return False
    of_code = other.reading.fault_type in _BROKEN if other.reading is not None else bool(other.traces)
    return of_code and not _changed(other.service, scene)


def _spans(broken: list[Clue], emptied: Anomaly | None) -> Iterator[tuple[datetime | None, datetime | None]]:
    """When the effects began, and for what is counted in a window, when the window ends."""
    for clue in broken:
        yield clue.record.timestamp, None
    if emptied is not None:
        yield emptied.first_seen, emptied.last_seen


def _ahead(write: Clue, first: datetime | None, last: datetime | None) -> float:
    """How close the statement stands before an effect; within a window, 1 where most of it is still to come."""
    moment = write.record.timestamp
    if moment is None or first is None:
        return NEAR
    if last is not None and first <= moment <= first + (last - first) / 2:
        return 1.0
    return near(first - moment)


def _changed(service: str | None, scene: Scene) -> bool:
    changes = (change for change in scene.changes if change.kind in _CODE and owner_of(change, scene) == service)
    return any(closeness(change, scene) >= CHANGED for change in changes)


def _finds_less(anomaly: Anomaly, write: Clue) -> bool:
    """Whether a count of what was found fell to half of what is usual, or less."""
    observed, expected = anomaly.observed, anomaly.expected
    if anomaly.kind is not AnomalyKind.NUMERIC_SHIFT or anomaly.service == write.service:
        return False
    if not isinstance(observed, int | float) or not isinstance(expected, int | float):
        return False
    return _FOUND.match(anomaly.why) is not None and observed <= HALF * expected


def _proposal(clue: Clue, table: str, ahead: float, broken: list[Clue], emptied: Anomaly | None) -> Proposal:
    lead = max(broken, key=lambda other: other.activity.during, default=None)
    since = message_of(lead) if lead is not None else emptied.why if emptied is not None else ""
    services = dict.fromkeys(other.service for other in broken if other.service)
    if emptied is not None and emptied.service:
        services.setdefault(emptied.service)
    readers = ", ".join(services)
    return Proposal(
        kind=SuspectKind.CHANGE,
        cause=f"the data of {table} was changed: {message_of(clue)}; since then {readers}: {since}",
        why=(f"a statement that writes to the whole table, {counted(clue)}", "nothing else was changed there"),
        facts=replace(
            clue_facts(lead or clue),
            strength=0.85,
            novelty=1.0,
            earliness=1.0,
            upstream=0.5,
            change=ahead,
            blames=0.0,
            echo=0.0,
            remote=0.0,
        ),
        evidence=(clue.evidence, *((lead.evidence,) if lead is not None else emptied.examples[:1] if emptied else ())),
        fault_type="data_corruption",
        service=clue.service,
        component=f"table/{table}",
        words=frozenset({table, "data", *services}),
    )
