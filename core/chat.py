"""What is said to a language model and what comes back: plain values, no vendor's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a model.

    `system` holds the rules, `user` the delimited material; `schema` is the JSON schema of the reply, `name` its name
    (letters, digits and underscores), `max_output_tokens` the longest reply.
    """

    system: str
    user: str
    name: str
    schema: Mapping[str, Any]
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model said. `finish` is why it stopped: `length` means that the text is cut.

    Token counts are the endpoint's, or an estimate (`estimated`) where it gives none.
    """

    text: str
    finish: Literal["stop", "length", "refusal"]
    input_tokens: int
    output_tokens: int
    model: str
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """What was spent on models; `cost_usd` is None where no price is set."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None

    @property
    def tokens(self) -> int:
        """Tokens in and out."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Usage of one UTC day."""

    day: date
    usage: Usage
