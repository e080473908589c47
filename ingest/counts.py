"""The counted history of a run: how often each template of each service occurred, when, and where.

The hot path is one group-by per batch over columns; no Python object is made per line. Memory is bounded: buckets begin
narrow and are widened (`WIDTHS`) whenever the table outgrows `MAX_ROWS`, so a year of logs costs what an hour does.

Records without a time take the time of the record before them in their source. A source whose first batch has no times
at all is counted on the *order axis*: a bucket is then a run of records, and `start` counts records, not microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import polars as pl

SECOND: Final = 1_000_000
"""Microseconds of a second: the unit of the time axis is the microsecond."""

WIDTHS: Final = tuple(SECOND * s for s in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14_400, 43_200, 86_400, 864_000))
"""Widths of buckets on the time axis, microseconds; each divides the next."""

MAX_ROWS: Final = 150_000
"""Rows of the table above which buckets are widened."""

DENSE_ROWS: Final = 2_000
"""Rows that one batch may add before it is asked whether its buckets are worth their number."""

SAMPLE_CHARACTERS: Final = 300
"""Characters kept of a sampled message."""

ATTRIBUTE_BYTES: Final = 600
"""Bytes of sampled attributes above which they are left out: cut JSON is no JSON."""

TABLE: Final = pl.Schema(
    {
        "template_id": pl.Int64(),
        "service": pl.Categorical(),
        "severity": pl.UInt8(),
        "timed": pl.Boolean(),  # whether `bucket` is a time
        "bucket": pl.Int64(),  # start: microseconds since the epoch, or records read before
        "count": pl.UInt32(),
        "first_source": pl.Categorical(),
        "first_position": pl.UInt64(),
        "first_time": pl.Int64(),  # microseconds since the epoch, null on the order axis
        "last_source": pl.Categorical(),
        "last_position": pl.UInt64(),
        "last_time": pl.Int64(),
        "trace_id": pl.String(),  # of the first record
        "sample": pl.String(),  # the first record's message, cut
        "attributes": pl.String(),  # the first record's other fields, JSON, null where long
    }
)
"""One row per template, service, severity and bucket; `first` and `last` are in the order of reading."""

_KEYS: Final = ("template_id", "service", "severity", "timed", "bucket")


class HistoryRow(NamedTuple):
    """Records of one template of one service in one bucket of time, as one run counted them.

    `source` is the run's set of inputs: learning the same inputs again replaces its rows. `bucket` is the bucket's
    start and `width` its length, both in microseconds (since the epoch); rows without times have width 0, and `bucket`
    is then the moment they were first learned, which orders them. `service` is empty where unknown. `weight` is 0 for
    buckets inside an incident: they are remembered (their templates are known) but are no measure of what is normal.
    `samples` holds values of their parameters (`ingest.anomalies.remembered`), empty where there are none.
    """

    source: str
    template_id: int
    service: str
    bucket: int
    width: int
    severity: int
    records: int
    weight: float = 1.0
    samples: str = ""


@dataclass(frozen=True, slots=True)
class LearnedHistory:
    """What earlier runs counted. Build it with `from_rows`, store it with `rows`."""

    entries: tuple[HistoryRow, ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, int, str, int, int, int, int, float, str]]) -> LearnedHistory:
        """The history of rows in any order, their fields in `HistoryRow`'s order."""
        return cls(tuple(sorted(HistoryRow(*row) for row in rows)))

    def rows(self) -> tuple[HistoryRow, ...]:
        """The rows, ordered by source, template, service, bucket."""
        return self.entries


