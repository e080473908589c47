"""The panel: counts of each series (template, service, severity) in each bucket, reference columns first.

Everything that judges rates works on this one matrix. The columns before `start` are the reference: the baseline, what
was learned, or the part of the input before `since`. The rest is the judged window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.anomalies.statistics import Floats
from ingest.counts import SECOND, HistoryRow

MOST_BUCKETS: Final = 240
EARLY: Final = 0.07
"""Share of an input without reference by which what always belonged to it was there."""

LEAST_RECORDS: Final = 8
"""Records that a bucket should hold on average: below that, wider buckets say more."""

_WIDTHS: Final = tuple(
    m * unit
    for unit, multiples in ((1, (1, 2, 5, 10, 15, 20, 30)), (60, (1, 2, 3, 5, 10, 15, 20, 30)), (3600, (1, 2, 4, 12)))
    for m in multiples
) + tuple(86_400 * days for days in (1, 2, 5, 10, 30, 100, 1000))
"""Seconds that people count in."""

Series = tuple[int, str | None, int]
"""Template, service, severity."""

Slot = tuple[str, int, int]
"""Source, bucket and width of what an earlier run learned."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`counts` has shape (series, buckets); `exposure` (buckets,) is their length in units of the window's buckets.

    `starts` are the buckets' starts (microseconds, or records read before on the order axis; 0 for reference columns
    without a place on the axis). `known` is the first column of the baseline (`own` where there is none), `own` the
    first of this run, `start` the first that is judged. `trusted` columns count as normal; others (earlier incidents)
    only make known. `learned` says in which column a slot of an earlier run stands.
    """

    series: tuple[Series, ...]
    counts: Floats
    exposure: Floats
    starts: NDArray[np.int64]
    trusted: NDArray[np.bool_]
    start: int
    known: int
    own: int
    width: int
    timed: bool
    learned: Mapping[Slot, int] = field(default_factory=dict)

    @property
    def buckets(self) -> int:
        """Number of columns."""
        return int(self.counts.shape[1])


def analysis_width(table: pl.DataFrame, width: int, timed: bool) -> int:
    """The width of buckets to judge: a multiple of `width` that gives at most `MOST_BUCKETS` well-filled buckets."""
    if table.is_empty():
        return width
    low, high = _span(table)
    records = int(table["count"].sum())
    wanted = min(MOST_BUCKETS, max(12, records // LEAST_RECORDS))
    ladder = [SECOND * s for s in _WIDTHS if SECOND * s % width == 0] if timed else [width * 2**i for i in range(40)]
    least = max(width, -(-(high - low + 1) // wanted))
    return next((w for w in ladder if w >= least), ladder[-1])


def _span(table: pl.DataFrame) -> tuple[int, int]:
    """First and last bucket, but for stray clocks: if the outer 0.2 % of records double the span, they are left out."""
    by_bucket = table.group_by("bucket").agg(pl.col("count").sum()).sort("bucket")
    starts = by_bucket["bucket"].to_numpy()
    share = np.cumsum(by_bucket["count"].to_numpy()) / by_bucket["count"].sum()
    low, high = int(starts[0]), int(starts[-1])
    inner_low = int(starts[np.searchsorted(share, 0.001)])
    inner_high = int(starts[min(len(starts) - 1, int(np.searchsorted(share, 0.999)))])
    if high - low > 4 * max(inner_high - inner_low, 60 * SECOND):
        return inner_low, inner_high
    return low, high


def build(
    table: pl.DataFrame,
    width: int,
    *,
    timed: bool,
    since: int | None = None,
    baseline: pl.DataFrame | None = None,
    baseline_timed: bool = False,
    learned: Sequence[HistoryRow] = (),
) -> Panel:
    """The panel of a run's `table` (one axis of `ingest.counts.TABLE`) in buckets of `width`.

    `baseline` is another run's table. Its columns keep their own buckets where both are timed; otherwise it is one
    column whose exposure is its number of records, in units of the window's average bucket.
    """
    low, high = _span(table) if not table.is_empty() else (0, 0)
    low = low // width * width
    columns = int((high - low) // width) + 1
    index: dict[Series, int] = {}
    cells: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats, int]] = []
    exposures: list[Floats] = []
    starts: list[NDArray[np.int64]] = []
    trusted: list[NDArray[np.bool_]] = []
    known_slots: dict[Slot, int] = {}
    offset = 0

    def place(
        frame: pl.DataFrame, column: NDArray[np.int64], exposure: Floats, at: NDArray[np.int64], ok: bool
    ) -> None:
        nonlocal offset
        cells.append((_rows(frame, index), column, frame["count"].to_numpy().astype(np.float64), offset))
        exposures.append(exposure)
        starts.append(at)
        trusted.append(np.full(len(exposure), ok))
        offset += len(exposure)

    per_bucket = max(1.0, float(table["count"].sum() or 0) / columns) if not table.is_empty() else 1.0
    for rows, ok in ((r, w) for w in (True, False) for r in _learned_blocks(learned, w)):
        frame, column, exposure, at, slots = _learned_columns(rows, width, per_bucket, timed)
        known_slots.update({slot: offset + number for slot, number in slots.items()})
        place(frame, column, exposure, at, ok)
    first_known = offset
    if baseline is not None and not baseline.is_empty():
        if timed and baseline_timed:
            first, last = _span(baseline)
            first = first // width * width
            count = min(int((last - first) // width) + 1, 4 * MOST_BUCKETS)
            column = np.clip((baseline["bucket"].to_numpy() - first) // width, 0, count - 1)
            at = np.asarray(first + np.arange(count) * width, dtype=np.int64)
            place(baseline, column, np.ones(count), at, True)
        else:
            exposure = np.array([max(1.0, float(baseline["count"].sum()) / per_bucket)])
            place(baseline, np.zeros(len(baseline), dtype=np.int64), exposure, np.zeros(1, dtype=np.int64), True)
    own = reference = offset
    column = np.clip((table["bucket"].to_numpy() - low) // width, 0, columns - 1)
    exposure = np.ones(columns)
    place(table, column, exposure, np.asarray(low + np.arange(columns) * width, dtype=np.int64), True)
    if since is not None:
        reference += int(np.clip(np.ceil((since - low) / width), 0, columns))
    counts = np.zeros((len(index), offset))
    for places, column, values, shift in cells:
        np.add.at(counts, (places, column + shift), values)
    return Panel(
        tuple(index),
        counts,
        np.concatenate(exposures),
        np.concatenate(starts),
        np.concatenate(trusted),
        reference,
        first_known,
        own,
        width,
        timed,
        known_slots,
    )


def _rows(frame: pl.DataFrame, index: dict[Series, int]) -> NDArray[np.int64]:
    keys = frame.select("template_id", pl.col("service").cast(pl.String), "severity")
    unique = keys.unique(maintain_order=True)
    numbers = [index.setdefault((t, s, v), len(index)) for t, s, v in unique.iter_rows()]
    joined = keys.join(
        unique.with_columns(row=pl.Series(numbers, dtype=pl.Int64)),
        on=["template_id", "service", "severity"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    return joined["row"].to_numpy()


def _learned_blocks(learned: Sequence[HistoryRow], trusted: bool) -> list[list[HistoryRow]]:
    rows = [row for row in learned if (row.weight > 0) == trusted]
    return [rows] if rows else []


def _learned_columns(
    rows: Sequence[HistoryRow], width: int, per_bucket: float, timed: bool
) -> tuple[pl.DataFrame, NDArray[np.int64], Floats, NDArray[np.int64], dict[Slot, int]]:
    in_time = sorted({(r.source, r.bucket, r.width) for r in rows}, key=lambda slot: (slot[1], slot[0], slot[2]))
    slots = {slot: number for number, slot in enumerate(in_time)}
    column = np.array([slots[r.source, r.bucket, r.width] for r in rows], dtype=np.int64)
    frame = pl.DataFrame(
        {
            "template_id": [r.template_id for r in rows],
            "service": [r.service or None for r in rows],
            "severity": [r.severity for r in rows],
            "count": [r.records for r in rows],
        },
        schema={"template_id": pl.Int64, "service": pl.String, "severity": pl.UInt8, "count": pl.Int64},
    )
    totals = np.zeros(len(slots))
    np.add.at(totals, column, frame["count"].to_numpy())
    exposure = np.array(
        [
            w / width if timed and w else max(1e-3, total / per_bucket)
            for (_, _, w), total in zip(slots, totals, strict=True)
        ]
    )
    at = np.array([bucket if w else 0 for _, bucket, w in slots], dtype=np.int64)
    return frame, column, exposure, at, slots


def coarser(panel: Panel, factor: int) -> Panel:
    """The panel with `factor` buckets in one, counted from `start`, so that no bucket mixes reference and window."""
    group = (np.arange(panel.buckets) - panel.start) // factor
    group -= group.min(initial=0)
    firsts = np.flatnonzero(np.diff(group, prepend=-1))
    trusted = np.logical_and.reduceat(panel.trusted, firsts)
    return replace(
        panel,
        counts=np.add.reduceat(panel.counts, firsts, axis=1),
        exposure=np.add.reduceat(panel.exposure, firsts) / factor,
        starts=panel.starts[firsts],
        trusted=trusted,
        start=int(group[panel.start]) if panel.start < panel.buckets else len(firsts),
        known=int(group[panel.known]) if panel.known < panel.buckets else len(firsts),
        own=int(group[panel.own]) if panel.own < panel.buckets else len(firsts),
        width=panel.width * factor,
    )


def began_within(panel: Panel) -> NDArray[np.bool_]:
    """Of each series whether it began in the midst of the input, shape (series,).

    Then neither the reference knows it, nor, where the input is its own reference, its first part (`EARLY`).
    """
    known = panel.start if panel.own > 0 else max(panel.start, math.ceil(EARLY * panel.buckets))
    return np.asarray(~(panel.counts[:, :known] > 0).any(axis=1))


def totals(panel: Panel) -> Mapping[int, int]:
    """Records by template in the whole panel."""
    result: dict[int, int] = {}
    for (template_id, _, _), row in zip(panel.series, panel.counts, strict=True):
        result[template_id] = result.get(template_id, 0) + int(row.sum())
    return result
