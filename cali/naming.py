"""Names in a question that no service of the logs has: misspelt ones, and services whose logs are not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cali.question import services_of

_NAME: Final = r"[\"'`]?(?P<name>[A-Za-z][A-Za-z0-9_.-]{2,60})[\"'`]?"
_THE: Final = r"(?:the\s+|our\s+|my\s+)?"
_NAMED: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_THE}{_NAME}(?:\s+|-)(?:micro)?service\b",
        rf"\bservice\s+{_NAME}",
        rf"\bwhy\s+(?:did|does|is|was|are|were|has|would|could|can|do)(?:n't|\s+not)?\s+{_THE}{_NAME}\b",
        rf"\bwhat\s+(?:happened|happens|is\s+wrong|was\s+wrong|went\s+wrong|broke)\s+(?:to|with|in)\s+{_THE}{_NAME}\b",
        rf"\b(?:what|how)\s+about\s+{_THE}{_NAME}\s*\??$",
        rf"^and\s+{_THE}{_NAME}\s*\??$",
        rf"\b(?:is|was|are|were)\s+{_THE}{_NAME}\s+(?:healthy|ok|okay|fine|well|up|down|alive|working|broken|degraded|slow)\b",
        r"(?P<name>[A-Za-z][\w.-]{2,60})\s?서비스",
    )
)
_NO_NAMES: Final = """
the this that these those there here they them you your our everything anything something nothing all any some each
which what who when where why how things thing other others same failing failed slow down broken affected
services service microservice system systems platform cluster clusters node nodes pod pods container containers host
hosts database databases queue queues cache network disk memory app apps application applications site website user
customer customers client clients people request requests response responses call calls login logins job jobs order
orders error errors exception exceptions warning warnings log logs alert alerts alarm latency incident incidents
outage deploy deploys deployment deployments rollout release change changes config last first latest recent many much
few and not now yesterday today tonight not it's happening happened going been
"""
_WORDS: Final = frozenset(_NO_NAMES.split())
"""Words that stand where a name could, and are none."""
_LIKENESS: Final = 0.8


@dataclass(frozen=True, slots=True)
class Meant:
    """The services that a question is about; `note` says where that is not what its words say."""

    services: tuple[str, ...]
    note: str = ""


def meant(question: str, known: Sequence[str]) -> Meant:
    """The services among `known` that a question names, or nearly names; a note where it names another one."""
    services = services_of(question, known)
    if services:
        return Meant(services)
    folded = {name.casefold(): name for name in known}
    for pattern in _NAMED:
        found = pattern.search(question)
        name = found["name"].strip(".-").casefold() if found else ""
        if not name or name in _WORDS:
            continue
        near = difflib.get_close_matches(name, folded, 1, _LIKENESS)
        if near:
            return Meant((folded[near[0]],), f"I read {name} as {folded[near[0]]}.")
        there = ", ".join(known[:8]) + (" and others" if len(known) > 8 else "")
        return Meant((), f"No service called {name} wrote these logs; those that did: {there}." if known else "")
    return Meant(())