class TemplateCounts:
    """Counts batches of `core.batch.MINED`. Not thread-safe: feed it from one thread, batches of a source in order."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.max_rows = max_rows
        self.width = WIDTHS[0]
        self.order_width = 1
        self.records = 0
        self.lines = 0
        self._pending: list[pl.DataFrame] = []
        self._pending_rows = 0
        self._table = TABLE.to_frame()
        self._timed: dict[str, bool] = {}
        self._clock: dict[str, int] = {}

    def add(self, source: str, batch: pl.DataFrame) -> None:
        """Counts one batch of one source. Columns used: all of `MINED` but `observed_timestamp`."""
        if batch.is_empty():
            return
        times = batch["timestamp"].dt.epoch("us")
        timed = self._timed.get(source)
        if timed is None:
            timed = self._timed[source] = times.null_count() < len(times)
        if timed:
            times = self._fill(source, times)
            bucket = times // self.width * self.width
        else:
            ordinal = pl.int_range(self.records, self.records + len(batch), dtype=pl.Int64, eager=True)
            bucket = ordinal // self.order_width * self.order_width
        index = pl.int_range(0, len(batch), dtype=pl.UInt32, eager=True)
        groups = (
            batch.select("template_id", "service", "severity", bucket=bucket, index=index)
            .group_by("template_id", "service", "severity", "bucket", maintain_order=True)
            .agg(count=pl.len(), first=pl.col("index").first(), last=pl.col("index").last())
        )
        first, last = groups["first"], groups["last"]
        known = times if timed else pl.Series([None], dtype=pl.Int64).new_from_index(0, len(batch))
        self._push(
            groups.select(
                "template_id",
                "service",
                "severity",
                pl.lit(timed).alias("timed"),
                "bucket",
                pl.col("count").cast(pl.UInt32),
                batch["source"].gather(first).alias("first_source"),
                batch["position"].gather(first).alias("first_position"),
                known.gather(first).alias("first_time"),
                batch["source"].gather(last).alias("last_source"),
                batch["position"].gather(last).alias("last_position"),
                known.gather(last).alias("last_time"),
                batch["trace_id"].gather(first),
                # A copy: a view would keep the whole batch's text alive.
                (batch["body"].gather(first).str.slice(0, SAMPLE_CHARACTERS) + "").alias("sample"),
                _short(batch["attributes"].gather(first)).alias("attributes"),
            ),
            len(batch),
            timed,
        )
        self.records += len(batch)
        self.lines += int(batch["line_count"].sum())

    def _fill(self, source: str, times: pl.Series) -> pl.Series:
        if times.null_count() == 0:
            self._clock[source] = int(times[-1])
            return times
        filled = times.fill_null(strategy="forward")
        if filled.null_count():
            before = self._clock.get(source)
            # Records above the first time of a source happened before it, at an unknown moment: the nearest known one.
            filled = filled.fill_null(before) if before is not None else filled.fill_null(strategy="backward")
        if filled.null_count() == 0:
            self._clock[source] = int(filled[-1])
            return filled
        return filled.fill_null(0)

    def _push(self, rows: pl.DataFrame, records: int, timed: bool) -> None:
        self._pending.append(rows)
        self._pending_rows += len(rows)
        if self._pending_rows > max(self.max_rows // 2, len(self._table)):
            self._compact()
        elif records >= 4 * DENSE_ROWS and len(rows) > max(DENSE_ROWS, records // 5):
            # Buckets that hold hardly more than one record each save nothing: widen before the table fills.
            self._widen(timed)

    def _compact(self) -> None:
        if not self._pending:
            return
        self._table = merged(pl.concat([self._table, *self._pending]))
        self._pending, self._pending_rows = [], 0
        while len(self._table) > self.max_rows:
            timed = self._table["timed"]
            # The axis with more rows gives way.
            if not self._widen(2 * int(timed.sum()) >= len(timed)):
                break
            width = pl.when("timed").then(self.width).otherwise(self.order_width)
            self._table = merged(self._table.with_columns(pl.col("bucket") // width * width))

    def _widen(self, timed: bool) -> bool:
        if timed:
            wider = next((w for w in WIDTHS if w > self.width), None)
            if wider is None:
                return False
            self.width = wider
        elif self.order_width < 1 << 40:
            self.order_width *= 4
        else:
            return False
        return True

    def table(self) -> pl.DataFrame:
        """The counts so far, `TABLE`, in the order of first reading within each key."""
        self._compact()
        width = pl.when("timed").then(self.width).otherwise(self.order_width)
        return self._table.with_columns(pl.col("bucket") // width * width).pipe(merged)


def _short(attributes: pl.Series) -> pl.Series:
    if attributes.null_count() == len(attributes):
        return attributes
    return (
        attributes.to_frame()
        .select(pl.when(pl.first().str.len_bytes() <= ATTRIBUTE_BYTES).then(pl.first() + ""))
        .to_series()
    )


def merged(table: pl.DataFrame) -> pl.DataFrame:
    """Rows (`TABLE`) of equal keys as one, in the order of first reading."""
    result = table.group_by(_KEYS, maintain_order=True).agg(
        pl.col("count").sum(),
        pl.col("first_source", "first_position", "first_time").first(),
        pl.col("last_source", "last_position", "last_time").last(),
        pl.col("trace_id").drop_nulls().first(),
        pl.col("sample", "attributes").first(),
    )
    return result.select(TABLE.names()).cast(TABLE)
