"""Moments as the catalog keeps them: microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, overload

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def to_microseconds(moment: datetime) -> int: ...
@overload
def to_microseconds(moment: None) -> None: ...
@overload
def to_microseconds(moment: datetime | None) -> int | None: ...
def to_microseconds(moment: datetime | None) -> int | None:
    """Microseconds since the epoch; None stays None."""
    return None if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int | None) -> datetime | None:
    """The moment of a number of microseconds; None stays None."""
    return None if value is None else EPOCH + timedelta(microseconds=value)
