"""Which inputs were analysed, and what they cover: a later question about that time reads them again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import orjson
from sqlalchemy import Connection, Row, delete, insert, or_, select

from catalog.schema import runs as table
from catalog.times import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class Run:
    """One set of inputs. `paths` are absolute; `starts_at` and `ends_at` are the first and last time in them."""

    paths: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    services: tuple[str, ...]
    analysed_at: datetime

    @property
    def id(self) -> str:
        """The same inputs are the same run."""
        return hashlib.sha256("\0".join(sorted(self.paths)).encode("utf-8", "surrogateescape")).hexdigest()


def save(connection: Connection, run: Run) -> None:
    """Stores a run, inside a transaction of the caller's; the same inputs replace their run."""
    connection.execute(delete(table).where(table.c.id == run.id))
    connection.execute(
        insert(table).values(
            id=run.id,
            paths=orjson.dumps([path.encode("utf-8", "replace").decode() for path in run.paths]).decode(),
            starts_at=to_microseconds(run.starts_at),
            ends_at=to_microseconds(run.ends_at),
            services=orjson.dumps(run.services).decode(),
            analysed_at=to_microseconds(run.analysed_at),
        )
    )


def covering(connection: Connection, start: datetime | None, end: datetime | None) -> Sequence[Run]:
    """Runs whose inputs touch [start, end], the newest analysis first; None is unbounded."""
    statement = select(table).order_by(table.c.analysed_at.desc(), table.c.id)
    if start is not None:
        statement = statement.where(or_(table.c.ends_at >= to_microseconds(start), table.c.ends_at.is_(None)))
    if end is not None:
        statement = statement.where(or_(table.c.starts_at <= to_microseconds(end), table.c.starts_at.is_(None)))
    return [_run(row) for row in connection.execute(statement)]


def _run(row: Row[tuple[object, ...]]) -> Run:
    return Run(
        paths=tuple(orjson.loads(row.paths)),
        starts_at=from_microseconds(row.starts_at),
        ends_at=from_microseconds(row.ends_at),
        services=tuple(orjson.loads(row.services)),
        analysed_at=cast(datetime, from_microseconds(row.analysed_at)),
    )
