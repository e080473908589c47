"""What an incident is remembered by: the text that is searched, built so that the same fault in other words is found.

Not the loudest lines but the most telling ones identify a cause: new and rare shapes, errors, the earliest of them,
exception types and fault concepts. A model reads about 200 words at most, so these come first, in this order:
faults, suspected causes, exception types, then templates (wildcards removed), the most telling first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.domain import Anomaly, Incident, Suspect
from core.findings import Finding
from core.memory import MemoryDocument, MemoryKind, Outcome
from rag.memory.saying import is_structured, said
from rag.memory.signs import SIGNS, Sign, signs, signs_of, written
from rag.memory.telling import is_access, speaks, telling, words_of
from rag.memory.terms import concept_term, terms

MAX_TEMPLATES: Final = 24
MAX_TEMPLATE_CHARS: Final = 200
MAX_TEXT_CHARS: Final = 12_000
MAX_SAID_CHARS: Final = 250
HIDDEN: Final = 3
"""From so many masks on, a template says less than its line."""
MAX_SUSPECTS: Final = 5
MAX_FAULTS: Final = 6
FAULT_REPEATS: Final = 6
MIN_SHARE: Final = 0.1
"""Suspects less likely than this share of the likeliest one are not written down."""
MIN_FAULT: Final = 0.15

_WILDCARD: Final = re.compile(r"<[A-Z_*][A-Z0-9_*:]*>|<\*>")
_NO_WORD: Final = re.compile(r"[^\w]|_")
_SPACES: Final = re.compile(r"\s+")
_EXCEPTION: Final = re.compile(
    r"\b(?:[a-z_][\w$]*\.)*([A-Z]\w*(?:Exception|Error|Failure|Timeout|Killed|Warning|BackOff))\b"
)


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
    finding = Finding(incident, tuple(suspects))
    return document_of_findings(incident.id, [finding], tenant=tenant, source=source, cause=cause, fix=fix)


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
    """One memory of several incidents that belong to one case, the most important first. `findings` is not empty.

    Suspects are told in the order of their scores, anomalies in that of how much they tell, whichever incident they are
    of: with two faults at once, the surer of the two is what the case is found by first.
    """
    first = findings[0].incident
    told = [(each, telling(each, finding.incident)) for finding in findings for each in finding.incident.anomalies]
    told.sort(key=lambda pair: -pair[1])
    suspects = sorted((one for finding in findings for one in finding.suspects), key=lambda one: -one.score)
    shown = signs(suspects, told)
    anomalies = [anomaly for anomaly, _ in told]
    text = _text(anomalies, suspects, shown)
    best = findings[0].suspects[0].cause if findings[0].suspects else None
    return MemoryDocument(
        id=document_id,
        kind=MemoryKind.INCIDENT,
        title=first.title,
        text="\n".join(part for part in (symptom, text) if part)[:MAX_TEXT_CHARS],
        services=tuple(dict.fromkeys(service for finding in findings for service in finding.incident.services)),
        level=first.level,
        starts_at=first.starts_at,
        ends_at=first.ends_at,
        tenant=tenant,
        outcome=Outcome.RESOLVED if fix else Outcome.OPEN,
        fingerprint=first.fingerprint,
        template_ids=tuple(dict.fromkeys(anomaly.template_id for anomaly in anomalies)),
        cause=cause or best,
        fix=fix,
        source=source,
        labels={**first.labels, **({SIGNS: written(shown)} if shown else {})},
    )


def passage(document: MemoryDocument) -> str:
    """The text whose vector stands for a document: what tells most comes first, for models that read little.

    An incident's title is a line of its log, often a loud one: it comes last.
    """
    known = document.cause if document.cause and document.cause not in document.text else ""
    if document.kind is MemoryKind.INCIDENT:
        parts = [known, document.text, "" if is_access(document.title) else document.title]
    else:
        parts = [document.title, document.text]
    return "\n".join(part for part in parts if part)


def search_terms(document: MemoryDocument) -> str:
    """The words that a document is found by, separated by spaces (see `rag.memory.terms`)."""
    title = "" if is_access(document.title) else document.title
    parts = [title, document.text, document.cause or "", document.fix or "", " ".join(document.services)]
    words = terms("\n".join(part for part in parts if part))
    return " ".join([*words, *fault_terms(signs_of(document))])


def exception_types(text: str) -> list[str]:
    """Exception class names in a text, without their packages, in order, each once."""
    return list(dict.fromkeys(match.group(1) for match in _EXCEPTION.finditer(text)))


def plain(template: str) -> str:
    """A template without wildcards, on one line, cut to 200 characters."""
    return _SPACES.sub(" ", _WILDCARD.sub(" ", template)).strip()[:MAX_TEMPLATE_CHARS]


def fault_terms(told: Sequence[Sign]) -> list[str]:
    """Words for the likeliest faults, repeated by their weight: the fault, who is blamed, and both together."""
    words: list[str] = []
    for sign in _likeliest(told):
        times = max(1, round(FAULT_REPEATS * min(sign.weight, 1.0)))
        words.extend([concept_term(sign.name)] * times)
        if sign.service:
            blamed = _NO_WORD.sub("", sign.service.casefold())
            words.extend([f"blamed0{blamed}"] * max(1, times // 2))
            words.extend([f"{concept_term(sign.name)}0{blamed}"] * max(1, times // 2))
    return words


def _likeliest(told: Sequence[Sign]) -> list[Sign]:
    """The faults that are told in words, the likeliest first, each once."""
    faults: dict[str, Sign] = {}
    for sign in told:
        if sign.kind == "fault" and sign.name and sign.weight >= MIN_FAULT:
            faults.setdefault(sign.name, sign)
    return list(faults.values())[:MAX_FAULTS]


def _text(anomalies: Sequence[Anomaly], suspects: Sequence[Suspect], shown: Sequence[Sign]) -> str:
    lines: list[str] = []
    if faults := _likeliest(shown):
        named = [f"{fault.name} of {fault.service}" if fault.service else fault.name for fault in faults]
        lines.append("faults: " + ", ".join(name.replace("_", " ") for name in named))
    likely = [one for one in suspects[:MAX_SUSPECTS] if one.score >= MIN_SHARE * suspects[0].score]
    lines.extend(f"suspected: {_SPACES.sub(' ', suspect.cause)[:300]}" for suspect in likely)
    if types := exception_types("\n".join(words_of(anomaly) for anomaly in anomalies)):
        lines.append("exceptions: " + ", ".join(types[:6]))
    shapes = dict.fromkeys(_shape(anomaly) for anomaly in anomalies if speaks(anomaly))
    shapes.pop("", None)
    lines.extend(list(shapes)[:MAX_TEMPLATES])
    return "\n".join(lines)[:MAX_TEXT_CHARS]


def _shape(anomaly: Anomaly) -> str:
    """The words of a shape; where masks or fields hold most of them, what a line said besides."""
    text = plain(anomaly.template)
    example = anomaly.examples[0].text if anomaly.examples else ""
    hidden = len(_WILDCARD.findall(anomaly.template))
    if not (hidden >= HIDDEN or is_structured(example)):
        return text
    known = frozenset(terms(text))
    more = [part for part in said(example).split("\n") if frozenset(terms(part)) - known]
    return " | ".join([text, *([_SPACES.sub(" ", " ".join(more))[:MAX_SAID_CHARS]] if more else [])])
