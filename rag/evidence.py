"""Which templates and lines matter: the evidence pack of an incident, inside a token budget.

A pack is made from templates, counts and a handful of quoted records, never from all lines of an incident: its cost
does not grow with the length of the log. Items are chosen by value until the budget is spent, the cheap ones filling
what the dear ones leave, and numbered in reading order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core import severity as levels
from core.domain import Anomaly, ChangeEvent, Citation, Evidence, Incident, LogRecord, Suspect
from core.findings import Detection
from core.stacktrace import StackTrace, parse
from rag.inert import inert

MAX_TEXT: Final = 600
"""Characters of one item; what is longer is cut with an ellipsis."""

MAX_TEMPLATES: Final = 40
MAX_RECORDS: Final = 120
LEAD: Final = timedelta(minutes=30)
"""Changes up to this long before the incident are worth an item."""

_ORDER: Final = ("timeline", "change", "template", "frame", "line")
_WILDCARD: Final = re.compile(r"<(?:[A-Z][A-Z0-9_]*|\*)>")


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One numbered piece of evidence. `id` is `E1`, `E2`, ...; `kind` is `timeline`, `change`, `template`, `frame` or
    `line`; `citations` are the records it stands on."""

    id: str
    kind: str
    text: str
    citations: tuple[Citation, ...] = ()
    timestamp: datetime | None = None
    service: str | None = None
    template_id: int | None = None


CROWDED: Final = 0.015
"""What each template before it takes off a template's value: the fortieth says less than when it happened does."""


@dataclass(frozen=True, slots=True)
class EvidencePack:
    """Items in reading order; `tokens` is their conservative cost, `omitted` how many did not fit."""

    items: tuple[EvidenceItem, ...]
    tokens: int
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    item: EvidenceItem
    value: float


def collect(
    incident: Incident,
    detection: Detection,
    suspects: Sequence[Suspect],
    token_budget: int,
    mask: Callable[[str], str] | None = None,
) -> EvidencePack:
    """The most useful evidence of an incident that fits the budget.

    `token_budget` is in tokens as `tokens` counts them, an upper estimate. A budget too small for anything gives an
    empty pack. `mask` hides what must not leave in whole records, before they are cut and taken apart: the value of
    `password=<*>`, standing alone, no longer looks like a secret.
    """
    records = _records(incident, detection, suspects)
    if mask is not None:
        records = {
            place: replace(record, body=mask(record.body), line=mask(record.line)) for place, record in records.items()
        }
    candidates = [
        *_timeline(incident, detection),
        *_changes(incident, detection),
        *_templates(incident, detection, records),
        *_frames(suspects, records),
        *_lines(incident, suspects, records),
    ]
    chosen: list[_Candidate] = []
    spent = 0
    for candidate in sorted(candidates, key=lambda each: -each.value):
        cost = tokens(rendered(replace(candidate.item, id="E99")))
        if spent + cost <= token_budget:
            chosen.append(candidate)
            spent += cost
    chosen.sort(key=_reading_order)
    items = tuple(replace(each.item, id=f"E{number}") for number, each in enumerate(chosen, start=1))
    return EvidencePack(items, spent, len(candidates) - len(chosen))


def rendered(item: EvidenceItem) -> str:
    """An item as a model reads it: one line of JSON."""
    value: dict[str, object] = {"id": item.id, "kind": item.kind}
    if item.timestamp is not None:
        value["time"] = item.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ")
    if item.service:
        value["service"] = item.service
    value["text"] = item.text
    return inert(value)


def tokens(text: str) -> int:
    """An upper estimate of a text's tokens: a third of its UTF-8 bytes. Log text full of ids runs near that bound."""
    return len(text.encode("utf-8", "replace")) // 3 + 1


def _reading_order(candidate: _Candidate) -> tuple[int, float, tuple[Citation, ...]]:
    item = candidate.item
    moment = item.timestamp.timestamp() if item.timestamp is not None else 0.0
    return _ORDER.index(item.kind), moment, item.citations


def _records(incident: Incident, detection: Detection, suspects: Sequence[Suspect]) -> dict[Citation, LogRecord]:
    """The records that evidence and examples point at, read at once."""
    places = [entry.citation for suspect in suspects for entry in suspect.evidence]
    places += [entry.citation for anomaly in incident.anomalies for entry in anomaly.examples[:3]]
    return dict(detection.reader.read(list(dict.fromkeys(places))[:MAX_RECORDS]))


def _timeline(incident: Incident, detection: Detection) -> Iterator[_Candidate]:
    """When trouble was told, slice by slice, around the incident."""
    slices = []
    for bucket in detection.timeline:
        trouble = sum(bucket.counts.get(name, 0) for name in ("ERROR", "FATAL"))
        warnings = bucket.counts.get("WARN", 0)
        if bucket.start is not None and trouble + warnings:
            slices.append((bucket.start, trouble, warnings))
    if not slices:
        return
    if incident.starts_at is not None:
        start = incident.starts_at
        slices.sort(key=lambda each: abs((each[0] - start).total_seconds()))
    told = sorted(slices[:16])
    text = "; ".join(f"{moment:%H:%M:%S} {trouble} errors {warnings} warnings" for moment, trouble, warnings in told)
    span = (
        f"incident {incident.starts_at:%Y-%m-%d %H:%M:%S} to {incident.ends_at:%H:%M:%S}; " if _timed(incident) else ""
    )
    yield _Candidate(EvidenceItem("", "timeline", span + text, (), incident.starts_at), 0.55)


def _timed(incident: Incident) -> bool:
    return incident.starts_at is not None and incident.ends_at is not None


