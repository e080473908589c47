"""What a model is asked to reply, as types, and how a reply is read: strictly in meaning, leniently in form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.domain import Category, Verdict

T = TypeVar("T", bound=BaseModel)

_THOUGHTS: Final = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_MAX_OBJECTS: Final = 100
"""Braces of one text at which an object is looked for."""
_LONGEST: Final = 2000
"""Characters of one text field; the rest is cut."""


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Quote(_Reply):
    """A piece of an evidence item, word for word."""

    id: str = Field(description="id of an evidence item, such as E3")
    quote: str = Field(description="words copied from that item, at least four characters")


class HypothesisReply(_Reply):
    """A possible cause. Each claim in `cause` must follow from the quotes in `supporting`."""

    cause: str = Field(description="what broke, in one sentence")
    service: str | None = Field(default=None, description="the service at fault, as the evidence names it")
    component: str | None = Field(
        default=None, description="file, host, table, pod ... at fault, as the evidence names it"
    )
    function: str | None = Field(default=None, description="function at fault, as a stack frame names it")
    category: Category | None = None
    fault_type: str | None = Field(default=None, description="short label such as dependency_down")
    confidence: float = Field(default=0.0, description="0 to 1")
    supporting: list[Quote] = Field(default_factory=list)
    contradicting: list[Quote] = Field(default_factory=list, description="evidence against this cause")
    confirm_by: str = Field(default="", description="a read-only check that would confirm or refute it")

    @field_validator("confidence", mode="before")
    @classmethod
    def _share(cls, value: object) -> float:
        try:
            number = float(str(value).rstrip("%"))
        except ValueError:
            return 0.0
        if 1.0 < number <= 100.0:
            number /= 100.0
        return number if 0.0 <= number <= 1.0 else 0.0  # also for nan

    @field_validator("category", mode="before")
    @classmethod
    def _known_category(cls, value: object) -> object:
        return value if isinstance(value, str) and value in set(Category) else None


class RuledOutReply(_Reply):
    """Something that is not the cause."""

    what: str
    why: str
    evidence: list[str] = Field(default_factory=list, description="ids of evidence items")


class AnalysisReply(_Reply):
    """The analysis of one incident."""

    verdict: Verdict
    summary: str = Field(description="two or three sentences for the person on call")
    hypotheses: list[HypothesisReply] = Field(default_factory=list, description="best first, at most five")
    ruled_out: list[RuledOutReply] = Field(default_factory=list)
    next_steps: list[str] = Field(default_factory=list, description="what to do next, read-only checks first")
    similar_used: list[str] = Field(default_factory=list, description="ids of past incidents that the cause rests on")


class ReviewReply(_Reply):
    """A second look at one hypothesis."""

    hypothesis: int = Field(description="its number, from 1")
    confidence: float = Field(description="0 to 1; only a lower one counts")
    objection: str = ""


class SecondOpinionReply(_Reply):
    """A second look at an analysis."""

    reviews: list[ReviewReply]


def json_schema(reply: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a reply in the form that strict structured output takes: every property is required, no other
    is allowed (OpenAI, "Structured Outputs: supported schemas")."""
    schema = reply.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["required"] = list(part["properties"])
            part["additionalProperties"] = False
            for value in part["properties"].values():
                value.pop("default", None)
    return schema


def parse(text: str, reply: type[T]) -> T:
    """The reply in a model's text: plain JSON, JSON in a code fence, or JSON among other words or after thoughts.

    Raises ValueError that says what is wrong, in words that can be shown to the model.
    """
    problem = "the reply holds no JSON object"
    for value in _objects(_THOUGHTS.sub("", text)):
        try:
            return reply.model_validate(_clipped(value))
        except ValidationError as exc:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()[:5])
            problem = f"the JSON does not fit the schema: {problems}"
    raise ValueError(problem)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost first."""
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


def _clipped(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if depth > 6:
        return None
    if isinstance(value, list):
        return [_clipped(item, depth + 1) for item in value[:50]]
    if isinstance(value, dict):
        return {key: _clipped(item, depth + 1) for key, item in value.items()}
    return value
