"""The chain against a real HTTP server that speaks the OpenAI protocol: every way in which an endpoint can fail."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pydantic import SecretStr
from services.openai_server import OpenAIServer, Say, Script, in_turn, openai_server

from core.chat import ChatRequest
from core.errors import ConfigError, PermanentError, RetryableError
from rag.bounded_http import MAX_RESPONSE_BYTES
from rag.chain import REST, OpenAICompatible

SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
REQUEST = ChatRequest("Rules {not a template}", 'Logs: {"a": "{b}"}', "answer", SCHEMA, 100)
GOOD = json.dumps({"answer": "because the pool was full, and nothing gave its connections back"})

pytestmark = pytest.mark.integration


class Waits(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(
    server: OpenAIServer, *, timeout: float = 5.0, retries: int = 2, waits: Waits | None = None
) -> OpenAICompatible:
    return OpenAICompatible(
        model="test-model", base_url=server.url, api_key=SecretStr("sk-test"), timeout=timeout, retries=retries,
        sleep=Waits() if waits is None else waits,
    )  # fmt: skip


def test_a_reply_is_streamed_with_its_tokens() -> None:
    pieces: list[str] = []
    with openai_server(in_turn(Say(GOOD))) as server:
        reply = client(server).reply(REQUEST, pieces.append)
    assert reply.text == GOOD == "".join(pieces)
    assert len(pieces) > 1
    assert (reply.finish, reply.input_tokens, reply.output_tokens, reply.estimated) == ("stop", 1000, 200, False)
    sent = server.requests[0]
    assert [m["content"] for m in sent["messages"]] == [REQUEST.system, REQUEST.user]
    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA
    assert server.keys == ["Bearer sk-test"]


def test_an_endpoint_without_usage_gets_an_estimate() -> None:
    with openai_server(in_turn(Say(GOOD, usage=False))) as server:
        reply = client(server).reply(REQUEST)
    assert reply.estimated and reply.input_tokens > 0 and reply.output_tokens > 0


@pytest.mark.parametrize("taken", ["json_object", None])
def test_an_endpoint_without_structured_output_is_asked_in_plainer_shapes(taken: str | None) -> None:
    def script(body: dict[str, Any]) -> Say:
        asked = body.get("response_format", {}).get("type")
        return Say(GOOD) if asked == taken else Say("response_format is not supported", status=400)

    with openai_server(script) as server:
        chat = client(server)
        assert chat.reply(REQUEST).text == GOOD
        tries = len(server.requests)
        chat.reply(REQUEST)  # it remembers what the endpoint takes
        assert len(server.requests) == tries + 1


def test_too_many_requests_waits_as_long_as_it_says() -> None:
    waits = Waits()
    script = in_turn(Say("slow down", status=429, headers={"retry-after": "7"}), Say("busy", status=503), Say(GOOD))
    with openai_server(script) as server:
        assert client(server, waits=waits).reply(REQUEST).text == GOOD
    assert waits[0] == 7.0
    assert len(waits) == 2


def test_a_wait_of_an_hour_is_given_up_at_once() -> None:
    waits = Waits()
    with openai_server(in_turn(Say("quota", status=429, headers={"retry-after": "3600"}))) as server:
        with pytest.raises(RetryableError, match="3600") as error:
            client(server, waits=waits).reply(REQUEST)
        assert error.value.retry_after == 3600
        assert len(server.requests) == 1
    assert waits == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (in_turn(Say("oops", status=500)), "500"),
        (in_turn(Say(GOOD, cut=True)), "middle|broke off"),
        (in_turn(Say(close=True)), "broke off"),
    ],
)
def test_what_may_pass_is_tried_again_then_given_up(script: Script, message: str) -> None:
    with openai_server(script) as server:
        with pytest.raises(RetryableError, match=message):
            client(server, retries=2).reply(REQUEST)
        assert len(server.requests) == 3


@pytest.mark.parametrize("say", [Say(GOOD, stall=30), Say(drip=True)], ids=["silence", "comments only"])
def test_a_server_that_never_answers_is_left_at_the_deadline(say: Say) -> None:
    started = time.monotonic()
    with openai_server(in_turn(say)) as server, pytest.raises(RetryableError, match=r"in time|longer than"):
        client(server, timeout=0.5, retries=1).reply(REQUEST)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "CALI_LLM_API_KEY"), (403, "CALI_LLM_API_KEY"), (404, "CALI_LLM_MODEL")]
)
def test_what_will_not_pass_says_what_to_check(status: int, hint: str) -> None:
    with openai_server(in_turn(Say("no", status=status))) as server, pytest.raises(PermanentError, match=hint):
        client(server).reply(REQUEST)


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>Sign in</html>",
        b"data: {not json}\n\n",
        b"data: " + b"[" * 50_000 + b"\n\n",
    ],
    ids=["a page", "no JSON", "deep"],
)
def test_what_is_no_stream_of_replies_is_a_failure_like_others(raw: bytes) -> None:
    with openai_server(in_turn(Say(raw=raw))) as server, pytest.raises(RetryableError, match="test-model"):
        client(server, retries=0).reply(REQUEST)


@pytest.mark.parametrize(
    ("say", "message"),
    [(Say("x" * 1_000_000), "characters"), (Say(raw=b"data: " + b"x" * (MAX_RESPONSE_BYTES + 1)), "MiB")],
    ids=["a long text", "one line"],
)
def test_a_reply_without_end_is_left(say: Say, message: str) -> None:
    with openai_server(in_turn(say)) as server:
        with pytest.raises(PermanentError, match=message):
            client(server).reply(REQUEST)
        assert len(server.requests) == 1


@pytest.mark.parametrize("refused", ["temperature", "max_completion_tokens", "stream_options"])
def test_a_parameter_that_the_endpoint_does_not_know_is_left_out(refused: str) -> None:
    def script(body: dict[str, Any]) -> Say:
        return Say(f"Unsupported parameter: '{refused}'", status=400) if refused in body else Say(GOOD)

    with openai_server(script) as server:
        chat = client(server)
        assert chat.reply(REQUEST).text == GOOD
        chat.reply(REQUEST)
    sent = server.requests
    assert [refused in body for body in sent] == [True, False, False]
    assert sent[-1]["response_format"]["type"] == "json_schema"
    assert ("max_tokens" in sent[-1]) == (refused == "max_completion_tokens")


@pytest.mark.parametrize("said", ["nan", "soon", "-3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_retry_after_that_says_nothing_is_passed_over(said: str) -> None:
    waits = Waits()
    with openai_server(in_turn(Say("busy", status=429, headers={"retry-after": said}), Say(GOOD))) as server:
        assert client(server, waits=waits).reply(REQUEST).text == GOOD
    assert len(waits) == 1 and 0 <= waits[0] <= 20


def test_the_key_and_the_password_of_the_address_are_never_shown() -> None:
    key = "sk-" + "S3cret" * 5
    with openai_server(in_turn(Say(f"bad key {key}\x1b[31m", status=401))) as server:
        url = server.url.replace("http://", "http://user:hunter2@")
        chat = OpenAICompatible(model="m", base_url=url, api_key=SecretStr(key), timeout=5, retries=0)
        with pytest.raises(PermanentError) as error:
            chat.reply(REQUEST)
    assert "401" in str(error.value)
    for hidden in (key, "hunter2", "\x1b"):
        assert hidden not in str(error.value)


def test_an_endpoint_that_failed_is_left_alone_for_a_while() -> None:
    now = [0.0]
    with openai_server(in_turn(Say("oops", status=500), Say(GOOD))) as server:
        chat = OpenAICompatible(
            model="m", base_url=server.url, api_key=None, timeout=5, retries=0, clock=lambda: now[0]
        )
        with pytest.raises(RetryableError, match="500"):
            chat.reply(REQUEST)
        with pytest.raises(RetryableError, match=r"not asked again.*500"):
            chat.reply(REQUEST)
        assert len(server.requests) == 1
        now[0] += REST
        assert chat.reply(REQUEST).text == GOOD


@pytest.mark.parametrize(("first", "costs"), [(Say("busy", status=429), False), (Say(GOOD, cut=True), True)])
def test_each_further_try_is_told_before_it_is_made(first: Say, costs: bool) -> None:
    told: list[bool] = []
    with openai_server(in_turn(first, Say(GOOD))) as server:
        client(server).reply(REQUEST, on_retry=told.append)
    assert told == [costs]


def test_nobody_listens() -> None:
    chat = OpenAICompatible(model="m", base_url="http://127.0.0.1:9/v1", api_key=None, timeout=2, retries=0)
    with pytest.raises(RetryableError, match=r"127.*refused"):
        chat.reply(REQUEST)


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match="llm_base_url"):
        OpenAICompatible(model="m", base_url="localhost:11434", api_key=None, timeout=2, retries=0)


def test_refusal_and_truncation_are_told_apart() -> None:
    with openai_server(in_turn(Say(refusal="I cannot help with that"), Say(GOOD[:20], finish="length"))) as server:
        chat = client(server)
        refused = chat.reply(REQUEST)
        cut = chat.reply(REQUEST)
    assert refused.finish == "refusal"
    assert (cut.finish, cut.text) == ("length", GOOD[:20])


def test_answers_says_whether_the_model_is_there() -> None:
    with openai_server(in_turn(Say(GOOD)), models=("other",)) as server:
        assert "without this one" in client(server).answers()
        server.models.append("test-model")
        assert client(server).answers() == "answers"
