"""What the window is judged against: the baseline, what earlier runs learned, or the input before the change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from ingest.activity import RunHistory, to_microseconds
from ingest.anomalies.subject import duration, spoken
from ingest.counts import WIDTHS, HistoryRow, LearnedHistory
from ingest.samples import PER_BUCKET, PER_RUN, sampled

LEARNED_BUCKETS = 48
"""Buckets that one run adds to the learned state at most, per template and service."""


def earlier(learned: LearnedHistory | None, run: str, table: pl.DataFrame, since: int | None) -> tuple[HistoryRow, ...]:
    """The learned rows that lie before the window of this run.

    Timed rows: buckets that end before the window starts, so what this input itself taught is never used on it. Rows
    without times: those learned before this run's inputs were first learned.
    """
    if learned is None or table.is_empty():
        return ()
    timed = bool(table["timed"].any())
    if timed:
        start = int(table.filter("timed")["first_time"].min()) if since is None else since  # type: ignore[arg-type]
        return tuple(row for row in learned.entries if row.width and row.bucket + row.width <= start)
    own = [row.bucket for row in learned.entries if row.source == run and not row.width]
    first_learned = min(own, default=1 << 62)
    return tuple(row for row in learned.entries if not row.width and row.source != run and row.bucket < first_learned)


def describe(
    baseline: pl.DataFrame | None, learned: Sequence[HistoryRow], since: datetime | None, found: datetime | None
) -> str:
    """The reference in words; `found` is when the change in the input itself began."""
    parts = []
    if baseline is not None and not baseline.is_empty():
        parts.append(f"the baseline ({int(baseline['count'].sum()):,} records{_length(baseline)})")
    if learned:
        runs = len({row.source for row in learned})
        parts.append(f"what {runs} earlier run{'s' if runs > 1 else ''} counted")
    if since is not None:
        parts.append(f"the input before {since:%Y-%m-%d %H:%M:%S}Z")
    if parts:
        return " and ".join(parts)
    if found is not None:
        return f"the input before {found:%Y-%m-%d %H:%M:%S}Z, where it changed"
    return "no reference: no change was found in the input, so it is judged by what it says itself"


def _length(table: pl.DataFrame) -> str:
    timed = table.filter("timed")
    if timed.is_empty():
        return ""
    span = int(timed["last_time"].max()) - int(timed["first_time"].min())  # type: ignore[arg-type]  # Int64
    return f" over {duration(timedelta(seconds=span // 1_000_000))}"


def learn(history: RunHistory, learned: LearnedHistory | None) -> LearnedHistory:
    """This run's rows: counts and values in at most `LEARNED_BUCKETS` buckets; weight 0, no values inside incidents."""
    if history.table.is_empty():
        return LearnedHistory()
    # By the severities that windows are judged by.
    table = spoken(history.table, history.templates)
    keys = ["template_id", "service", "severity"]
    rows: list[HistoryRow] = []
    timed = table.filter("timed")
    if not timed.is_empty():
        low, high = int(timed["bucket"].min()), int(timed["bucket"].max())  # type: ignore[arg-type]  # Int64
        least = max(history.width, -(-(high - low + 1) // LEARNED_BUCKETS))
        width = next((w for w in WIDTHS if w >= least), WIDTHS[-1])
        timed = timed.with_columns(pl.col("bucket") // width * width)
        samples = sampled(timed, history.templates, PER_BUCKET)
        grouped = timed.group_by(*keys, "bucket", maintain_order=True).agg(pl.col("count").sum())
        for template_id, service, level, bucket, count in grouped.iter_rows():
            normal = not any(bucket <= end and bucket + width > start for start, end in history.anomalous)
            weight, kept = (1.0, samples.get((template_id, service, level, bucket), "")) if normal else (0.0, "")
            rows.append(HistoryRow(history.run, template_id, service or "", bucket, width, level, count, weight, kept))
    untimed = table.filter(~pl.col("timed"))
    if not untimed.is_empty():
        own = [r.bucket for r in (learned.entries if learned else ()) if r.source == history.run and not r.width]
        moment = min(own, default=to_microseconds(history.observed_at))
        weight = 0.0 if history.untimed_anomalous else 1.0
        whole = untimed.with_columns(bucket=pl.lit(moment, dtype=pl.Int64))
        samples = sampled(whole, history.templates, PER_RUN) if weight else {}
        grouped = untimed.group_by(*keys, maintain_order=True).agg(pl.col("count").sum())
        for template_id, service, level, count in grouped.iter_rows():
            kept = samples.get((template_id, service, level, moment), "")
            rows.append(HistoryRow(history.run, template_id, service or "", moment, 0, level, count, weight, kept))
    return LearnedHistory(tuple(sorted(rows)))
