"""What a mechanism hands in: a candidate cause with the facts that its score is made of."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final

from core import severity as levels
from core.domain import FAULT_TYPES, Category, Evidence, Suspect, SuspectKind
from core.stackframes import is_library
from core.wording import times
from rag.suspects.clue import Clue, logger_of

MAX_CAUSE: Final = 260
"""Characters of a log's own words inside a cause."""

EFFECTS: Final = frozenset({"crash_loop", "probe_failure"})
"""Faults that say that something fails, not why: they step back where a reason is known for the same service."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts a score is made of, each in [0, 1]; 0 where a fact does not apply."""

    strength: float = 0.0
    """How directly the words name a cause (`rag.suspects.lexicon`)."""
    novelty: float = 0.0
    """1 never happened before; less by how much its rate grew."""
    earliness: float = 0.0
    """1 at the first sign of the incident, 0 at its end."""
    severity: float = 0.0
    upstream: float = 0.0
    """Share of the other troubled services that name this one in their errors."""
    blames: float = 0.0
    """1 where the record itself names another service as the one that fails."""
    echo: float = 0.0
    """1 where it tells what a service that it names tells of itself."""
    change: float = 0.0
    """How close before the onset this service was changed."""
    state: float = 0.0
    """1 where Kubernetes reports the object in a bad state."""
    frame: float = 0.0
    """1 where a stack trace points into the program's own code."""
    exhausted: float = 0.0
    """1 where a limit and what consumed it are named."""
    silence: float = 0.0
    """1 where something that always spoke has stopped."""
    symptom: float = 0.0
    """Share of the symptom's words that the cause explains."""
    agreement: float = 0.0
    """How many other mechanisms point at the same service or thing (1 = two or more)."""
    remote: float = 0.0
    """1 for the second choice of a mechanism: the caller of the deepest frame, a thing only inferred."""

    def maximum(self, other: Facts) -> Facts:
        """The larger of each fact; of those that speak against, the ones of the side that has less of them."""
        milder = max(self, other, key=_against)
        return Facts(
            **{
                item.name: getattr(milder, item.name)
                if item.name in AGAINST
                else max(getattr(self, item.name), getattr(other, item.name))
                for item in fields(self)
            }
        )


BIAS: Final = -4.0
WEIGHTS: Final = Facts(
    strength=2.6,
    novelty=1.4,
    earliness=1.0,
    severity=0.6,
    upstream=1.6,
    blames=-1.4,
    echo=-1.5,
    change=2.0,
    state=1.0,
    frame=0.5,
    exhausted=0.5,
    silence=1.6,
    symptom=1.0,
    agreement=0.8,
    remote=-1.2,
)
"""Weight of each fact in the logistic score; `docs/suspects.md` says how they were chosen."""


AGAINST: Final = ("blames", "echo", "remote")
"""Facts that speak against a proposal: they belong together, for one record has them all."""


def _against(facts: Facts) -> float:
    return float(sum(getattr(WEIGHTS, name) * getattr(facts, name) for name in AGAINST))


def weighted(facts: Facts) -> float:
    """The sum of the weighted facts: it means the same in every incident."""
    products = (getattr(WEIGHTS, item.name) * getattr(facts, item.name) for item in fields(facts))
    return float(sum(products))


