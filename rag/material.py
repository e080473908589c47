"""The evidence pack as a model sees it: masked, numbered, delimited, one JSON object a line.

Log text is hostile. Each item is a JSON string in which `<` and `>` are escaped, so nothing inside can close the
delimiter or start another; whatever it says stays inside its own quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.domain import RuledOut, SimilarIncident, Suspect
from core.wording import times
from rag.budget import estimate_tokens
from rag.evidence import EvidenceItem, EvidencePack


class Masker(Protocol):
    """Masks personal data and secrets, the same value by the same mask, and takes it back (`core.redaction`)."""

    def mask(self, text: str) -> str:
        """The text with typed masks (`<EMAIL_1>`)."""
        ...

    def restore(self, text: str) -> str:
        """The text with the masks of this session replaced by what they stand for. For local output only."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a runbook or postmortem that fits the incident."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """Evidence as it is sent: masked items, by id in `items`, and the past incidents behind `similar` items."""

    items: Mapping[str, EvidenceItem]
    similar: Mapping[str, SimilarIncident]

    def rendered(self) -> str:
        """The delimited block."""
        lines = [_line(item) for item in self.items.values()]
        return "\n".join(("<evidence>", *lines, "</evidence>"))


def assemble(
    pack: EvidencePack,
    masker: Masker,
    *,
    suspects: Sequence[Suspect] = (),
    ruled_out: Sequence[RuledOut] = (),
    similar: Sequence[SimilarIncident] = (),
    passages: Sequence[Passage] = (),
    token_budget: int,
) -> Material:
    """The pack with what code and memory add to it, masked, inside the budget: evidence first, then similar incidents,
    suspects, passages, what was ruled out. Items that do not fit are left out whole."""
    added: list[tuple[EvidenceItem, SimilarIncident | None]] = [(item, None) for item in pack.items]
    number = len(pack.items)

    def add(kind: str, text: str, past: SimilarIncident | None = None, service: str | None = None) -> None:
        nonlocal number
        number += 1
        added.append((EvidenceItem(f"E{number}", kind, text, service=service), past))

    for past in similar[:5]:
        add("similar", _past(past), past)
    for suspect in suspects[:5]:
        add(
            "suspect",
            f"{suspect.cause} (score {suspect.score:.2f}; {suspect.kind}: {suspect.why})",
            service=suspect.service,
        )
    for passage in passages[:3]:
        add("runbook", f"{passage.title}: {passage.text}")
    for excluded in ruled_out[:5]:
        add("ruled_out", f"{excluded.what}: {excluded.why}")

    items: dict[str, EvidenceItem] = {}
    past_incidents: dict[str, SimilarIncident] = {}
    left = token_budget
    for item, past_incident in added:
        masked = replace(item, text=masker.mask(item.text), service=item.service and masker.mask(item.service))
        cost = estimate_tokens(_line(masked))
        if cost > left:
            continue
        left -= cost
        items[masked.id] = masked
        if past_incident is not None:
            past_incidents[masked.id] = past_incident
    return Material(items, past_incidents)


def _past(past: SimilarIncident) -> str:
    parts = [f"past incident {past.id}, seen {times(past.times_seen)}", past.title]
    if past.cause:
        parts.append(f"{'cause' if past.confirmed else 'suspected, never confirmed'}: {past.cause}")
    if past.fix:
        parts.append(f"fix: {past.fix}")
    if past.outcome:
        parts.append(f"outcome: {past.outcome}")
    return "; ".join(parts)


def _line(item: EvidenceItem) -> str:
    value: dict[str, object] = {"id": item.id, "kind": item.kind}
    if item.timestamp is not None:
        value["time"] = item.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ")
    if item.service:
        value["service"] = item.service
    value["text"] = item.text
    return inert(value)


def inert(value: object) -> str:
    """JSON in which no delimiter can occur: `<`, `>` and everything that ends a line or hides text is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return _ACTIVE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}" if match[0].isascii() else json.dumps(match[0])[1:-1]


_ACTIVE = re.compile(
    "[<>\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""Also what no one sees and a model reads: soft hyphens, variation selectors, Unicode's tags."""
