"""Questions and answers, by session: what a follow-up question leaves out is taken from the question before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, insert, select

from catalog.schema import questions as table
from catalog.times import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class Question:
    """One question as it was understood, and what was answered."""

    session: str
    number: int
    asked_at: datetime
    text: str
    service: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    answer: str


def save(connection: Connection, question: Question) -> None:
    """Appends a question to its session, inside a transaction of the caller's."""
    connection.execute(
        insert(table).values(
            session=question.session,
            number=question.number,
            asked_at=to_microseconds(question.asked_at),
            text=question.text,
            service=question.service,
            starts_at=to_microseconds(question.starts_at),
            ends_at=to_microseconds(question.ends_at),
            answer=question.answer,
        )
    )


def load(connection: Connection, session: str) -> Sequence[Question]:
    """The questions of a session, in order."""
    rows = connection.execute(select(table).where(table.c.session == session).order_by(table.c.number))
    return [
        Question(
            row.session,
            row.number,
            cast(datetime, from_microseconds(row.asked_at)),
            row.text,
            row.service,
            from_microseconds(row.starts_at),
            from_microseconds(row.ends_at),
            row.answer,
        )
        for row in rows
    ]


def newest(connection: Connection, since: datetime) -> str | None:
    """The session that was used last, if it was used since a moment."""
    statement = (
        select(table.c.session)
        .group_by(table.c.session)
        .having(func.max(table.c.asked_at) >= to_microseconds(since))
        .order_by(func.max(table.c.asked_at).desc())
        .limit(1)
    )
    return connection.scalar(statement)
