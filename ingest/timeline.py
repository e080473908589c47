"""The input as a few slices: records by severity name, for the histogram of a report."""

from __future__ import annotations

from typing import Final

import polars as pl

from core import severity
from core.findings import TimelineBucket
from ingest.activity import to_datetime

SLICES: Final = 60
"""Slices at most."""


def timeline(table: pl.DataFrame) -> tuple[TimelineBucket, ...]:
    """Equal slices of time over `ingest.counts.TABLE`; of records where nothing has a time. Empty slices are kept."""
    if table.is_empty():
        return ()
    timed = table.filter("timed")
    rows = table if timed.is_empty() else timed
    low, high = int(rows["bucket"].min()), int(rows["bucket"].max())  # type: ignore[arg-type]  # Int64
    width = -(-(high - low + 1) // SLICES)
    count = (high - low) // width + 1
    slices: list[dict[str, int]] = [{} for _ in range(count)]
    grouped = rows.group_by((pl.col("bucket") - low) // width, "severity").agg(pl.col("count").sum()).sort("severity")
    for index, number, records in grouped.iter_rows():
        name = severity.name(number)
        slices[index][name] = slices[index].get(name, 0) + records
    if timed.is_empty():
        return tuple(TimelineBucket(None, None, counts) for counts in slices)
    return tuple(
        TimelineBucket(to_datetime(low + i * width), to_datetime(low + (i + 1) * width), counts)
        for i, counts in enumerate(slices)
    )
