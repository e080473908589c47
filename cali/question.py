"""What a question asks about: a service and a window of time, out of words. No model takes part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from cali.korean_times import in_english

_UNITS: Final = {
    "second": 1, "sec": 1, "s": 1,
    "minute": 60, "min": 60, "m": 60,
    "hour": 3600, "hr": 3600, "h": 3600,
    "day": 86400, "d": 86400,
    "week": 604800, "w": 604800,
}  # fmt: skip
_WORDS: Final = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "few": 3.0, "couple": 2.0, "half": 0.5}
_UNIT: Final = r"(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|[smhdw])\b"
_MOMENT: Final = r"[^,;?!]+?"
_END: Final = r"(?=\s*(?:[,;?!]|$|\bfor\b|\bin\b (?!the)|\bon\b (?!\d|mon|tue|wed|thu|fri|sat|sun)))"

_AGO: Final = re.compile(
    rf"\b(\d+(?:\.\d+)?|an?|one|two|three|few|couple|half)\s*(?:of\s+|an?\s+)?{_UNIT}\s+ago\b", re.IGNORECASE
)
_LAST: Final = re.compile(
    rf"\b(?:last|past|previous|recent)\s+(?:(\d+(?:\.\d+)?|a|an|one|two|three|few|couple|half)\s*(?:of\s+|an?\s+)?)?{_UNIT}",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(
    rf"\b(?:between\s+({_MOMENT})\s+and\s+|from\s+({_MOMENT})\s+(?:to|until|till)\s+)({_MOMENT}){_END}", re.IGNORECASE
)
_SINCE: Final = re.compile(rf"\b(?:since|after)\s+({_MOMENT}){_END}", re.IGNORECASE)
_BEFORE: Final = re.compile(rf"\b(?:before|until|till)\s+({_MOMENT}){_END}", re.IGNORECASE)
_AT: Final = re.compile(
    r"\b(?:at|around|about|near)\s+((?:\d{4}-\d\d-\d\d[T ])?\d{1,2}(?::\d\d(?::\d\d)?)?\s*(?:am|pm|Z|UTC)?\b"
    r"(?:\s+(?:yesterday|today|on\s+\w+(?:\s+\w+)?))?|noon|midnight)",
    re.IGNORECASE,
)
_DAY: Final = re.compile(
    r"\b(yesterday|today|tonight|last night|this morning|this afternoon|this evening|(?:on\s+)?\d{4}-\d\d-\d\d"
    r"|on\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day|on\s+\d{1,2}\s+[a-z]{3,9}|on\s+[a-z]{3,9}\s+\d{1,2})\b",
    re.IGNORECASE,
)
_HOURS: Final = {
    "this morning": (5, 12), "this afternoon": (12, 18), "this evening": (17, 24), "tonight": (18, 30),
    "last night": (-6, 6),
}  # fmt: skip
AROUND: Final = timedelta(minutes=15)
"""How far `at 14:05` reaches to both sides."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time that a question names; `text` is how it says it. None is unbounded."""

    start: datetime | None
    end: datetime | None
    text: str


def window_of(question: str, *, now: datetime, zone: tzinfo) -> Window | None:
    """The window that a question names, relative to `now`, naive times in `zone`; None where it names none."""
    question = in_english(question)
    last = _LAST.search(question)
    if last:
        return Window(now - _span(last), now, last[0])
    between = _BETWEEN.search(question)
    if between:
        end = _moment(between[3], now, zone)
        start = _moment(between[1] or between[2], now, zone, like=between[3], then=end)
        if start is not None and end is not None and start < end:
            return Window(start, end, between[0])
    ago = _AGO.search(question)
    since = _SINCE.search(question)
    if ago and not since:
        return Window(now - _span(ago) - AROUND, min(now - _span(ago) + AROUND, now), ago[0])
    if since and (start := _moment(since[1], now, zone)) is not None:
        return Window(start, now, since[0])
    before = _BEFORE.search(question)
    if before and (end := _moment(before[1], now, zone)) is not None:
        return Window(None, end, before[0])
    at = _AT.search(question)
    if at and (moment := _moment(at[1].replace(" on ", " "), now, zone)) is not None:
        return Window(moment - AROUND, moment + AROUND, at[0])
    day = _DAY.search(question)
    return _day(day[1], now, zone) if day else None


def _span(match: re.Match[str]) -> timedelta:
    """The span of a number (1 where there is none) and a unit."""
    number = match[1].lower() if match[1] else "1"
    amount = _WORDS[number] if number in _WORDS else float(number)
    unit = match[2].lower()
    seconds = _UNITS.get(unit) or _UNITS[unit.rstrip("s")]
    return timedelta(seconds=min(amount * seconds, 3.2e9))


def services_of(question: str, known: Sequence[str]) -> tuple[str, ...]:
    """The services among `known` that a question names, longest first (`payment worker` names `payment-worker`)."""
    left = question.casefold()
    found = []
    for service in sorted(known, key=lambda name: (-len(name), name)):
        pattern = rf"(?<![\w-]){re.escape(service.casefold())}(?![\w-])"
        spaced = rf"(?<![\w-]){re.escape(service.casefold().replace('-', ' ').replace('_', ' '))}(?![\w-])"
        for expression in (pattern, spaced):
            if service and re.search(expression, left):
                found.append(service)
                left = re.sub(expression, " ", left)
                break
    return tuple(found)


def _moment(
    text: str, now: datetime, zone: tzinfo, *, like: str | None = None, then: datetime | None = None
) -> datetime | None:
    import dateparser

    words = re.sub(r"^(?:the|about|around)\s+", "", text.strip(), flags=re.IGNORECASE)
    if re.fullmatch(r"\d{1,2}", words) and like is not None:
        suffix = re.search(r"(?:am|pm)\b", like, re.IGNORECASE)
        words += suffix[0] if suffix else ":00"
    elif re.fullmatch(r"\d{1,2}", words):
        words += ":00"
    local = now.astimezone(zone)
    base = then.astimezone(zone) if then is not None and re.fullmatch(r"[\d:.]+\s*(?:am|pm)?", words) else local
    parsed = dateparser.parse(
        words,
        languages=["en", "ko"],
        settings={
            "RELATIVE_BASE": base.replace(tzinfo=None),
            "PREFER_DATES_FROM": "current_period" if base is not local else "past",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    if parsed is None:
        return None
    aware: datetime = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=zone)
    if aware > now and base is local:
        aware -= timedelta(days=1)  # `at 16:00`, asked at 15:00, was yesterday
    return aware


def _day(text: str, now: datetime, zone: tzinfo) -> Window | None:
    words = text.lower().removeprefix("on ").strip()
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if words in _HOURS:
        first, last = _HOURS[words]
        if midnight + timedelta(hours=first) >= now:  # `this morning`, asked at two; `tonight`, asked after midnight
            first, last = (0, last) if words == "this morning" else (first - 24, last - 24)
        return Window(midnight + timedelta(hours=first), min(midnight + timedelta(hours=last), now), text)
    if words == "today":
        return Window(midnight, now, text)
    moment = _moment(words, now, zone)
    if moment is None:
        return None
    start = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start, min(start + timedelta(days=1), now), text)
