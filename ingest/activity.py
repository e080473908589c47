"""What templates did over time in one run: `core.ports.TemplateHistory` over the run's counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

import polars as pl

from core.domain import Citation, LogTemplate, TemplateActivity
from ingest.counts import HistoryRow


def to_datetime(microseconds: int | None) -> datetime | None:
    """The aware UTC time of microseconds since the epoch."""
    if microseconds is None:
        return None
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC) + timedelta(microseconds=microseconds % 1_000_000)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of an aware time, exactly."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@dataclass(frozen=True)
class RunHistory:
    """The counts of one run, and those it was judged against.

    `table` is `ingest.counts.TABLE`; `baseline` another run's; `learned` rows of earlier runs. `anomalous` are the
    spans inside incidents (microseconds), which are not learnt as normal; `untimed_anomalous` says that records without
    a time are part of one. `run` names the run's set of inputs.
    """

    table: pl.DataFrame
    width: int
    templates: Mapping[int, LogTemplate]
    run: str
    baseline: pl.DataFrame | None = None
    learned: tuple[HistoryRow, ...] = ()
    anomalous: tuple[tuple[int, int], ...] = ()
    untimed_anomalous: bool = False
    observed_at: datetime = field(default=datetime(1970, 1, 1, tzinfo=UTC))

    def activity(self, start: datetime | None, end: datetime | None) -> Sequence[TemplateActivity]:
        """Each template and service seen in [start, end], with its counts there and before; most first.

        Bounds are widened to whole buckets. Records without a time are inside every window.
        """
        return self._remembered(start, end)

    @cached_property
    def _remembered(self) -> Callable[[datetime | None, datetime | None], Sequence[TemplateActivity]]:
        """`activity` of the last windows asked for: the same few are asked for again to explain an incident."""
        return lru_cache(maxsize=8)(self._activity)

    def _activity(self, start: datetime | None, end: datetime | None) -> Sequence[TemplateActivity]:
        inside = self._inside(start, end)
        if inside.is_empty():
            return []
        before, reference = self._before(start)
        keys = ["template_id", "service"]
        rows = (
            inside.group_by(keys, maintain_order=True)
            .agg(
                pl.col("severity").max(),
                pl.col("count").sum(),
                pl.col("first_source", "first_position", "first_time").sort_by("bucket", maintain_order=True).first(),
                pl.col("last_time").max(),
            )
            .with_columns(pl.col("service").cast(pl.String), pl.col("first_source").cast(pl.String))
            .sort("count", "template_id", descending=[True, False], maintain_order=True)
        )
        window = self._length(inside)
        return [
            TemplateActivity(
                template_id=row["template_id"],
                text=self._text(row["template_id"]),
                service=row["service"],
                severity=row["severity"],
                during=row["count"],
                before=before.get((row["template_id"], row["service"]), 0),
                first=Citation(row["first_source"], row["first_position"]),
                first_seen=to_datetime(row["first_time"]),
                last_seen=to_datetime(row["last_time"]),
                window=window,
                reference=reference,
            )
            for row in rows.iter_rows(named=True)
        ]

    def series(self, template_id: int, service: str | None) -> Sequence[tuple[datetime | None, int]]:
        """Records per bucket of time, in order; one entry without a time for those that have none."""
        mine = self._of(template_id, service)
        timed = mine.filter("timed").group_by("bucket").agg(pl.col("count").sum()).sort("bucket")
        found: list[tuple[datetime | None, int]] = [(to_datetime(bucket), count) for bucket, count in timed.iter_rows()]
        untimed = int(mine.filter(~pl.col("timed"))["count"].sum())
        return [*found, (None, untimed)] if untimed else found

    def examples(
        self, template_id: int, service: str | None, start: datetime | None, end: datetime | None, limit: int
    ) -> Sequence[Citation]:
        """Places of some records of a template in [start, end], the earliest first, spread over the window."""
        mine = self._of(template_id, service)
        low = to_microseconds(start) if start else None
        high = to_microseconds(end) if end else None
        places: dict[Citation, int] = {}
        for which in ("first", "last"):
            moment_of = pl.col(f"{which}_time").fill_null(pl.col("bucket"))
            source_of = pl.col(f"{which}_source").cast(pl.String)
            rows = mine.select(source_of, f"{which}_position", moment_of, "timed")
            for source, position, moment, timed in rows.iter_rows():
                if timed and ((low is not None and moment < low) or (high is not None and moment > high)):
                    continue
                places.setdefault(Citation(source, position), moment)
        ordered = sorted(places, key=lambda citation: (places[citation], citation.source, citation.position))
        if len(ordered) <= limit:
            return ordered
        step = (len(ordered) - 1) / max(1, limit - 1)
        return list(dict.fromkeys(ordered[round(i * step)] for i in range(limit)))

    def trace_ids(self, template_id: int, service: str | None, limit: int) -> frozenset[str]:
        """Some trace ids of a template's records."""
        found = self._of(template_id, service)["trace_id"].drop_nulls().unique(maintain_order=True)
        return frozenset(found.head(limit).to_list())

    def _text(self, template_id: int) -> str:
        template = self.templates.get(template_id)
        return template.text if template else ""

    def _of(self, template_id: int, service: str | None) -> pl.DataFrame:
        same = pl.col("service").is_null() if service is None else pl.col("service") == service
        return self.table.filter((pl.col("template_id") == template_id) & same)

    def _inside(self, start: datetime | None, end: datetime | None) -> pl.DataFrame:
        keep = pl.lit(True)
        if start is not None:
            keep &= pl.col("last_time") >= to_microseconds(start)
        if end is not None:
            keep &= pl.col("first_time") <= to_microseconds(end)
        return self.table.filter(~pl.col("timed") | keep)

    def _before(self, start: datetime | None) -> tuple[dict[tuple[int, str | None], int], timedelta | None]:
        counts: dict[tuple[int, str | None], int] = {}
        length = 0
        frames = [self.baseline] if self.baseline is not None else []
        if start is not None:
            frames.append(self.table.filter(pl.col("timed") & (pl.col("last_time") < to_microseconds(start))))
        for frame in frames:
            grouped = frame.group_by("template_id", pl.col("service").cast(pl.String)).agg(pl.col("count").sum())
            for template_id, service, count in grouped.iter_rows():
                counts[template_id, service] = counts.get((template_id, service), 0) + count
            timed = frame.filter("timed")
            if not timed.is_empty():
                first, last = _extent(timed)
                length += last - first
        for row in self.learned:
            key = (row.template_id, row.service or None)
            counts[key] = counts.get(key, 0) + row.records
        length += sum({(row.source, row.bucket): row.width for row in self.learned}.values())
        return counts, timedelta(microseconds=length) if length else None

    @staticmethod
    def _length(frame: pl.DataFrame) -> timedelta | None:
        timed = frame.filter("timed")
        if timed.is_empty():
            return None
        first, last = _extent(timed)
        return timedelta(microseconds=last - first)


def seen_templates(templates: Mapping[int, LogTemplate], table: pl.DataFrame) -> dict[int, LogTemplate]:
    """The templates seen in the run, with their counts, worst severity, main service and times."""
    grouped = (
        table.sort("count", descending=True, maintain_order=True)
        .group_by("template_id", maintain_order=True)
        .agg(
            pl.col("count").sum(),
            pl.col("severity").max(),
            pl.col("service").cast(pl.String).first(),
            pl.col("first_time").min(),
            pl.col("last_time").max(),
        )
    )
    return {
        template_id: replace(
            templates.get(template_id, LogTemplate(template_id, "")),
            count=records,
            severity=level,
            service=service,
            first_seen=to_datetime(first),
            last_seen=to_datetime(last),
        )
        for template_id, records, level, service, first, last in grouped.iter_rows()
    }


def _extent(timed: pl.DataFrame) -> tuple[int, int]:
    first, last = timed.select(pl.col("first_time").min(), pl.col("last_time").max()).row(0)
    return int(first), int(last)
