"""What an incident is remembered by: the text that is searched, built so that the same fault in other words is found.

Not the loudest lines but the most telling ones identify a cause: new and rare shapes, errors, the earliest of them,
exception types and fault concepts. A model reads about 200 words at most, so these come first, in this order:
fault concepts, exception types, suspected causes, then templates (wildcards removed), the most telling first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.domain import Anomaly, AnomalyKind, Incident, Suspect
from core.findings import Finding
from core.memory import MemoryDocument, MemoryKind, Outcome
from core.severity import ERROR, FATAL, WARN
from rag.memory.concepts import concepts
from rag.memory.terms import concept_term, terms

MAX_TEMPLATES: Final = 24
MAX_TEMPLATE_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 12_000
MAX_SUSPECTS: Final = 5
MAX_FAULTS: Final = 6
FAULT_REPEATS: Final = 6
FAULTS: Final = "faults"
"""Label of the faults that an incident looks like, the likeliest first."""

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
_NO_WORD: Final = re.compile(r"[^\w]|_")
_SPACES: Final = re.compile(r"\s+")
_EXCEPTION: Final = re.compile(
    r"\b(?:[a-z_][\w$]*\.)*([A-Z]\w*(?:Exception|Error|Failure|Timeout|Killed|Warning|BackOff))\b"
)
_ACCESS: Final = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b[^\n]{0,200}(?:HTTP/|<URL>|<PATH>|\" <NUM>)"
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
    faults = _faults(incident, ranked, suspects)
    labels = dict(incident.labels)
    if faults:
        labels[FAULTS] = " ".join(faults)
    return MemoryDocument(
        id=incident.id,
        kind=MemoryKind.INCIDENT,
        title=incident.title,
        text=_text(incident, ranked, suspects, faults),
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
        labels=labels,
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
    faults = dict.fromkeys(fault for part in parts[:3] for fault in part.labels.get(FAULTS, "").split())
    return replace(
        first,
        id=document_id,
        text=text[:MAX_TEXT_CHARS],
        services=tuple(dict.fromkeys(service for part in parts for service in part.services)),
        template_ids=tuple(dict.fromkeys(key for part in parts for key in part.template_ids)),
        cause=cause or first.cause,
        fix=fix,
        outcome=Outcome.RESOLVED if fix else first.outcome,
        labels={**first.labels, **({FAULTS: " ".join(list(faults)[:MAX_FAULTS])} if faults else {})},
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
        else 0.4
    )
    if _ACCESS.search(anomaly.template):
        weight *= 0.2  # who asked for what: the cause is elsewhere
    if _named(anomaly):
        weight *= 1.5
    if anomaly.first_seen is not None and anomaly.first_seen == incident.starts_at:
        weight *= 1.2
    return weight


def passage(document: MemoryDocument) -> str:
    """The text whose vector stands for a document: what tells most comes first, for models that read little.

    An incident's title is a line of its log, often a loud one: it comes last.
    """
    known = document.cause if document.cause and document.cause not in document.text else ""
    if document.kind is MemoryKind.INCIDENT:
        parts = [known, document.text, "" if _ACCESS.search(document.title) else document.title]
    else:
        parts = [document.title, document.text]
    return "\n".join(part for part in parts if part)


def search_terms(document: MemoryDocument) -> str:
    """The words that a document is found by, separated by spaces (see `rag.memory.terms`)."""
    title = "" if _ACCESS.search(document.title) else document.title
    parts = [title, document.text, document.cause or "", document.fix or "", " ".join(document.services)]
    words = terms("\n".join(part for part in parts if part))
    return " ".join([*words, *fault_terms(faults_of(document))])


def faults_of(document: MemoryDocument) -> list[str]:
    """The faults that an incident looks like, the likeliest first; none where it was not CALI that described it."""
    return document.labels.get(FAULTS, "").split()


def exception_types(text: str) -> list[str]:
    """Exception class names in a text, without their packages, in order, each once."""
    return list(dict.fromkeys(match.group(1) for match in _EXCEPTION.finditer(text)))


def plain(template: str) -> str:
    """A template without wildcards, on one line, cut to 200 characters."""
    return _SPACES.sub(" ", _WILDCARD.sub(" ", template)).strip()[:MAX_TEMPLATE_CHARS]


def _text(incident: Incident, ranked: Sequence[Anomaly], suspects: Sequence[Suspect], faults: Sequence[str]) -> str:
    lines: list[str] = []
    if faults:
        lines.append("faults: " + ", ".join(fault.replace("_", " ").replace("@", " of ") for fault in faults))
    lines.extend(f"suspected: {_SPACES.sub(' ', suspect.cause)[:300]}" for suspect in suspects[:MAX_SUSPECTS])
    if types := exception_types("\n".join(_words(anomaly) for anomaly in ranked)):
        lines.append("exceptions: " + ", ".join(types[:6]))
    shapes = dict.fromkeys(_shape(anomaly) for anomaly in ranked if _speaks(anomaly))
    shapes.pop("", None)
    lines.extend(list(shapes)[:MAX_TEMPLATES])
    return "\n".join(lines)[:MAX_TEXT_CHARS]


def _faults(incident: Incident, ranked: Sequence[Anomaly], suspects: Sequence[Suspect]) -> list[str]:
    """Up to six faults, the likeliest first: what the suspects are, and what the lines name.

    Each is a fault type, with the service that a suspect blames after an `@`.
    """
    weights: dict[str, float] = {}
    blamed: dict[str, str] = {}
    for rank, suspect in enumerate(suspects[:MAX_SUSPECTS]):
        if suspect.fault_type:
            weights[suspect.fault_type] = weights.get(suspect.fault_type, 0.0) + 3.0 * 0.6**rank
            if suspect.service:
                blamed.setdefault(suspect.fault_type, suspect.service)
    for anomaly in ranked[:MAX_TEMPLATES]:
        for name in concepts(_words(anomaly)):
            share = 0.1 if name in _EVERYWHERE else 0.3
            weights[name] = weights.get(name, 0.0) + share * telling(anomaly, incident)
    names = sorted(weights, key=lambda name: (-weights[name], name))[:MAX_FAULTS]
    return [f"{name}@{'-'.join(blamed[name].split())}" if name in blamed else name for name in names]


def fault_terms(faults: Sequence[str]) -> list[str]:
    """Words for faults, the likeliest ones repeated most: the fault, who is blamed, and both together."""
    words: list[str] = []
    for rank, fault in enumerate(faults[:MAX_FAULTS]):
        times = max(1, FAULT_REPEATS - 2 * rank)
        name, _, service = fault.partition("@")
        words.extend([concept_term(name)] * times)
        if service:
            blamed = _NO_WORD.sub("", service.casefold())
            words.extend([f"blamed0{blamed}"] * max(1, times // 2))
            words.extend([f"{concept_term(name)}0{blamed}"] * max(1, times // 2))
    return words


def _words(anomaly: Anomaly) -> str:
    """A template with the line that it was seen in first: masks hide words that matter, such as a reason."""
    return "\n".join([anomaly.template, *(example.text for example in anomaly.examples[:1])])


def _named(anomaly: Anomaly) -> bool:
    return bool(concepts(_words(anomaly)).keys() - _EVERYWHERE)


def _speaks(anomaly: Anomaly) -> bool:
    """Whether a shape belongs into the text: trouble, or a fault by name; not routine, and not who asked for what."""
    return not _ACCESS.search(anomaly.template) and (anomaly.severity >= WARN or _named(anomaly))


def _shape(anomaly: Anomaly) -> str:
    """The words of a shape; where masks hid most of them, those of a line."""
    text = plain(anomaly.template)
    hidden = len(_WILDCARD.findall(anomaly.template))
    if hidden >= 3 and anomaly.examples:
        text += " | " + " ".join(terms(anomaly.examples[0].text)[:40])
    return text
