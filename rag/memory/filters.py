"""A `MemoryFilter` as a Milvus boolean expression. Values are quoted: text from logs never becomes part of a filter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from core.memory import MemoryFilter

NO_TIME: Final = -(2**62)
"""What the store keeps where a document has no time."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


def expression(where: MemoryFilter) -> str:
    """The filter, `""` where everything passes."""
    parts = [
        _any_of("kind", [kind.value for kind in where.kinds]),
        " or ".join(f'services like "%|{service_key(service)}|%"' for service in where.services),
        _any_of("level", where.levels),
        _any_of("outcome", [outcome.value for outcome in where.outcomes]),
        "" if where.tenant is None else f"tenant == {quoted(where.tenant)}",
        "" if where.start is None else f"starts_at >= {micros(where.start)}",
        "" if where.end is None else f"starts_at <= {micros(where.end)} and starts_at != {NO_TIME}",
        f"id not in [{', '.join(map(quoted, where.exclude_ids))}]" if where.exclude_ids else "",
    ]
    return " and ".join(f"({part})" for part in parts if part)


def ids_expression(ids: Sequence[str]) -> str:
    """Documents with one of these ids. (pymilvus quotes ids that it is given as such by hand, and wrongly.)"""
    return f"id in [{', '.join(map(quoted, ids))}]"


def prefix_expression(prefix: str) -> str:
    """Ids that start with a text, and perhaps some more: the caller compares."""
    return f"id >= {quoted(prefix)} and id < {quoted(prefix + chr(0x10FFFF))}"


def services_field(services: tuple[str, ...]) -> str:
    """Services as one text that `like` can search: `|checkout|db|`."""
    return "|" + "".join(f"{service_key(service)}|" for service in services)


def service_key(service: str) -> str:
    """A service name in which nothing is special to a pattern, whatever its case."""
    return "".join(char if char in _PLAIN else f"~{ord(char):x}~" for char in service.casefold())


def quoted(text: str) -> str:
    """A text as a literal of the expression language."""
    return orjson.dumps(text).decode()


def micros(time: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def _any_of(field: str, values: object) -> str:
    texts = [str(value) for value in values] if isinstance(values, (list, tuple)) else []
    return f"{field} in [{', '.join(map(quoted, texts))}]" if texts else ""
