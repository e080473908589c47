"""A long line of a log cut so that its message is seen, not its header."""

from __future__ import annotations

import re
from typing import Final

import orjson

from report.text import ELLIPSIS, clip

_MEMBER: Final = re.compile(r"[\"'](@?message|msg|log|body|text|event|error)[\"']\s?:")
"""A JSON member that holds the message."""
_PAIR: Final = re.compile(r"(?<=\s)(?:message|msg)=")
"""The same of a logfmt line."""
_MOMENT: Final = re.compile(r"[A-Z]?[\w.:+/-]*\d[\w.:,+/-]*(?: \d\d:\d\d:\d\d\S*)?")
"""The first word of a line that begins with its time, whole where a blank parts date and time of day."""
_HEADER_WORD: Final = re.compile(r"\[[^\]\[]*\]:?|[A-Z]+:?|[-:|]+|\(?[\w.$/-]+[.:/]\S*|\S*\d\S*")
"""What headers are made of: brackets, levels, dividers, dotted logger names, `file:line`, numbers and ids."""
_TELLING: Final = 24
"""Cells that a message must need before its header is worth cutting."""
_LOOKED_AT: Final = 4096
"""Characters of a line in which its message is looked for."""


def excerpt(line: str, cells: int) -> str:
    """A line of a log in at most `cells` cells. An indent goes always.

    Of a line that does not fit, what its header holds between the time and the message goes first; of a JSON line, what
    comes before the message. A message within JSON that does not fit either (it may have a header of its own) is shown
    as the program wrote it, unescaped and cut in the same way.
    """
    line = line.lstrip(" \t")
    if len(line) <= cells:
        return clip(line, cells)
    if line.startswith("{"):
        return _of_json(line, cells)
    pair = _PAIR.search(line, 0, _LOOKED_AT)
    if pair is not None and pair.start() > 12:
        return clip(f"{ELLIPSIS} {line[pair.start() : pair.start() + 2 * cells]}", cells)
    moment = _MOMENT.match(line, 0, 64)
    if moment is None:
        return clip(line, cells)
    start = end = moment.end()
    while start < min(len(line), 1024):
        word = _HEADER_WORD.match(line, _after_blanks(line, start))
        if word is None or (word.end() < len(line) and line[word.end()] not in " \t"):
            break
        start = word.end()
    message_at = _after_blanks(line, start)
    if message_at - end < 12 or len(line) - message_at < _TELLING:
        return clip(line, cells)
    return clip(f"{line[:end]} {ELLIPSIS} {line[message_at : message_at + 2 * cells]}", cells)


def _of_json(line: str, cells: int) -> str:
    found = _MEMBER.search(line, 1, _LOOKED_AT)
    if found is None:
        return clip(line, cells)
    message = _member(line, found[1])
    if message is not None and len(message) > cells:
        inner = excerpt(message, cells - 3)
        return clip(f"{{{ELLIPSIS} {inner}", cells)
    if found.start() <= 12:
        return clip(line, cells)
    return clip(f"{{{ELLIPSIS} {line[found.start() : found.start() + 2 * cells]}", cells)


def _member(line: str, name: str) -> str | None:
    """A text of a JSON object; None where the line is none (cut, say) or the member is no text."""
    try:
        value = orjson.loads(line)[name]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return value.strip() if isinstance(value, str) else None


def _after_blanks(line: str, start: int) -> int:
    while start < len(line) and line[start] in " \t":
        start += 1
    return start
