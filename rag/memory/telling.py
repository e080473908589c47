"""How much an anomaly says about the cause of its incident: what a memory keeps of it, and in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from core.domain import Anomaly, AnomalyKind, Incident
from core.severity import ERROR, FATAL, WARN
from rag.memory.concepts import concepts
from rag.memory.saying import said

_KIND_WEIGHT: Final[Mapping[AnomalyKind, float]] = {
    AnomalyKind.NEW_TEMPLATE: 1.0,
    AnomalyKind.RARE_TEMPLATE: 0.9,
    AnomalyKind.NEW_VALUE: 0.8,
    AnomalyKind.RATE_SPIKE: 0.7,
    AnomalyKind.MISSING_TEMPLATE: 0.6,
    AnomalyKind.NUMERIC_SHIFT: 0.5,
    AnomalyKind.RATE_DROP: 0.4,
}
_ACCESS: Final = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b[^\n]{0,200}(?:HTTP/|<URL>|<PATH>|\" <NUM>)"
)
EVERYWHERE: Final = frozenset({"bad_deploy", "cache_failure", "feature_flag", "queue_backlog"})
"""Concepts that ordinary operation names too: they tell only where nothing else does."""


def telling(anomaly: Anomaly, incident: Incident) -> float:
    """How much an anomaly says about the cause, in [0, 2]: its kind and severity, a fault it names, being early."""
    weight = _KIND_WEIGHT[anomaly.kind]
    weight *= (
        1.2
        if anomaly.severity >= FATAL
        else 1.0
        if anomaly.severity >= ERROR
        else 0.8
        if anomaly.severity >= WARN
        else 0.4
    )
    if is_access(anomaly.template):
        weight *= 0.2  # who asked for what: the cause is elsewhere
    if named_faults(anomaly) - EVERYWHERE:
        weight *= 1.5
    if anomaly.first_seen is not None and anomaly.first_seen == incident.starts_at:
        weight *= 1.2
    return weight


def words_of(anomaly: Anomaly) -> str:
    """A template with what the line said that it was seen in first: masks hide words that matter, such as a reason,
    and of structured logs a template has the message alone."""
    return "\n".join([anomaly.template, *(said(example.text) for example in anomaly.examples[:1])])


def named_faults(anomaly: Anomaly) -> frozenset[str]:
    """The fault concepts that an anomaly's words name."""
    return _concepts_in(words_of(anomaly))


def speaks(anomaly: Anomaly) -> bool:
    """Whether an anomaly's words tell: trouble, or a fault by name; not routine, and not who asked for what."""
    troubled = anomaly.severity >= WARN or bool(named_faults(anomaly) - EVERYWHERE)
    return troubled and not is_access(anomaly.template)


def is_access(text: str) -> bool:
    """Whether a text is a line of an access log."""
    return _ACCESS.search(text) is not None


@lru_cache(maxsize=4096)
def _concepts_in(text: str) -> frozenset[str]:
    return frozenset(concepts(text))
