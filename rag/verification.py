"""A model's claims, checked by code. What fails is dropped and reported; confidence is capped by what remains.

For each hypothesis: the cited ids exist; each quote stands in its item, word for word; the evidence is not later than
the incident; the cause has words in common with what it cites, and its numbers, times and identifiers stand there; the
service, component and function are named there; a line that talks to an assistant is no evidence. A hypothesis without
one valid quote from this incident's logs is never shown: what was the cause another time is a hint, no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.domain import Hypothesis, Incident, RuledOut, SimilarIncident, SuspectKind, Verdict
from core.severity import LEVELS
from rag.changing import advises_a_change, changing_command
from rag.evidence import EvidenceItem
from rag.hostile import addresses_an_assistant
from rag.material import Material
from rag.replies import AnalysisReply, HypothesisReply, Quote

CAPS: Final = (0.0, 0.6, 0.75, 0.9)
"""The highest confidence by the number of items that support a hypothesis (0, 1, 2, 3 or more)."""
FLAWED_CAP: Final = 0.5
"""The highest confidence of a hypothesis of which a claim was dropped."""
CONTRADICTION: Final = 0.15
"""What each valid piece of contradicting evidence takes off the cap."""
SHORTEST_QUOTE: Final = 4
"""Characters: a shorter quote stands in almost any line."""
LATE: Final = timedelta(minutes=1)
"""How much later than the incident's last symptom evidence may be."""

