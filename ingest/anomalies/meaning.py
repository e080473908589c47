"""What the name of a parameter says about its numbers: a duration, something that hurts when it grows, an amount."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]?[a-zµ]+|[A-Z]+(?![a-z])")

_MILLISECONDS: Final = {
    "ns": 1e-6,
    "nanos": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,
    "micros": 1e-3,
    "ms": 1.0,
    "millis": 1.0,
    "milliseconds": 1.0,
    "s": 1e3,
    "sec": 1e3,
    "secs": 1e3,
    "second": 1e3,
    "seconds": 1e3,
    # nginx and its kin write seconds
    "rt": 1e3,
    "urt": 1e3,
    "uht": 1e3,
    "uct": 1e3,
}

_SECONDS: Final = frozenset({"request_time", "response_time", "upstream_response_time", "upstream_connect_time"})

_COSTLY: Final = frozenset(
    re.findall(
        r"\w+",
        """
    took duration latency elapsed delay delayed wait waits waited waiting waiters rt urt uht time ms millis seconds secs
    lag lagging backlog depth pending behind queue queued oldest age heap rss mem memory swap used usage utilization cpu
    load attempt attempts retries retry active busy blocked stalled inflight threads goroutines handles fds sockets
    connections conns locks overdue unacked unacknowledged unprocessed undelivered deferred outstanding
    """,
    )
)
"""Words of what hurts when it grows: times, waiting lines, resources in use."""

_WAITING: Final = frozenset({"messages", "ready"})
"""RabbitMQ's name of what nobody has taken from a queue yet."""

_DURATIONS: Final = frozenset({"took", "duration", "latency", "elapsed", "time", "rt", "urt", "uht"})

_AMOUNTS: Final = frozenset(
    re.findall(
        r"\w+",
        """
    results rows hits matches items records count found returned processed consumed delivered sent received written
    imported exported events messages orders entries documents size length bytes total
    """,
    )
)
"""Words of what something delivers: none of it where there always was some is a failure."""


def words_of(name: str) -> tuple[str, ...]:
    """The words of a parameter's name, in lower case: `oldestMs` and `oldest_ms` are (oldest, ms)."""
    return tuple(word.lower() for word in _WORD.findall(name))


def scale_of(name: str) -> tuple[float, str]:
    """The factor that brings a number of this name to its unit, and the unit: `ms` for durations, none for others."""
    words = words_of(name)
    if "_".join(words) in _SECONDS:
        return 1e3, "ms"
    if words and words[-1] in _MILLISECONDS and (len(words) > 1 or words[0] not in ("s", "us")):
        return _MILLISECONDS[words[-1]], "ms"
    return 1.0, ""


def is_costly(name: str) -> bool:
    """Whether more of it hurts."""
    words = words_of(name)
    return not _COSTLY.isdisjoint(words) or _WAITING.issubset(words)


def is_duration(name: str) -> bool:
    """Whether it is a time, of whatever unit."""
    return not _DURATIONS.isdisjoint(words_of(name))


def is_amount(name: str) -> bool:
    """Whether it counts what something delivers."""
    return not _AMOUNTS.isdisjoint(words_of(name))
