"""What a line says, without what loggers and collectors put around it."""

from __future__ import annotations

import orjson
import pytest

from rag.memory.saying import MAX_SAID_CHARS, is_structured, said


def line(**fields: object) -> str:
    return orjson.dumps(fields).decode()


def test_fields_that_tell_stay_and_those_of_the_record_go() -> None:
    record = line(
        timestamp="2026-03-02T10:00:00Z",
        level="warning",
        logger="users.auth",
        trace_id="4bf92f3577b34da6",
        host="users-7d9f",
        event="invalid_request",
        reason="email: value is not a valid email address",
        attempt=3,
        status=422,
        ok=True,
    )
    assert said(record) == "invalid_request\nemail: value is not a valid email address\n422"


def test_a_message_inside_an_envelope_is_unfolded() -> None:
    inner = line(ts=1, msg="upstream retry", error="Hourly quota exceeded", upstream="smtp.example.org", pid=1)
    assert said(line(time="2026-03-02T10:00:00Z", service="worker", message=inner)).split("\n") == [
        "upstream retry",
        "Hourly quota exceeded",
        "smtp.example.org",
    ]
    nested = line(err={"type": "ResponseError", "message": "451 try later"}, notes=["first of two", {"code": "E42"}])
    assert said(nested).split("\n") == ["ResponseError", "451 try later", "first of two", "E42"]


def test_of_a_trace_its_heads_stay() -> None:
    trace = 'Order failed\nTraceback (most recent call last):\n  File "/app/a.py", line 3, in b\n    c()\nKeyError: "x"'
    assert said(line(msg="place_order", exc_info=trace)) == 'place_order\nOrder failed\nKeyError: "x"'


def test_a_plain_line_loses_only_pairs_that_tell_nothing() -> None:
    klog = '"Event occurred" object="shop/payment" kind="Pod" apiVersion="v1" reason="FailedScheduling" host="n-1"'
    assert "FailedScheduling" in said(klog)
    assert "v1" not in said(klog)
    assert "n-1" not in said(klog)
    assert said("No space left on device") == "No space left on device"


@pytest.mark.parametrize("odd", ["", "{", "{}", "[1, 2]", '{"a": }', '"text"', "{" * 5000, line(a={"b": {"c": "d e"}})])
def test_odd_lines_are_read(odd: str) -> None:
    assert len(said(odd)) <= MAX_SAID_CHARS


def test_depth_and_length_are_bounded() -> None:
    text = "the innermost words"
    for _ in range(12):  # each level doubles the backslashes
        text = line(message=text)
    assert len(said(text)) <= MAX_SAID_CHARS
    assert len(said(line(message="word " * 5000))) == MAX_SAID_CHARS


def test_what_is_structured() -> None:
    assert is_structured(line(msg="a"))
    assert not is_structured("plain {text}")
    assert not is_structured("{broken")