_OPINIONS: Final = frozenset({"suspect", "ruled_out"})
_ELSEWHERE: Final = frozenset({"similar", "runbook"})
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_IDENTIFIER: Final = re.compile(r"\b[A-Za-z][A-Za-z0-9]*(?:[-_./:][A-Za-z0-9]+)+\b")
_COMMON: Final = frozenset(
    ("the", "and", "for", "was", "were", "are", "that", "this", "with", "from", "its", "not", "has", "had", "have",
     "into", "because", "which", "while", "when", "then", "after", "before", "than", "too", "very", "all", "any",
     "one", "two", "service", "services", "error", "errors", "failed", "fails", "failing", "failure", "incident",
     "cause", "caused")
)  # fmt: skip
"""Words that any cause and any line may share."""
_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.|mailto:|javascript:|data:[a-z]+/)\S*", re.IGNORECASE)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<[^<>|]{1,300}\|([^<>]{0,300})>")
_MENTION: Final = re.compile(r"<?[!@](?:channel|here|everyone|subteam\S*)>?|<@\w+>", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_NUMBER: Final = re.compile(r"(?<![\w.])\d[\d,.:]*\d(?![\w])")


@dataclass(frozen=True, slots=True)
class Verified:
    """What is left of a reply, with its masks still in place. `dropped` says what was refused and why."""

    verdict: Verdict
    summary: str
    hypotheses: tuple[Hypothesis, ...]
    ruled_out: tuple[RuledOut, ...]
    next_steps: tuple[str, ...]
    similar: tuple[SimilarIncident, ...]
    dropped: tuple[str, ...]


def verify(reply: AnalysisReply, material: Material, incident: Incident) -> Verified:
    """Checks a reply against the material that was sent. Deterministic; asks nobody."""
    dropped: list[str] = []
    different = list({_folded(h.cause): h for h in reversed(reply.hypotheses)}.values())[::-1]
    checked = [_hypothesis(number, h, material, incident, dropped) for number, h in enumerate(different[:5], 1)]
    hypotheses = sorted((h for h in checked if h is not None), key=lambda h: -h.confidence)
    similar = _similar(reply, hypotheses, material, dropped)
    verdict = _verdict(reply.verdict, hypotheses, material, incident, dropped)
    if verdict in (Verdict.NO_INCIDENT, Verdict.INCONCLUSIVE):
        hypotheses = [h for h in hypotheses if verdict is Verdict.INCONCLUSIVE]
    return Verified(
        verdict=verdict,
        summary=_summary(reply, verdict, hypotheses, material, dropped),
        hypotheses=tuple(hypotheses),
        ruled_out=tuple(_ruled_out(reply, material, dropped)),
        next_steps=tuple(_steps(reply.next_steps, dropped)),
        similar=similar,
        dropped=tuple(dropped),
    )


def plain(text: str, what: str, dropped: list[str]) -> str:
    """Text without links and mentions: a model has no reason to give any, an attacker in the logs has."""
    cleaned = _MENTION.sub("", _URL.sub("", _LINK.sub(lambda m: m[1] or m[2] or "", text)))
    if cleaned != text:
        dropped.append(f"{what}: a link or a mention was removed")
    return " ".join(cleaned.split())


def _hypothesis(
    number: int, reply: HypothesisReply, material: Material, incident: Incident, dropped: list[str]
) -> Hypothesis | None:
    name = f"hypothesis {number}"
    before = len(dropped)
    supporting = _cited(reply.supporting, material, incident, name, dropped)
    grounds = [item for item in supporting if item.kind not in _OPINIONS and not _told(item, name, dropped)]
    if all(item.kind in _ELSEWHERE for item in grounds):
        dropped.append(f"{name} ({_short(reply.cause)}): no valid quote from the logs supports it")
        return None
    contradicting = _cited(reply.contradicting, material, incident, name, dropped, may_be_late=True)
    cause = plain(reply.cause, name, dropped)
    if not _shares_a_word(cause, grounds):
        dropped.append(f"{name} ({_short(cause)}): it has no word in common with what it cites")
        return None
    _check_numbers(cause, supporting, name, dropped)
    _check_identifiers(cause, supporting, material, name, dropped)
    named = _Names(supporting, material)
    service = _named(reply.service, named, f"{name}: service", dropped)
    component = _named(reply.component, named, f"{name}: component", dropped)
    function = _named(reply.function, named, f"{name}: function", dropped)
    cap = CAPS[min(len(grounds), len(CAPS) - 1)] - CONTRADICTION * len(contradicting)
    if len(dropped) > before:
        cap = min(cap, FLAWED_CAP)
    confidence = max(min(reply.confidence, cap), 0.0)
    return Hypothesis(
        kind=SuspectKind.FIRST_NEW,
        score=confidence,
        cause=cause,
        why="; ".join(f"{quote.id}: “{quote.quote}”" for quote in reply.supporting if _holds(quote, material)),
        category=reply.category,
        fault_type=reply.fault_type and re.sub(r"[^\w-]+", "_", reply.fault_type.lower())[:40],
        service=service,
        component=component,
        function=function,
        confidence=confidence,
        supporting=tuple(dict.fromkeys(item.id for item in supporting)),
        contradicting=tuple(dict.fromkeys(item.id for item in contradicting)),
        confirm_by=next(iter(_steps([reply.confirm_by], dropped)), "") if reply.confirm_by else "",
    )


def _cited(
    quotes: Iterable[Quote],
    material: Material,
    incident: Incident,
    name: str,
    dropped: list[str],
    *,
    may_be_late: bool = False,
) -> list[EvidenceItem]:
    items: list[EvidenceItem] = []
    for quote in quotes:
        item = material.items.get(quote.id.strip())
        if item is None:
            dropped.append(f"{name}: {_short(quote.id)} is no evidence")
        elif not _holds(quote, material):
            dropped.append(f"{name}: “{_short(quote.quote)}” does not stand in {item.id}")
        elif not may_be_late and _late(item, incident):
            dropped.append(f"{name}: {item.id} is later than the incident")
        elif item not in items:
            items.append(item)
    return items


def _holds(quote: Quote, material: Material) -> bool:
    item = material.items.get(quote.id.strip())
    words = _folded(quote.quote)
    return item is not None and len(words) >= SHORTEST_QUOTE and words in _folded(item.text)


def _late(item: EvidenceItem, incident: Incident) -> bool:
    return item.timestamp is not None and incident.ends_at is not None and item.timestamp > incident.ends_at + LATE


def _check_numbers(cause: str, items: Iterable[EvidenceItem], name: str, dropped: list[str]) -> None:
    text = " ".join(f"{item.text} {item.timestamp or ''}" for item in items)
    for number in _NUMBER.findall(cause):
        if number.strip(".,:") not in text:
            dropped.append(f"{name}: {number} does not stand in what it cites")


class _Names:
    """What may be named: words of the items that a hypothesis cites, and the services that wrote the logs."""

    def __init__(self, cited: Iterable[EvidenceItem], material: Material) -> None:
        services = {item.service for item in material.items.values() if item.service and item.citations}
        self._text = _folded(" ".join((*(item.text for item in cited), *services)))

    def __contains__(self, name: str) -> bool:
        words = _folded(name)
        return len(words) > 1 and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", self._text) is not None


def _told(item: EvidenceItem, name: str, dropped: list[str]) -> bool:
    if item.kind == "timeline" or not addresses_an_assistant(item.text):
        return False
    dropped.append(f"{name}: {item.id} talks to an assistant; it is no evidence")
    return True


def _shares_a_word(cause: str, items: Iterable[EvidenceItem]) -> bool:
    """Whether cause and evidence have a word (or its first five letters) in common: a cause about something else is
    not what the quote shows."""
    text = {word[:5] for item in items for word in _WORD.findall(_folded(f"{item.text} {item.service or ''}"))}
    return any(word[:5] in text for word in _WORD.findall(_folded(cause)) if word not in _COMMON)


def _check_identifiers(
    cause: str, items: Iterable[EvidenceItem], material: Material, name: str, dropped: list[str]
) -> None:
    known = _Names(items, material)
    for identifier in dict.fromkeys(_IDENTIFIER.findall(cause)):
        if identifier not in known:
            dropped.append(f"{name}: {_short(identifier)} does not stand in what it cites")


def _named(name: str | None, names: _Names, what: str, dropped: list[str]) -> str | None:
    if not name:
        return None
    # `deployment/checkout` counts as named where the evidence says `checkout`.
    if name in names or ("/" in name and name.rsplit("/", 1)[1] in names):
        return name
    dropped.append(f"{what} {_short(name)} is not named in the evidence")
    return None


def _similar(
    reply: AnalysisReply, hypotheses: Iterable[Hypothesis], material: Material, dropped: list[str]
) -> tuple[SimilarIncident, ...]:
    by_incident = {past.id: past for past in material.similar.values()}
    used: dict[str, SimilarIncident] = {}
    for name in reply.similar_used:
        past = material.similar.get(name.strip()) or by_incident.get(name.strip())
        if past is None:
            dropped.append(f"similar incident {_short(name)} was not among the evidence")
        else:
            used[past.id] = past
    for hypothesis in hypotheses:
        for item_id in hypothesis.supporting:
            if item_id in material.similar:
                used[material.similar[item_id].id] = material.similar[item_id]
    return tuple(used.values())


def _verdict(
    said: Verdict,
    hypotheses: list[Hypothesis],
    material: Material,
    incident: Incident,
    dropped: list[str],
) -> Verdict:
    if said is Verdict.NO_INCIDENT:
        if LEVELS.index(incident.level) == 0:
            return said
        # Text in a log must not be able to talk an incident away.
        dropped.append(
            f"verdict no_incident: code found an incident of level {incident.level} ({incident.level_reason})"
        )
        return Verdict.INCONCLUSIVE
    if said is Verdict.INCONCLUSIVE:
        return said
    if not hypotheses:
        dropped.append(f"verdict {said}: no hypothesis stands")
        return Verdict.INCONCLUSIVE
    if said is Verdict.KNOWN_CAUSE and not _rests_on_memory(hypotheses, material):
        dropped.append("verdict known_cause: no cited past incident or runbook names a cause")
        return Verdict.NEW_CAUSE
    return said


def _rests_on_memory(hypotheses: list[Hypothesis], material: Material) -> bool:
    cited = [item_id for hypothesis in hypotheses for item_id in hypothesis.supporting]
    return any(
        material.items[item_id].kind == "runbook"
        or (item_id in material.similar and material.similar[item_id].confirmed)
        for item_id in cited
    )


def _summary(
    reply: AnalysisReply, verdict: Verdict, hypotheses: list[Hypothesis], material: Material, dropped: list[str]
) -> str:
    if verdict is not reply.verdict or len(hypotheses) < len({_folded(h.cause) for h in reply.hypotheses}):
        # The model's summary tells of claims that did not hold: it goes with them.
        if hypotheses and verdict is not Verdict.INCONCLUSIVE:
            return f"Most likely: {hypotheses[0].cause}"
        if hypotheses:
            return f"Not enough evidence for a cause. A possibility: {hypotheses[0].cause}"
        return "Not enough evidence for a cause."
    everything = list(material.items.values())
    kept: list[str] = []
    for sentence in _SENTENCE_END.split(plain(reply.summary, "summary", dropped)):
        before = len(dropped)
        if sentence and not _shares_a_word(sentence, everything):
            dropped.append(f"summary: nothing of what was sent speaks of “{_short(sentence)}”")
        _check_numbers(sentence, everything, "summary", dropped)
        _check_identifiers(sentence, everything, material, "summary", dropped)
        if len(dropped) == before:
            kept.append(sentence)
    if hypotheses and not any(kept):
        return f"Most likely: {hypotheses[0].cause}"
    return " ".join(kept) or "Not enough evidence for a cause."


def _ruled_out(reply: AnalysisReply, material: Material, dropped: list[str]) -> Iterable[RuledOut]:
    for item in reply.ruled_out[:10]:
        known = [i for i in item.evidence if i.strip() in material.items]
        if not known:
            dropped.append(f"ruled out ({_short(item.what)}): it cites no evidence")
            continue
        if not _shares_a_word(f"{item.what} {item.why}", [material.items[i.strip()] for i in known]):
            dropped.append(f"ruled out ({_short(item.what)}): it has no word in common with what it cites")
            continue
        what, why = plain(item.what, "ruled out", dropped), plain(item.why, "ruled out", dropped)
        yield RuledOut(what, f"{why} ({', '.join(known)})")


def _steps(steps: Iterable[str], dropped: list[str]) -> Iterable[str]:
    """Steps that change nothing, as far as their commands say; advice in words to change something comes last."""
    kept: list[str] = []
    for step in list(steps)[:10]:
        command = changing_command(step)
        if command:
            dropped.append(f"step “{_short(step)}”: it changes things ({_short(command)})")
        elif text := plain(step, "step", dropped):
            kept.append(text)
    return sorted(kept, key=advises_a_change)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
