"""The judged window: its bounds, and the moment from which the input is not what it was before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from core.domain import TimeWindow
from ingest import incidents
from ingest.activity import to_datetime, to_microseconds
from ingest.anomalies.symptom import Symptom


def bounds(
    table: pl.DataFrame, since: datetime | timedelta | None, until: datetime | timedelta | None
) -> tuple[int | None, int | None]:
    """`since` and `until` in microseconds; spans count back from the last record. None where not given or no times."""
    last = table["last_time"].max()
    if last is None:
        return None, None

    def resolve(bound: datetime | timedelta | None) -> int | None:
        if bound is None:
            return None
        if isinstance(bound, timedelta):
            return int(last) - bound // timedelta(microseconds=1)  # type: ignore[arg-type]  # Int64
        return to_microseconds(bound)

    return resolve(since), resolve(until)


def window(table: pl.DataFrame, since: int | None) -> TimeWindow:
    """The window from `since` (microseconds; the first record where None) to the last record."""
    first, last = table["first_time"].min(), table["last_time"].max()
    if first is None or last is None:
        return TimeWindow(None, None)
    start = max(int(first), since) if since is not None else int(first)  # type: ignore[arg-type]
    return TimeWindow(to_datetime(start), to_datetime(int(last)))  # type: ignore[arg-type]  # Int64


def change_found(symptoms: Sequence[Symptom], table: pl.DataFrame) -> datetime | None:
    """When the input changed: the first symptom that speaks for trouble and has a tenth of the window before it.

    What stands at the very start has too little before it to have been judged against.
    """
    first, last = table["first_time"].min(), table["last_time"].max()
    starts = [s.start for s in symptoms if s.timed and s.anomaly.p_value is not None and s.weight >= incidents.CORE]
    if first is None or last is None or not starts:
        return None
    least = int(first) + (int(last) - int(first)) // 10  # type: ignore[arg-type]  # Int64
    return to_datetime(min((start for start in starts if start >= least), default=None))
