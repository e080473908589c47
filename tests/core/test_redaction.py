"""Redaction: masks are consistent and restored, ordinary lines stay, and no line makes it slow."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core import redaction
from core.errors import ConfigError
from core.redaction import Redactor
from core.redaction_views import views

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_types_and_consistency() -> None:
    redactor = Redactor()
    masked = redactor.mask("a@example.com b@example.com a@example.com card 4111 1111 1111 1111")
    assert masked == "<EMAIL_1> <EMAIL_2> <EMAIL_1> card <CARD_1>"
    assert redactor.mask("from b@example.com") == "from <EMAIL_2>"
    assert Redactor().mask("from b@example.com") == "from <EMAIL_1>"


def test_redacted_says_what_its_masks_stand_for_and_does_not_show_it() -> None:
    redactor = Redactor()
    redacted = redactor.redact("login of a@example.com, password=hunter2")
    assert redacted.text == "login of <EMAIL_1>, password=<PASSWORD_1>"
    assert redacted.mapping == {"<EMAIL_1>": "a@example.com", "<PASSWORD_1>": "hunter2"}
    assert redacted.changed
    assert "hunter2" not in repr(redacted) + repr(redactor) + str(redactor)
    assert not redactor.redact("all is well").changed
    assert redactor.redact(redacted.text).mapping == {}


@pytest.mark.parametrize(
    "text",
    [
        "password=<PASSWORD_1>",
        "user <EMAIL_3> on <IP>",
        "token=<*> id=<NUM>",
        "password=****",
        "password=",
        "password: null",
        '"token":""',
        "secret=${DB_SECRET}",
        "api_key=%s",
        "password={}",
        "token: [REDACTED]",
    ],
)
def test_what_is_masked_or_empty_stays(text: str) -> None:
    assert Redactor().mask(text) == text


def test_a_secret_next_to_or_around_a_mask_goes_whole() -> None:
    redactor = Redactor()
    assert redactor.mask("password=ab<EMAIL_7>cd") == "password=<PASSWORD_1>"
    assert redactor.mask("a@example.com:b@example.com") == "<EMAIL_1>:<EMAIL_2>"
    assert redactor.mask("a@example.com,4111111111111111") == "<EMAIL_1>,<CARD_1>"
    assert redactor.restore("<PASSWORD_1>") == "ab<EMAIL_7>cd"


def test_a_mask_that_a_log_forged_stands_for_nothing() -> None:
    redactor = Redactor()
    assert redactor.mask("hello <EMAIL_1>, from a@example.com") == "hello <EMAIL_1>, from <EMAIL_2>"
    assert redactor.restore("<EMAIL_1> <EMAIL_2>") == "<EMAIL_1> a@example.com"


def test_a_secret_once_known_is_masked_without_its_key_too() -> None:
    redactor = Redactor()
    assert redactor.mask("tried hunter2, then password=hunter2") == "tried <PASSWORD_1>, then password=<PASSWORD_1>"
    assert redactor.mask("parameter hunter2, not xhunter2") == "parameter <PASSWORD_1>, not xhunter2"
    assert redactor.mask("password=production") == "password=<PASSWORD_2>"
    assert redactor.mask("in production") == "in production", "a word says nothing"


def test_a_session_remembers_a_bounded_number_of_secrets() -> None:
    redactor = Redactor()
    for number in range(2000):
        redactor.mask(f"password=hunter{number:06d}")
    assert len(redactor._secrets) <= 512
    assert redactor.mask("again hunter001999") == "again <PASSWORD_2000>"


def test_addresses_only_by_setting() -> None:
    line = "10.0.0.1:8080 and [2001:db8::1]:443 via ::1 at 12:34:56 version 1.2.3"
    assert Redactor().mask(line) == line
    assert Redactor(mask_ips=True).mask(line) == "<IP_1>:8080 and [<IP_2>]:443 via <IP_3> at 12:34:56 version 1.2.3"


def test_own_patterns() -> None:
    redactor = Redactor(own={"employee-id": r"\bE\d{6}\b", "PROJECT": r"(?i)project \w+"})
    assert redactor.mask("E123456 of Project Apollo, xE1234567") == "<EMPLOYEE_ID_1> of <PROJECT_1>, xE1234567"
    assert redactor.mask('{"m":"\\u0045123456"}') == '{"m":"<EMPLOYEE_ID_2>"}'


@pytest.mark.parametrize(
    ("name", "pattern"), [("x", "("), ("x", "(?=a)"), ("x", "a*"), ("9x", "a"), ("<b>", "a"), ("x", "")]
)
def test_bad_own_patterns_are_refused(name: str, pattern: str) -> None:
    with pytest.raises(ConfigError, match="redaction_patterns"):
        Redactor(own={name: pattern})


@pytest.mark.parametrize(
    "line",
    [
        "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774]",
        "081109 203615 148 INFO dfs.DataNode: PacketResponder 1 for block blk_38865049064139660 terminating",
        "epoch ms 1700000000000 us 1700000000000000 ns 1700000000000000000",
        "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad in git@github.com:owner/name",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "at com.example.VeryLongClassNameFactoryBeanConfigurationSupport.createDefaultInstance(File.java:123)",
        "user@1000.service: Succeeded. icon@2x.png loaded, java.lang.Object@1b6d3586",
        "pod checkout-7d9f8b6c5d-x2k4j in namespace prod on ip-10-0-12-34.ec2.internal",
        "Failed password for invalid user admin from 1.2.3.4 port 51234 ssh2",
        "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4 user=root",
        "PWD=/root ; USER=root ; COMMAND=/usr/bin/ls",
        "token: expired",
        "invalid token: the signature does not match",
        "unexpected token: ';'",
        "max_tokens=4096 total_tokens: 120",
        "--- PASS: TestInit (0.02s)",
        "tests: pass: 12 fail: 3",
        "Bearer authentication failed",
        "Basic auth is required",
        "http://host:8080/path@v1.2 and https://example.com/a?b=c#d",
        "cookie consent given; Secret db-creds2 created; password policy changed; password reset for bob",
        'secret "db-creds" not found; token_type=bearer&grant_type=password',
        "password_length=12 tokenizer=bpe secretName: db",
        "0.4111111111111111 4111.111111111111",
        "order 1234-5678-9012",
        "version 10.2.13.4-beta.20240101",
        "size 12 345 678 901 bytes",
    ],
)
def test_ordinary_lines_stay(line: str) -> None:
    assert Redactor().mask(line) == line


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
@example("password=password=x")
@example('password="a')
@example("<PASSWORD_1>=x")
@example("%70assword%3D%22a b%22")
@example("\\u0070assword=x")
def test_masking_twice_changes_nothing_and_restores(text: str) -> None:
    redactor = Redactor(mask_ips=True, own={"X": "[q-s]{3}"})
    masked = redactor.mask(text)
    assert redactor.mask(masked) == masked
    assert redactor.restore(masked) == text


PIECES = st.sampled_from(
    [
        "password",
        "token",
        "=",
        ":",
        '"',
        "'",
        "\\",
        "%3D",
        "%40",
        "@",
        ".com",
        "a",
        "hunter2",
        " ",
        "\n",
        "<EMAIL_1>",
        "<",
        ">",
        "://",
        "/",
        "Bearer ",
        "4111111111111111",
        "010-1234-5678",
        "eyJhbGciOiJub25lIn0",
        ".",
        ",",
        "&amp;",
        "\\n",
        "\\u0022",
        "-----BEGIN PRIVATE KEY-----",
        "가",
        "10.0.0.1",
        "{",
        "}",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_masking_pieces_twice_changes_nothing_and_restores(text: str) -> None:
    redactor = Redactor(mask_ips=True)
    masked = redactor.mask(text)
    assert redactor.mask(masked) == masked
    assert redactor.restore(masked) == text


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1 ",
        "a@",
        "a@b.",
        '"',
        "\\",
        "password=",
        'password="',
        "password value ",
        "://a:",
        "%",
        "%41",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "sk-",
        "<EMAIL_1>",
        "<password ",
        "aB3/",
        "+82 ",
        "010-1234-5678 ",
        "4111 ",
        "GB82 ",
        "AKIA",
        "basic aaaaaaaa",
        "&amp;",
        "가",
        "cookie:",
        "x=password for ",
    ],
)
def test_a_hostile_line_takes_linear_time(piece: str) -> None:
    """Eight times the length takes about eight times as long (quadratic would be 64)."""

    def seconds(size: int) -> float:
        text = (piece * (size // len(piece) + 1))[:size]
        best = float("inf")
        for _ in range(2):
            started = time.perf_counter()
            Redactor(mask_ips=True).mask(text)
            best = min(best, time.perf_counter() - started)
        return best

    assert seconds(96_000) < 28 * seconds(12_000) + 0.2


def test_offsets_of_views() -> None:
    text = "a%40b\\u0040\\\\u0040&amp;c%ED%95%9Cd"
    for view in views(text):
        for at, char in enumerate(view.text):
            start, end = view.origin(at, at + 1)
            assert 0 <= start < end <= len(text)
            if view.text.count(char) == 1 and char in "abcd":
                assert text[start:end] == char
    assert [view.text for view in views(text)][-1] == "a@b@@&c한d"


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is missing")
def test_false_masking_on_real_logs(capsys: pytest.CaptureFixture[str]) -> None:
    """loghub_2k holds one e-mail address (a kernel's builder) and no secret: anything else is masked falsely."""
    lines = masked = 0
    kinds: Counter[str] = Counter()
    for path in sorted((DATA / "loghub_2k").glob("*/*.log")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            redacted = Redactor().redact(line)
            lines += 1
            masked += redacted.changed
            kinds.update(f"{path.parent.name} {mask.rpartition('_')[0][1:]}" for mask in redacted.mapping)
    with capsys.disabled():
        sys.stdout.write(
            f"\nfalse masking on loghub_2k: {masked} of {lines} lines ({masked / lines:.3%}) {dict(kinds)}\n"
        )
    assert lines == 20_000
    assert masked <= 10


def test_no_pattern_repeats_a_group_possessively() -> None:
    """The regular expressions of Python 3.11.2 forget where such a group ended: secrets would pass."""
    for path in Path(redaction.__file__).parent.glob("*.py"):
        found = re.findall(r"\)(?:[*+?]|\{\d+,?\d*\})\+", path.read_text(encoding="utf-8"))
        assert found == [], path.name
