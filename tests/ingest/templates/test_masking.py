"""Typed masks: what each takes, in which order, and that none of them can hang or raise."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from ingest.templates import masking


def masked(text: str) -> str:
    return str(pl.DataFrame({"t": [text]}).select(masking.mask(pl.col("t")))["t"][0])


def key(text: str) -> str:
    return str(pl.DataFrame({"t": [text]}).select(masking.coarse_key(pl.col("t")))["t"][0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("took 12 ms", "took <NUM> ms"),
        ("took 18.7ms, then 980µs", "took <DURATION>, then <DURATION>"),
        ("took=1m30.5s skew=-1.5s", "took=<DURATION> skew=<DURATION>"),
        ("sent 3.5MB of 512MiB at 2.08x", "sent <SIZE> of <SIZE> at <NUM>"),
        ("release v1.2.3rc1", "release <NUM>"),
        ("accepted [05/Nov/2026:21:20:52.502] by fe", "accepted [<TIME>] by fe"),
        ("value -5 at x=-5", "value <NUM> at x=<NUM>"),
        ("release 2.6.5-1", "release <NUM>-<NUM>"),
        ("from 10.0.0.1:22 to /10.0.0.2:80", "from <IP> to <IP>"),
        ("host/10.0.0.1:80 is up", "<IP> is up"),
        ("peers 10.0.0.1,10.0.0.2 gone", "peers <IP> gone"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id <UUID>"),
        ("at 0xdeadBEEF", "at <HEX>"),
        ("open /var/log/app.log: denied", "open <PATH>: denied"),
        ("open C:\\Windows\\x.dll now", "open <PATH> now"),
        ("GET /v2/servers?x=1 HTTP/1.1", "GET <URL>"),
        ("see https://example.com/a?b=1", "see <URL>"),
        ("mail to root@example.com", "mail to <EMAIL>"),
        ("at Sun Jul 10 03:55:15 2005", "at <TIME>"),
        ("at 2024-05-01T10:00:00.5Z", "at <TIME>"),
        ("lifetime 00:01", "lifetime <TIME>"),
        ("lifetime <1 sec", "lifetime <DURATION>"),
        ("from 00:11:43:e3:ba:c3 via eth1", "from <MAC> via eth1"),
        ("device 0000:00:1f.1", "device <HEX>"),
        ("host ec2-52-80-34-196.compute.amazonaws.com.cn", "host <HOST>"),
        ("java.net.SocketException", "java.net.SocketException"),
        ("session opened for user root by", "session opened for user <USER> by"),
        ("ruser= user=root", "ruser= user=<USER>"),
        ("enabled=true", "enabled=<BOOL>"),
        ("block blk_-160 and blk_38865", "block <ID> and <ID>"),
        ('tag="View Lock", x', 'tag="<STR>", x'),
        ("eth0 ssh2 log4j stay", "eth0 ssh2 log4j stay"),
        ("  blanks \t are   single ", "blanks are single"),
    ],
)
def test_masks(text: str, expected: str) -> None:
    assert masked(text) == expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_no_text_raises_and_masking_twice_changes_little(text: str) -> None:
    once = masked(text)
    assert isinstance(once, str)
    assert "\n" not in masked(text.replace("\n", " "))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "eth0", "12", "1.5", "x1y2", "/p/q1", "=", ":", " ", "-", "10.0.0.1"]), max_size=9)
)
def test_equal_keys_have_equal_words(parts: list[str]) -> None:
    """What the coarse key hides is hidden by the masks too: no digit of a hidden value is left in the masked text."""
    text = "".join(parts)
    if key(text).strip("0 =:-./") == "":
        assert not any(char.isdigit() for char in masked(text))


def test_a_token_of_a_megabyte_costs_linear_time() -> None:
    def seconds(size: int) -> float:
        frame = pl.DataFrame({"body": ["x1" * size]})
        started = time.perf_counter()
        frame.select(masking.mask(masking.head(pl.col("body"))))
        frame.select(masking.coarse_key(pl.col("body")))
        return time.perf_counter() - started

    seconds(1000)
    small, large = min(seconds(50_000) for _ in range(3)), min(seconds(500_000) for _ in range(3))
    assert large < 40 * small + 0.1


def test_the_head_of_a_message_is_its_first_line_and_bounded() -> None:
    bodies = ["one\ntwo\nthree", "x" * 10_000, "", "é" * 5000]
    heads = pl.DataFrame({"body": bodies}).select(masking.head(pl.col("body")))["body"].to_list()
    assert heads == ["one", "x" * 4096, "", "é" * 4096]


def test_own_masks_go_first_and_bad_ones_are_named() -> None:
    own = masking.user_masks({"ORDER": r"ORD-[0-9]+"})
    frame = pl.DataFrame({"t": ["order ORD-77 paid"]})
    assert frame.select(masking.mask(pl.col("t"), (*own, *masking.DEFAULT_MASKS)))["t"][0] == "order <ORDER> paid"
    with pytest.raises(ConfigError, match=r"templates_masks\.BAD"):
        masking.user_masks({"BAD": "(?=x)"})
    with pytest.raises(ConfigError, match="upper-case"):
        masking.user_masks({"bad": "x"})


def test_fired_tells_each_step() -> None:
    assert [name for name, _, _ in masking.fired("from 10.0.0.1 in 5 s")] == ["IP", "NUM"]
