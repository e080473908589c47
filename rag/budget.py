"""What may be spent on models: a hard cap on tokens per incident and per day, and on money per day."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from core.chat import ChatReply, ChatRequest, DailyUsage, Usage
from core.errors import PermanentError
from core.ports import UsageLedger


@dataclass(frozen=True, slots=True)
class Caps:
    """Hard caps. Prices are US dollars per million tokens; None where unknown. The cost caps (US dollars) need both."""

    incident_tokens: int
    daily_tokens: int
    incident_cost: float | None = None
    daily_cost: float | None = None
    input_price: float | None = None
    output_price: float | None = None

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars; None where no price is set."""
        if self.input_price is None or self.output_price is None:
            return None
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1e6


def estimate_tokens(text: str) -> int:
    """A cautious estimate: three UTF-8 bytes a token, which no usual tokenizer exceeds on prose or logs."""
    return -(-len(text.encode()) // 3)


class OverCapError(PermanentError):
    """A request would pass a cap: it may not be sent."""


class MemoryLedger:
    """A ledger for one process, where no state is kept."""

    def __init__(self) -> None:
        self._days: dict[date, Usage] = {}

    def add(self, day: date, model: str, usage: Usage) -> None:
        """Adds to a day's account."""
        self._days[day] = self._days.get(day, Usage()) + usage

    def spent(self, day: date) -> DailyUsage:
        """The day's account."""
        return DailyUsage(day, self._days.get(day, Usage()))


@dataclass
class Budget:
    """The account of one incident. A request is charged in full before it is sent, as far as it may go, and the rest is
    given back when the real counts are known: an endpoint that fails without an answer stays charged."""

    caps: Caps
    ledger: UsageLedger
    clock: Callable[[], datetime]
    used: Usage = field(default_factory=Usage)

    def charge(self, request: ChatRequest, model: str) -> Usage:
        """Charges the most that a request may cost; returns it for `settle`.

        Raises OverCapError where a cap would be passed; nothing is charged then. It is booked first and looked at
        then: of processes that share an account, none passes a cap because it did not see what another one booked.
        """
        most = self._most(request)
        if self.used.tokens + most.tokens > self.caps.incident_tokens:
            raise OverCapError(
                f"the cap of {self.caps.incident_tokens:,} tokens per incident: {self.used.tokens:,} used, "
                f"up to {most.tokens:,} more needed"
            )
        capped = self.caps.daily_cost is not None or self.caps.incident_cost is not None
        if capped and most.cost_usd is None:
            raise OverCapError("a cost cap without llm_input_price and llm_output_price: the cost cannot be known")
        cost = (self.used.cost_usd or 0.0) + (most.cost_usd or 0.0)
        if self.caps.incident_cost is not None and cost > self.caps.incident_cost:
            raise OverCapError(
                f"the cap of ${self.caps.incident_cost:g} per incident: ${self.used.cost_usd or 0.0:.4f} used, "
                f"up to ${most.cost_usd or 0.0:.4f} more needed"
            )
        self._book(model, most)
        refusal = self._over_the_day(most)
        if refusal is not None:
            self._book(model, _minus(most))
            raise OverCapError(refusal)
        return most

    def _over_the_day(self, booked: Usage) -> str | None:
        today = self.ledger.spent(self._today()).usage
        if today.tokens > self.caps.daily_tokens:
            return (
                f"the cap of {self.caps.daily_tokens:,} tokens per day: {today.tokens - booked.tokens:,} used, "
                f"up to {booked.tokens:,} more needed"
            )
        cost = today.cost_usd or 0.0
        if self.caps.daily_cost is not None and cost > self.caps.daily_cost:
            more = booked.cost_usd or 0.0
            return (
                f"the cap of ${self.caps.daily_cost:g} per day: ${cost - more:.4f} used, up to ${more:.4f} more needed"
            )
        return None

    def settle(self, charged: Usage, reply: ChatReply) -> None:
        """Replaces a charge by the real counts."""
        cost = self.caps.cost(reply.input_tokens, reply.output_tokens)
        difference = Usage(
            reply.input_tokens - charged.input_tokens,
            reply.output_tokens - charged.output_tokens,
            None if cost is None or charged.cost_usd is None else cost - charged.cost_usd,
        )
        self._book(reply.model, difference)

    def _book(self, model: str, usage: Usage) -> None:
        self.used = self.used + usage
        self.ledger.add(self._today(), model, usage)

    def _most(self, request: ChatRequest) -> Usage:
        texts = (request.system, request.user, json.dumps(request.schema, ensure_ascii=False))
        tokens = sum(map(estimate_tokens, texts)) + 50
        return Usage(tokens, request.max_output_tokens, self.caps.cost(tokens, request.max_output_tokens))

    def _today(self) -> date:
        return self.clock().date()


def _minus(usage: Usage) -> Usage:
    return Usage(-usage.input_tokens, -usage.output_tokens, None if usage.cost_usd is None else -usage.cost_usd)