def _changes(incident: Incident, detection: Detection) -> Iterator[_Candidate]:
    known = {change.evidence.citation: change for change in (*incident.changes, *detection.changes)}
    for change in known.values():
        value = _change_value(change, incident)
        if value > 0.0:
            entry = change.evidence
            text = _cut(f"{change.kind.value}: {entry.text}")
            item = EvidenceItem(
                "", "change", text, (entry.citation,), change.timestamp, change.service, entry.template_id
            )
            yield _Candidate(item, value)


def _change_value(change: ChangeEvent, incident: Incident) -> float:
    related = 0.2 if change.service in incident.services else 0.0
    if change.timestamp is None or incident.starts_at is None:
        return 0.3 + related
    ahead = incident.starts_at - change.timestamp
    if ahead > LEAD or (incident.ends_at is not None and change.timestamp > incident.ends_at):
        return 0.0
    return 0.5 + related if ahead > timedelta(seconds=-90) else 0.2 + related


def _templates(incident: Incident, detection: Detection, records: dict[Citation, LogRecord]) -> Iterator[_Candidate]:
    """What is new or different, with counts against before and the values that its parameters took."""
    for rank, anomaly in enumerate(incident.anomalies[:MAX_TEMPLATES]):
        messages = [records[place].body for entry in anomaly.examples if (place := entry.citation) in records]
        values = _parameters(anomaly.template, messages)
        parts = [f"{anomaly.kind.value}: {anomaly.template}", anomaly.why]
        if values:
            parts.append("values: " + "; ".join(values))
        weight = 0.35 + 0.3 * anomaly.score + (0.15 if anomaly.severity >= levels.ERROR else 0.0) - CROWDED * rank
        item = EvidenceItem(
            "",
            "template",
            _cut(" | ".join(part for part in parts if part)),
            tuple(entry.citation for entry in anomaly.examples[:3]),
            anomaly.first_seen,
            anomaly.service,
            anomaly.template_id,
        )
        yield _Candidate(item, min(weight, 0.85))


def _parameters(template: str, messages: Sequence[str]) -> list[str]:
    """`<IP> 10.0.0.1, 10.0.0.2` for each word of a template that holds a wildcard, from the messages of its shape."""
    words = template.split()
    places = [place for place, word in enumerate(words) if _WILDCARD.search(word)]
    if not places or len(words) > 60:
        return []
    seen: dict[int, dict[str, None]] = {place: {} for place in places[:12]}
    for message in messages:
        told = message.split("\n", 1)[0][:2_000].split()
        if len(told) == len(words):
            for place, values in seen.items():
                values.setdefault(_inside(words[place], told[place])[:80])
    return [f"{_name(words[place])} {', '.join(list(values)[:3])}" for place, values in seen.items() if values]


def _name(word: str) -> str:
    return " ".join(_WILDCARD.findall(word))


def _inside(word: str, value: str) -> str:
    """What stands at a word's one wildcard; the whole value where it has several."""
    before, *rest = _WILDCARD.split(word)
    if len(rest) == 1 and value.startswith(before) and value.endswith(rest[0]):
        return value[len(before) : len(value) - len(rest[0])] or value
    return value


def _frames(suspects: Sequence[Suspect], records: dict[Citation, LogRecord]) -> Iterator[_Candidate]:
    """The stack traces behind suspects: exception and own frames, the deepest first."""
    done: set[str] = set()
    for rank, suspect in enumerate(suspects[:6]):
        for entry in suspect.evidence[:2]:
            record = records.get(entry.citation)
            if record is None:
                continue
            for trace in parse(record.body)[:2]:
                text = _cut(_trace(trace))
                if text not in done:
                    done.add(text)
                    item = EvidenceItem(
                        "", "frame", text, (record.citation,), record.timestamp, suspect.service, record.template_id
                    )
                    yield _Candidate(item, 0.9 - 0.08 * rank)


def _trace(trace: StackTrace) -> str:
    head = trace.exception or trace.language
    if trace.message:
        head += f": {trace.message}"
    own = [frame for frame in reversed(trace.frames) if frame.own][:6] or list(reversed(trace.frames))[:3]
    calls = "; ".join(f"{frame.function or '?'} ({frame.file}:{frame.line})" for frame in own)
    return f"{head} | own frames, deepest first: {calls}"


def _lines(incident: Incident, suspects: Sequence[Suspect], records: dict[Citation, LogRecord]) -> Iterator[_Candidate]:
    """Quoted lines: what suspects stand on, then examples of anomalies."""
    done: set[Citation] = set()
    for rank, suspect in enumerate(suspects):
        for order, entry in enumerate(suspect.evidence):
            if entry.citation not in done:
                done.add(entry.citation)
                yield _Candidate(_quoted(entry, records), 0.95 - 0.09 * rank - 0.05 * order)
    for anomaly in incident.anomalies[:MAX_TEMPLATES]:
        for order, entry in enumerate(anomaly.examples[:2]):
            if entry.citation not in done:
                done.add(entry.citation)
                yield _Candidate(_quoted(entry, records), _example_value(anomaly) - 0.1 * order)


def _example_value(anomaly: Anomaly) -> float:
    return 0.25 + 0.25 * anomaly.score + (0.1 if anomaly.severity >= levels.ERROR else 0.0)


def _quoted(entry: Evidence, records: dict[Citation, LogRecord]) -> EvidenceItem:
    record = records.get(entry.citation)
    text = record.line if record is not None else entry.text
    return EvidenceItem("", "line", _cut(text), (entry.citation,), entry.timestamp, entry.service, entry.template_id)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
