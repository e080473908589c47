"""A served request, as web servers and frameworks log it: what was asked for, by whom, and how it ended."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ACCESS: Final = re.compile(
    r'\\?"(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (?P<path>[^" ]*)(?:[^"]* HTTP/[\d.]+)?\\?"'
    r"[ :-]*(?P<status>\d{3})\b"
    r'(?: (?:\d+|-) \\?"(?P<referrer>[^"]*)\\?" \\?"(?P<agent>[^"\\]*))?'
)


_HAPROXY: Final = re.compile(
    r'^\S+ \S+/\S+ [-+\d]+(?:/[-+\d]+){2,4} (?P<status>[1-5]\d\d) .*"(?P<method>[A-Z]{3,7}) (?P<path>[^" ]*)'
)
"""HAProxy's own format, from the frontend's name on: the request comes last."""


class Access(NamedTuple):
    """`agent` is empty where the format has none."""

    method: str
    path: str
    status: int
    agent: str


def access_of(text: str) -> Access | None:
    """The request that a line of the common, combined or a similar log format tells; None where it is no such line."""
    match = _ACCESS.search(text[:2_000])
    if match is not None:
        return Access(match["method"], match["path"], int(match["status"]), match["agent"] or "")
    proxied = _HAPROXY.match(text[:2_000])
    return Access(proxied["method"], proxied["path"], int(proxied["status"]), "") if proxied is not None else None
