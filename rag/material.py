"""The evidence pack as a model sees it: masked, numbered, delimited, one JSON object a line.

Log text is hostile. Each item is a JSON string in which `<` and `>` are escaped, so nothing inside can close the
delimiter or start another; whatever it says stays inside its own quotes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from core.domain import RuledOut, SimilarIncident, Suspect
from core.wording import times
from rag.budget import estimate_tokens
from rag.evidence import EvidenceItem, EvidencePack, rendered

ADDED_SHARE: Final = 0.4
"""The most of a budget that is kept for what code and memory add: the lines of a long incident would fill all of it."""


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
        lines = [rendered(item) for item in self.items.values()]
        return "\n".join(("<evidence>", *lines, "</evidence>"))


@dataclass(frozen=True, slots=True)
class Added:
    """What code and memory add to the evidence of the logs, the most useful first."""

    suspects: Sequence[Suspect] = ()
    ruled_out: Sequence[RuledOut] = ()
    similar: Sequence[SimilarIncident] = ()
    passages: Sequence[Passage] = ()

    def items(self) -> Iterator[tuple[EvidenceItem, SimilarIncident | None]]:
        """The items, without ids, each with the past incident behind it."""
        similar = [(EvidenceItem("", "similar", _past(past)), past) for past in self.similar[:5]]
        suspects = [(EvidenceItem("", "suspect", _suspect(s), service=s.service), None) for s in self.suspects[:5]]
        passages = [(EvidenceItem("", "runbook", f"{each.title}: {each.text}"), None) for each in self.passages[:3]]
        yield from (*similar[:2], *suspects[:3], *passages[:1], *similar[2:], *passages[1:], *suspects[3:])
        yield from ((EvidenceItem("", "ruled_out", f"{each.what}: {each.why}"), None) for each in self.ruled_out[:5])

    def share(self, token_budget: int) -> int:
        """Tokens of a budget to keep for these items: what they need, at most `ADDED_SHARE` of it."""
        needed = sum(estimate_tokens(rendered(replace(item, id="E99"))) for item, _ in self.items())
        return min(needed, int(token_budget * ADDED_SHARE))


def assemble(pack: EvidencePack, masker: Masker, added: Added, *, token_budget: int) -> Material:
    """The pack with what code and memory add to it, masked, inside the budget. What does not fit is left out whole."""
    numbered = [(item, None) for item in pack.items] + [
        (replace(item, id=f"E{number}"), past) for number, (item, past) in enumerate(added.items(), len(pack.items) + 1)
    ]
    items: dict[str, EvidenceItem] = {}
    past_incidents: dict[str, SimilarIncident] = {}
    left = token_budget
    for item, past_incident in numbered:
        masked = replace(item, text=masker.mask(item.text), service=item.service and masker.mask(item.service))
        cost = estimate_tokens(rendered(masked))
        if cost > left:
            continue
        left -= cost
        items[masked.id] = masked
        if past_incident is not None:
            past_incidents[masked.id] = past_incident
    return Material(items, past_incidents)


def _suspect(suspect: Suspect) -> str:
    return f"{suspect.cause} (score {suspect.score:.2f}; {suspect.kind}: {suspect.why})"


def _past(past: SimilarIncident) -> str:
    parts = [f"past incident {past.id}, seen {times(past.times_seen)}", past.title]
    if past.cause:
        parts.append(f"{'cause' if past.confirmed else 'suspected, never confirmed'}: {past.cause}")
    if past.fix:
        parts.append(f"fix: {past.fix}")
    if past.outcome:
        parts.append(f"outcome: {past.outcome}")
    return "; ".join(parts)
