"""What earlier runs counted, per template, service and bucket of time: the learned state that new windows are judged
against. A run is known by its set of inputs: learning the same inputs again replaces what they taught."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection, delete, insert, select

from catalog.schema import template_history as table

Row: TypeAlias = tuple[str, int, str, int, int, int, int, float, str]
"""source, template_id, service, bucket, width, severity, count, weight, samples; times in microseconds."""

_COLUMNS: Final = ("source", "template_id", "service", "bucket", "width", "severity", "count", "weight", "samples")


def save(connection: Connection, rows: Iterable[Row]) -> None:
    """Replaces the rows of each source among `rows`, inside a transaction of the caller's."""
    values = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    for source in sorted({str(value["source"]) for value in values}):
        connection.execute(delete(table).where(table.c.source == source))
    if values:
        connection.execute(insert(table), values)


def load(connection: Connection) -> Sequence[Row]:
    """Every row, ordered by key."""
    statement = select(*(table.c[name] for name in _COLUMNS)).order_by(*table.primary_key.columns)
    return [cast(Row, tuple(row)) for row in connection.execute(statement)]


def forget(connection: Connection, before: int) -> int:
    """Deletes rows whose bucket starts before a moment (microseconds since the epoch); returns how many."""
    return connection.execute(delete(table).where(table.c.bucket < before)).rowcount
