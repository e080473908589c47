"""What the tests of the analyst share: an incident, a masker that masks nothing, a model that says what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core import severity as levels
from core.chat import ChatReply, ChatRequest
from core.domain import Evidence, SimilarIncident, Suspect, SuspectKind
from core.testing import MemoryLog, record
from rag.analyst import Subject
from rag.budget import Budget, Caps, MemoryLedger
from rag.material import Passage

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class NoMasker:
    """A masker that masks nothing: these tests look at what happens to text that is not masked."""

    def mask(self, text: str) -> str:
        return text

    def restore(self, text: str) -> str:
        return text


@dataclass
class ScriptedModel:
    """A model in this process that says what a function makes of the request (`core.ports.ChatModel`)."""

    script: Callable[[ChatRequest], str]
    name: str = "scripted"
    finish: str = "stop"
    requests: list[ChatRequest] = field(default_factory=list)

    def reply(
        self,
        request: ChatRequest,
        on_text: Callable[[str], None] | None = None,
        on_retry: Callable[[bool], None] | None = None,
    ) -> ChatReply:
        self.requests.append(request)
        return ChatReply(self.script(request), self.finish, 900, 100, self.name)  # type: ignore[arg-type]


def log(extra: str = "order 77 failed", service: str = "checkout") -> MemoryLog:
    """Checkout is fine for ten minutes, then payment's pool is exhausted and checkout fails."""
    lines = [record(f"INFO order {n} placed", n, seconds=10.0 * n, service="checkout") for n in range(1, 61)]
    lines.append(
        record("ERROR payment: connection pool exhausted, 10 of 10 in use", 61, seconds=610, severity=levels.ERROR,
               service="payment")
    )  # fmt: skip
    lines += [
        record(f"ERROR checkout: call to payment timed out after {30 + n} s", 61 + n, seconds=611.0 + n,
               severity=levels.ERROR, service="checkout")
        for n in range(1, 6)
    ]  # fmt: skip
    lines.append(record(extra, 67, seconds=617, severity=levels.ERROR, service=service))
    return MemoryLog(tuple(lines))


def subject(
    memory: MemoryLog | None = None,
    similar: tuple[SimilarIncident, ...] = (),
    passages: tuple[Passage, ...] = (),
    question: str | None = None,
) -> Subject:
    """The incident of a log, with the suspect that code would rank first."""
    memory = memory or log()
    incident = memory.incident(605)
    lines = tuple(
        Evidence(r.source, r.position, r.timestamp, r.line, service=r.service, template_id=r.template_id)
        for r in memory.records[60:]
    )
    suspect = Suspect(SuspectKind.EXHAUSTION, 0.8, "payment's connection pool is exhausted", "10 of 10 in use",
                      service="payment", evidence=lines)  # fmt: skip
    return Subject(
        incident, memory.detection(incident), (suspect,), (), similar, passages, ("look at payment",), question
    )


def budget(**caps: Any) -> Budget:
    """An account with roomy caps."""
    return Budget(Caps(**{"incident_tokens": 100_000, "daily_tokens": 1_000_000, **caps}), MemoryLedger(), lambda: NOW)


def evidence(request: ChatRequest) -> list[dict[str, Any]]:
    """The items that a request carries, as a model reads them."""
    block = request.user.split("<evidence>\n", 1)[1].split("\n</evidence>", 1)[0]
    return [json.loads(line) for line in block.split("\n") if line]


def item_with(request: ChatRequest, words: str, kind: str | None = None) -> dict[str, Any]:
    """The first item whose text holds some words."""
    return next(i for i in evidence(request) if words in i["text"] and kind in (None, i["kind"]))


def hypothesis(item: dict[str, Any], quote: str, **fields: Any) -> dict[str, Any]:
    """A hypothesis that quotes one item."""
    return {
        "cause": "payment's connection pool is exhausted",
        "service": "payment",
        "component": None,
        "category": "resource",
        "confidence": 0.9,
        "supporting": [{"id": item["id"], "quote": quote}],
        "contradicting": [],
        **fields,
    }


def reply(*hypotheses: dict[str, Any], **fields: Any) -> str:
    """A whole reply as JSON."""
    return json.dumps(
        {"verdict": "new_cause", "summary": "The pool is exhausted.", "hypotheses": list(hypotheses), **fields}
    )
