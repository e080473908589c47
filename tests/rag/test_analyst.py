"""The analyst over a real HTTP endpoint: whatever it does, there is an analysis, and the caps hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from rag_analysis import NOW, NoMasker, ScriptedModel, budget, evidence, hypothesis, item_with, log, reply, subject
from services.openai_server import Say, Script, in_turn, openai_server

from core import severity as levels
from core.chat import ChatRequest, Usage
from core.domain import SimilarIncident, Verdict
from core.findings import TimelineBucket
from core.testing import MemoryLog, record
from rag.analyst import Analyst, AnalystOptions
from rag.budget import Budget, Caps, MemoryLedger, OverCapError
from rag.chain import OpenAICompatible
from rag.material import Passage
from rag.replies import AnalysisReply, json_schema, parse

POOL = "connection pool exhausted"


def good(body: dict[str, Any]) -> str:
    request = ChatRequest("", body["messages"][1]["content"], "analysis", {}, 0)
    return reply(hypothesis(item_with(request, POOL, "line"), POOL))


def endpoint(url: str) -> OpenAICompatible:
    return OpenAICompatible(
        model="test-model", base_url=url, api_key=SecretStr("k"), timeout=0.7, retries=1, sleep=lambda _: None
    )


@pytest.mark.integration
def test_a_good_reply_becomes_the_analysis() -> None:
    with openai_server(lambda body: Say(good(body))) as server:
        analysis = Analyst(endpoint(server.url), NoMasker).explain(subject(), budget())
    assert analysis.verdict is Verdict.NEW_CAUSE
    assert analysis.model == "test-model"
    assert (analysis.input_tokens, analysis.output_tokens) == (1000, 200)


@pytest.mark.integration
@pytest.mark.parametrize(
    "wrapping",
    ["```json\n{}\n```", "Here you are:\n{}\nSay if {you} need more!", '<think>{"a": 1}</think>{}', "{}"],
)
def test_json_is_found_among_other_words(wrapping: str) -> None:
    with openai_server(lambda body: Say(wrapping.replace("{}", good(body)))) as server:
        analysis = Analyst(endpoint(server.url), NoMasker).explain(subject(), budget())
    assert analysis.model == "test-model" and len(analysis.hypotheses) == 1


@pytest.mark.integration
def test_tries_that_broke_off_count_against_the_caps() -> None:
    with openai_server(in_turn(Say("x", cut=True))) as server:
        model = OpenAICompatible(
            model="m", base_url=server.url, api_key=None, timeout=5, retries=9, sleep=lambda _: None
        )
        account = budget(incident_tokens=8000)
        analysis = Analyst(model, NoMasker).explain(subject(), account)
        assert 1 <= len(server.requests) <= 3
    assert account.used.tokens <= 8000
    assert "per incident" in analysis.dropped[0]


@pytest.mark.integration
def test_a_malformed_reply_is_asked_for_once_more() -> None:
    calls: list[dict[str, Any]] = []

    def script(body: dict[str, Any]) -> Say:
        calls.append(body)
        return Say('{"verdict": "new_cause", "summary": ') if len(calls) == 1 else Say(good(body))

    with openai_server(script) as server:
        analysis = Analyst(endpoint(server.url), NoMasker).explain(subject(), budget())
    assert len(calls) == 2
    assert "refused" in calls[1]["messages"][1]["content"]
    assert analysis.model == "test-model" and len(analysis.hypotheses) == 1


@pytest.mark.integration
@pytest.mark.parametrize(
    ("script", "message"),
    [
        (in_turn(Say("not json at all")), "no JSON"),
        (in_turn(Say('{"verdict": "perhaps", "summary": 1}')), "does not fit the schema"),
        (in_turn(Say('["a list"]')), "no JSON object"),
        (in_turn(Say(refusal="no")), "refused to answer"),
        (in_turn(Say("{", finish="length")), "cut at"),
        (in_turn(Say("x", cut=True)), "middle"),
        (in_turn(Say("busy", status=429, headers={"retry-after": "900"})), "900 s"),
        (in_turn(Say("broken", status=500)), "500"),
        (in_turn(Say("bad key", status=401)), "CALI_LLM_API_KEY"),
        (in_turn(Say(stall=20)), "in time|longer than"),
        (in_turn(Say(drip=True)), "longer than|in time"),
        (in_turn(Say(close=True)), "broke off"),
    ],
    ids=["words", "wrong schema", "list", "refusal", "truncation", "cut", "429", "500", "401", "hang", "drip", "close"],
)
def test_whatever_fails_the_analysis_without_a_model_stands_and_says_so(script: Script, message: str) -> None:
    import re

    with openai_server(script) as server:
        analysis = Analyst(endpoint(server.url), NoMasker).explain(subject(), budget())
    assert analysis.model is None
    assert analysis.hypotheses[0].cause == "payment's connection pool is exhausted"
    assert re.search(message, " ".join(analysis.dropped)), analysis.dropped


def test_without_a_model_a_strong_suspect_is_a_cause_and_a_weak_one_is_not() -> None:
    about = subject()
    analyst = Analyst(None, NoMasker)
    assert analyst.explain(about).verdict is Verdict.NEW_CAUSE
    weak = replace(about, suspects=(replace(about.suspects[0], score=0.2),))
    analysis = analyst.explain(weak)
    assert analysis.verdict is Verdict.INCONCLUSIVE
    assert analysis.summary.startswith("Not enough evidence")
    assert analyst.explain(replace(about, suspects=())).hypotheses == ()


def test_without_a_model_only_a_confirmed_past_cause_is_a_known_cause() -> None:
    past = SimilarIncident(
        "past-1", "payment down", 0.9, ("dense",), 3, NOW, "the pool was too small", "raise it", None
    )
    analyst = Analyst(None, NoMasker)
    assert analyst.explain(subject(similar=(past,))).verdict is Verdict.NEW_CAUSE
    told = replace(past, confirmed=True, same_cause=0.69)
    assert analyst.explain(subject(similar=(told,))).verdict is Verdict.NEW_CAUSE
    analysis = analyst.explain(subject(similar=(replace(told, same_cause=0.7),)))
    assert analysis.verdict is Verdict.KNOWN_CAUSE
    assert "past-1" in analysis.summary and "raise it" in analysis.summary


def test_caps_are_hard() -> None:
    model = ScriptedModel(lambda r: reply())
    analyst = Analyst(model, NoMasker)
    for caps, message in (
        ({"incident_tokens": 1000}, "per incident"),
        ({"daily_tokens": 1000}, "per day"),
        ({"daily_cost": 0.001, "input_price": 10.0, "output_price": 10.0}, r"$0.001 per day"),
        ({"incident_cost": 0.001, "input_price": 10.0, "output_price": 10.0}, r"$0.001 per incident"),
        ({"daily_cost": 1.0}, "cannot be known"),
    ):
        analysis = analyst.explain(subject(), budget(**caps))
        assert any(message in reason for reason in analysis.dropped), message
        assert analysis.model is None
    assert model.requests == []


def test_the_daily_account_outlives_one_incident_and_ends_with_the_day() -> None:
    ledger = MemoryLedger()
    now = [datetime(2026, 3, 2, 23, 59, tzinfo=UTC)]
    caps = Caps(incident_tokens=50_000, daily_tokens=6_000, input_price=1.0, output_price=2.0)
    model = ScriptedModel(lambda r: reply())
    analyst = Analyst(model, NoMasker, AnalystOptions(max_output_tokens=500))
    account = Budget(caps, ledger, lambda: now[0])
    analysis = analyst.explain(subject(), account)
    assert analysis.cost_usd == pytest.approx((900 * 1.0 + 100 * 2.0) / 1e6)
    assert ledger.spent(now[0].date()).usage.tokens == 1000
    for _ in range(10):
        analyst.explain(subject(), Budget(caps, ledger, lambda: now[0]))
    spent = ledger.spent(now[0].date()).usage.tokens
    assert spent <= 6_000
    asked = len(model.requests)
    now[0] += timedelta(minutes=5)
    analyst.explain(subject(), Budget(caps, ledger, lambda: now[0]))
    assert len(model.requests) == asked + 1


class RivalLedger(MemoryLedger):
    """An account in which another process books the same as we do, at the same moment."""

    def add(self, day: date, model: str, usage: Usage) -> None:
        super().add(day, model, usage)
        if usage.tokens > 0:
            super().add(day, "rival", usage)


def test_a_cap_holds_against_what_another_process_books_meanwhile() -> None:
    ledger = RivalLedger()
    request = ChatRequest("", "x" * 9_000, "analysis", {}, 1_000)
    account = Budget(Caps(incident_tokens=50_000, daily_tokens=7_000), ledger, lambda: NOW)
    with pytest.raises(OverCapError, match="per day"):
        account.charge(request, "m")
    assert account.used.tokens == 0
    assert 0 < ledger.spent(NOW.date()).usage.tokens < 7_000  # the rival's alone


def test_a_request_that_failed_stays_charged() -> None:
    from core.errors import RetryableError

    def fail(_: ChatRequest) -> str:
        raise RetryableError("gone")

    account = budget()
    analysis = Analyst(ScriptedModel(fail), NoMasker).explain(subject(), account)
    assert account.used.tokens > 1000
    assert analysis.input_tokens == account.used.input_tokens


def test_the_prompt_is_exactly_what_is_sent() -> None:
    model = ScriptedModel(lambda r: reply())
    analyst = Analyst(model, NoMasker)
    about = subject(question="why did checkout fail?")
    analyst.explain(about, budget())
    assert model.requests == [analyst.prompt(about)]
    assert "why did checkout fail?" in model.requests[0].user


def test_a_long_incident_fits_a_small_pack() -> None:
    base = log()
    tail = base.records[60:]
    many = [replace(r, position=1000 + n) for n in range(3000) for r in tail]
    about = subject(MemoryLog((*base.records, *many)))
    request = Analyst(ScriptedModel(lambda r: reply()), NoMasker, AnalystOptions(evidence_tokens=4000)).prompt(about)
    assert len(request.user.encode()) / 3 < 4200
    assert any(POOL in item["text"] for item in evidence(request))


def test_a_storm_leaves_room_for_when_it_happened_and_for_what_memory_and_code_know() -> None:
    base = log()
    words = [f"{a}{b}" for a in ("disk", "queue", "cache", "index", "lease", "shard", "route") for b in "abcdefg"]
    storm = [
        record(f"ERROR payment: the {word} handler gave up because of its {word} peer " * 4, 1000 + n,
               seconds=612.0 + n, severity=levels.ERROR, service="payment")
        for n, word in enumerate(words)
    ]  # fmt: skip
    past = SimilarIncident(
        "past-1", "payment down", 0.9, ("dense",), 3, NOW, "the pool was too small", "raise it", None
    )
    passage = Passage("rb-1", "Pools", "When the pool is exhausted, look for a leak of connections.")
    about = subject(MemoryLog((*base.records, *storm)), (past,), (passage,))
    start = about.incident.starts_at
    assert start is not None
    bucket = TimelineBucket(start, start + timedelta(minutes=1), {"ERROR": 50})
    about = replace(about, detection=replace(about.detection, timeline=(bucket,)))
    for tokens in (1000, 4000):
        request = Analyst(None, NoMasker, AnalystOptions(evidence_tokens=tokens)).prompt(about)
        kinds = [item["kind"] for item in evidence(request)]
        assert {"timeline", "template", "line", "similar", "suspect", "runbook"} <= set(kinds), kinds
        assert len(request.user.encode()) / 3 < tokens * 1.1


def test_the_schema_is_the_strict_one() -> None:
    schema = json_schema(AnalysisReply)
    for part in (schema, *schema["$defs"].values()):
        if part.get("type") == "object":
            assert set(part["required"]) == set(part["properties"])
            assert part["additionalProperties"] is False
    json.dumps(schema)


@pytest.mark.parametrize("text", ["", "{", "null", "{}", '{"verdict": []}', "[" * 5000, '{"a":' * 3000])
def test_no_text_of_a_model_raises_anything_but_what_it_may(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        parse(text, AnalysisReply)


def test_usage_adds_up() -> None:
    assert Usage(1, 2, None) + Usage(3, 4, 0.5) == Usage(4, 6, 0.5)
    assert (Usage(1, 2) + Usage(3, 4)).cost_usd is None