def score(facts: Facts) -> float:
    """The logistic of the weighted facts, in (0, 1): how strong a proposal is by itself."""
    return 1.0 / (1.0 + math.exp(-(BIAS + weighted(facts))))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate cause before it is merged with others and scored."""

    kind: SuspectKind
    cause: str
    why: tuple[str, ...]
    facts: Facts
    evidence: tuple[Evidence, ...]
    fault_type: str | None = None
    service: str | None = None
    component: str | None = None
    function: str | None = None
    words: frozenset[str] = field(default=frozenset())
    """Further words the symptom may match (the object's names)."""

    @property
    def category(self) -> Category | None:
        return FAULT_TYPES.get(self.fault_type) if self.fault_type else None

    def suspect(self, value: float) -> Suspect:
        return Suspect(
            kind=self.kind,
            score=round(value, 4),
            cause=self.cause,
            why="; ".join(self.why),
            category=self.category,
            fault_type=self.fault_type,
            service=self.service,
            component=self.component,
            function=self.function,
            evidence=self.evidence,
        )


def severity_fact(number: int) -> float:
    """0 unspecified or information, 0.4 warning, 0.8 error, 1 fatal."""
    if number >= levels.FATAL:
        return 1.0
    return 0.8 if number >= levels.ERROR else (0.4 if number >= levels.WARN else 0.0)


FEW: Final = {"probe_failure": 2, "brute_force": 20}
"""So many records of these are everyday: a probe that misses once, a customer who mistypes a password."""
MANY: Final = {"brute_force": 100}
"""So many records of these leave no doubt."""


def clue_facts(clue: Clue) -> Facts:
    """The facts that any clue carries."""
    fault_type = clue.reading.fault_type if clue.reading is not None else ""
    strength = clue.reading.strength if clue.reading is not None else 0.1
    count = clue.activity.during
    everyday = count <= FEW.get(fault_type, 0) and strength < 0.8
    if everyday:
        strength = 0.15
    return Facts(
        strength=max(strength, 0.9) if count >= MANY.get(fault_type, count + 1) else strength,
        novelty=clue.novelty,
        earliness=1.0 - clue.age,
        severity=severity_fact(clue.severity),
        remote=1.0 if everyday else 0.0,
    )


def counted(clue: Clue) -> str:
    """How often a clue happened, in words: `12 times, never before; first at 10:01:02`."""
    row = clue.activity
    if row.reference is None and row.before == 0:
        before = ""
    else:
        before = ", never before" if row.before == 0 else f", {row.before} before"
    return f"seen {times(row.during)}{before}{_at(clue.record.timestamp)}"


def _at(moment: datetime | None) -> str:
    return f"; first at {moment:%H:%M:%S}" if moment is not None else ""


def message_of(clue: Clue) -> str:
    """The log's own words in one line: the exception where there is one, else the message."""
    for trace in clue.traces:
        if trace.exception is not None and not trace.suppressed:
            return shorten(f"{trace.exception}: {trace.message}" if trace.message else trace.exception)
    return shorten(clue.text.split("\n", 1)[0])


_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m|\[(?:[0-9]{1,3};)*(?:0|[1-9][0-9]{0,2})m(?!s?\]|in)")
"""A colour code, also one that lost its escape character; `[main]`, `[5m]` and `[15min]` are words of the log."""


def shorten(text: str, limit: int = MAX_CAUSE) -> str:
    """One line, at most `limit` characters, without colour codes."""
    flat = " ".join(_COLOUR.sub("", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def cause_of(clue: Clue) -> str:
    """What broke, in plain words and the log's own."""
    message = message_of(clue)
    reading = clue.reading
    if reading is None:
        return message
    return f"{reading.term}: {message}" if reading.what is None else f"{reading.term} ({reading.what}): {message}"


_MODULE: Final = re.compile(r"^[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*){1,}$")
_CLASS: Final = re.compile(r"^(?:[a-z_][a-z0-9_]*\.){1,}[A-Z]\w*$")
_SHORTENED: Final = re.compile(r"^(?:\w\.)+")
_FILE: Final = re.compile(r"^(?P<file>[\w./-]+\.(?:py|go|js|ts|java|kt|rb|rs|cs|php|c|cc|cpp|scala|ex|erl))(?::\d+)?$")


_OF_TABLE: Final = frozenset(
    {
        "lock_contention",
        "slow_query",
        "data_corruption",
        "constraint_violation",
        "schema_migration",
        "permission_denied",
    }
)
_TABLE: Final = re.compile(
    r"(?i:\b(?:relation|table|for table|of relation|into|update|from|join|lock table)) (?i:relation |table )?"
    r"[\"'`\\]*(?:public[\"'`\\]*\.[\"'`\\]*)?"
    r"(?P<name>[a-z][a-z0-9_]{2,})\b[\"'`\\]*(?!\()"
)


def component_of(clue: Clue) -> str | None:
    """The object, table or file that a record is about, as far as it names one."""
    if clue.object is not None:
        return clue.object
    if clue.reading is not None and clue.reading.fault_type in _OF_TABLE:
        table = table_of(clue.text)
        if table is not None:
            return f"table/{table}"
    return logger_file(clue)


def table_of(text: str) -> str | None:
    """The first table that a statement, or a message about one, names."""
    names = (match["name"] for match in _TABLE.finditer(text[:4_000]))
    return next((name for name in names if name not in _NO_TABLE), None)


_NO_TABLE: Final = frozenset(
    {
        "the",
        "select",
        "where",
        "client",
        "remote",
        "server",
        "set",
        "values",
        "database",
        "host",
        "pool",
        "upstream",
        "relation",
    }
)


def logger_file(clue: Clue) -> str | None:
    """The source file that a record's logger is named after, where the name has the shape of one.

    `nova.compute.manager` is Python's habit of naming a logger after its module (`nova/compute/manager.py`);
    `com.shop.Pay` Java's of naming it after its class; `cart/service.go:42` is a file already. A library's logger says
    where the failure was noticed, not which of the program's files is at fault; one shortened by Logback names no file.
    """
    name = logger_of(clue.record)
    if name is None or is_library(None, name) or _SHORTENED.match(name):
        return None
    if (match := _FILE.match(name)) is not None:
        return match["file"]
    if _CLASS.match(name):
        return name.replace(".", "/") + ".java"
    return name.replace(".", "/") + ".py" if _MODULE.match(name) else None
