"""What an incident is remembered by: the text that is searched, built so that the same fault in other words is found.

Not the loudest lines but the most telling ones identify a cause: new and rare shapes, errors, the earliest of them,
exception types and fault concepts. A model reads about 200 words at most, so these come first, in this order:
fault concepts, exception types, suspected causes, then templates (wildcards removed), the most telling first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.domain import Anomaly, AnomalyKind, Incident, Suspect
from core.findings import Finding
from core.memory import MemoryDocument, MemoryKind, Outcome
from core.severity import ERROR, FATAL, WARN
from rag.memory.concepts import concepts
from rag.memory.terms import terms

MAX_TEMPLATES: Final = 24
MAX_TEMPLATE_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 12_000

_KIND_WEIGHT: Final[Mapping[AnomalyKind, float]] = {
    AnomalyKind.NEW_TEMPLATE: 1.0,
    AnomalyKind.RARE_TEMPLATE: 0.9,
    AnomalyKind.NEW_VALUE: 0.8,
    AnomalyKind.RATE_SPIKE: 0.7,
    AnomalyKind.MISSING_TEMPLATE: 0.6,
    AnomalyKind.NUMERIC_SHIFT: 0.5,
    AnomalyKind.RATE_DROP: 0.4,
}
_WILDCARD: Final = re.compile(r"<[A-Z_*][A-Z0-9_*:]*>|<\*>")
_SPACES: Final = re.compile(r"\s+")
_EXCEPTION: Final = re.compile(
    r"\b(?:[a-z_][\w$]*\.)*([A-Z]\w*(?:Exception|Error|Failure|Timeout|Killed|Warning|BackOff))\b"
)
_EVERYWHERE: Final = frozenset({"bad_deploy", "cache_failure", "feature_flag", "queue_backlog"})
"""Concepts that ordinary operation names too: they tell only where nothing else does."""


def document_of(
    incident: Incident,
    suspects: Sequence[Suspect] = (),
    *,
    tenant: str = "default",
    source: str = "analyze",
    cause: str | None = None,
    fix: str | None = None,
) -> MemoryDocument:
    """The memory of an incident. `cause` and `fix` are what is known; without a cause, the best suspect's is kept.

    Nothing is redacted here: the memory does that when it stores.
    """
    ranked = sorted(incident.anomalies, key=lambda anomaly: -telling(anomaly, incident))
    return MemoryDocument(
        id=incident.id,
        kind=MemoryKind.INCIDENT,
        title=incident.title,
        text=_text(incident, ranked, suspects),
        services=incident.services,
        level=incident.level,
        starts_at=incident.starts_at,
        ends_at=incident.ends_at,
        tenant=tenant,
        outcome=Outcome.RESOLVED if fix else Outcome.OPEN,
        fingerprint=incident.fingerprint,
        template_ids=tuple(dict.fromkeys(anomaly.template_id for anomaly in ranked)),
        cause=cause or (suspects[0].cause if suspects else None),
        fix=fix,
        source=source,
        labels=dict(incident.labels),
    )


def document_of_findings(
    document_id: str,
    findings: Sequence[Finding],
    *,
    symptom: str | None = None,
    tenant: str = "default",
    source: str = "analyze",
    cause: str | None = None,
    fix: str | None = None,
) -> MemoryDocument:
    """One memory of several incidents that belong to one case, the most important first. `findings` is not empty."""
    parts = [document_of(finding.incident, finding.suspects, tenant=tenant, source=source) for finding in findings]
    first = parts[0]
    text = "\n".join(part for part in (symptom, *(part.text for part in parts[:3])) if part)
    return replace(
        first,
        id=document_id,
        text=text[:MAX_TEXT_CHARS],
        services=tuple(dict.fromkeys(service for part in parts for service in part.services)),
        template_ids=tuple(dict.fromkeys(key for part in parts for key in part.template_ids)),
        cause=cause or first.cause,
        fix=fix,
        outcome=Outcome.RESOLVED if fix else first.outcome,
    )


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
        else 0.5
    )
    if concepts(anomaly.template).keys() - _EVERYWHERE:
        weight *= 1.3
    if anomaly.first_seen is not None and anomaly.first_seen == incident.starts_at:
        weight *= 1.2
    return weight


def passage(document: MemoryDocument) -> str:
    """The text whose vector stands for a document: what tells most comes first, for models that read little."""
    parts = [document.title, document.text]
    if document.kind is MemoryKind.INCIDENT and document.cause and document.cause not in document.text:
        parts.insert(1, document.cause)
    return "\n".join(part for part in parts if part)


def search_terms(document: MemoryDocument) -> str:
    """The words that a document is found by, separated by spaces (see `rag.memory.terms`)."""
    parts = [document.title, document.text, document.cause or "", document.fix or "", " ".join(document.services)]
    return " ".join(terms("\n".join(part for part in parts if part)))


def exception_types(text: str) -> list[str]:
    """Exception class names in a text, without their packages, in order, each once."""
    return list(dict.fromkeys(match.group(1) for match in _EXCEPTION.finditer(text)))


def plain(template: str) -> str:
    """A template without wildcards, on one line, cut to 200 characters."""
    return _SPACES.sub(" ", _WILDCARD.sub(" ", template)).strip()[:MAX_TEMPLATE_CHARS]


def _text(incident: Incident, ranked: Sequence[Anomaly], suspects: Sequence[Suspect]) -> str:
    lines: list[str] = []
    if faults := _faults(incident, ranked):
        lines.append("faults: " + ", ".join(name.replace("_", " ") for name in faults))
    if types := exception_types("\n".join(anomaly.template for anomaly in ranked)):
        lines.append("exceptions: " + ", ".join(types[:6]))
    for suspect in suspects[:2]:
        label = f" ({suspect.fault_type.replace('_', ' ')})" if suspect.fault_type else ""
        lines.append(f"suspected: {plain(suspect.cause)}{label}")
    shapes = dict.fromkeys(plain(anomaly.template) for anomaly in ranked)
    lines.extend(list(shapes)[:MAX_TEMPLATES])
    if incident.services:
        lines.append("services: " + ", ".join(incident.services))
    return "\n".join(lines)[:MAX_TEXT_CHARS]


def _faults(incident: Incident, ranked: Sequence[Anomaly]) -> list[str]:
    """Up to four fault concepts, by the weight of the anomalies that name them."""
    weights: Counter[str] = Counter()
    for anomaly in ranked:
        weight = telling(anomaly, incident)
        for name in concepts(anomaly.template):
            weights[name] += weight * (0.3 if name in _EVERYWHERE else 1.0)  # type: ignore[assignment]
    return [name for name, _ in weights.most_common(4)]
