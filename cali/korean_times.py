"""What a Korean question says of time, said in English: `지난 30분` is `last 30 m`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_UNITS: Final = {"초": "s", "분": "m", "시간": "h", "일": "d", "주": "w"}
_DAYS: Final = {"어제": "yesterday", "어젯밤": "last night", "오늘": "today"}
_UNIT: Final = "(초|분|시간|일|주)"
_CLOCK: Final = r"(\d{1,2}:\d\d)"


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[2]) % 24, 30 if match[4] else int(match[3] or 0) % 60
    if match[1]:
        hour = hour % 12 + (12 if match[1] == "오후" else 0)
    return f" {hour:02d}:{minute:02d}"


_SAID: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(rf"(?:지난|최근|마지막)\s*(\d+)\s*{_UNIT}"), lambda m: f" last {m[1]} {_UNITS[m[2]]} "),
    (re.compile(r"(?:지난|최근)\s*한\s*시간"), lambda _: " last 1 h "),
    (re.compile(rf"(\d+)\s*{_UNIT}\s*전"), lambda m: f" {m[1]} {_UNITS[m[2]]} ago "),
    (re.compile(r"(?:(오전|오후)\s*)?(\d{1,2})시(?!간)(?:\s*(\d{1,2})분|\s*(반))?"), _clock),
    (
        re.compile(rf"{_CLOCK}\s*(?:부터|에서|~|-)\s*{_CLOCK}(?:\s*까지|\s*사이)?"),
        lambda m: f" between {m[1]} and {m[2]}, ",
    ),
    (re.compile(rf"{_CLOCK}\s*(?:부터|이후)"), lambda m: f" since {m[1]}, "),
    (re.compile(rf"{_CLOCK}\s*(?:까지|이전)"), lambda m: f" before {m[1]}, "),
    (re.compile(rf"{_CLOCK}\s*(?:쯤|경|께|에)"), lambda m: f" at {m[1]} "),
    (re.compile("어젯밤|어제|오늘"), lambda m: f" {_DAYS[m[0]]} "),
)
"""In this order: what comes later reads what came before."""
_HANGUL: Final = re.compile("[가-힣]")


def in_english(question: str) -> str:
    """The question with its words for time in English; as it is where it has no Hangul."""
    if not _HANGUL.search(question):
        return question
    for pattern, said in _SAID:
        question = pattern.sub(said, question)
    return question
