"""A served request, as web servers and frameworks log it: what was asked for, by whom, and how it ended."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ACCESS: Final = re.compile(
    r'\\?"(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (?P<path>[^" ]*)(?:[^"]* HTTP/[\d.]+)?\\?"'
    r"[ :-]*(?P<status>\d{3})\b"
    r'(?: (?:\d+|-) \\?"(?P<referrer>[^"]*)\\?" \\?"(?P<agent>[^"\\]*))?'
)


class Access(NamedTuple):
    """`agent` is empty where the format has none."""

    method: str
    path: str
    status: int
    agent: str


def access_of(text: str) -> Access | None:
    """The request that a line of the common, combined or a similar log format tells; None where it is no such line."""
    match = _ACCESS.search(text[:2_000])
    return Access(match["method"], match["path"], int(match["status"]), match["agent"] or "") if match else None
