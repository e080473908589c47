"""Lines of one source -> batches of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import polars as pl

from core.batch import BATCH, LINES
from core.domain import Quarantined
from ingest.parsing import enrichment, folding, services
from ingest.parsing.decoder import SAMPLE_LINES, Decoder
from ingest.parsing.timestamps import Clock

UTC_ZONE: Final = ZoneInfo("UTC")
_HELD_RECORDS: Final = 2  # a record's first line may turn out to belong to the one before it when the next line is seen
_FIRST_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_TIME: Final = datetime(
    2286, 1, 1, tzinfo=UTC
)  # where epoch seconds get eleven digits; zero times lie before 1970
_ANSI: Final = r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x00"


class Parser:
    """Parses the lines of one source, in order; keeps the last records open until the next lines are seen.

    `parsed` and `unparsed` count physical lines of the records given out: their sum is the number of lines given in
    once `finish` was called. `formats` counts them by format (`cri+json` is JSON inside CRI).
    """

    SAMPLE_LINES: ClassVar[int] = SAMPLE_LINES

    def __init__(
        self,
        source: str,
        *,
        timezone: ZoneInfo = UTC_ZONE,
        modified_at: datetime | None,
        observed_at: datetime,
        service: str | None = None,
    ) -> None:
        self._source = source
        self._observed_at = observed_at.astimezone(UTC)
        self._service = service or services.of_file(source)
        self._given = service is not None
        self._decoder = Decoder(Clock(timezone, modified_at or observed_at))
        self._held: pl.DataFrame | None = None  # lines whose records are open, and what they were decoded to
        self._held_decoded: pl.DataFrame | None = None
        self._learned = False
        self._formats: Counter[str] = Counter()
        self._parsed = 0
        self._unparsed = 0
        self._quarantined: list[Quarantined] = []

    @property
    def formats(self) -> Mapping[str, int]:
        """Physical lines by format; lines that nothing matched are not in it."""
        return dict(self._formats)

    @property
    def parsed(self) -> int:
        """Physical lines of records that have a header."""
        return self._parsed

    @property
    def unparsed(self) -> int:
        """Physical lines of records that are a body without a header."""
        return self._unparsed

    def learn(self, lines: pl.DataFrame) -> None:
        """Finds the formats in the first lines of the source; done by the first `parse` unless it was done before."""
        if not self._learned:
            self._learned = True
            sample = lines.head(SAMPLE_LINES)
            self._decoder.learn(_clean(sample["line"]))
            if self._service is not None and not self._given and self._is_shared(sample):
                self._service = None

    def _is_shared(self, sample: pl.DataFrame) -> bool:
        """Whether several services write into the source: then the file's name stands for none of them."""
        decoded = self.decode(sample)
        records, _ = folding.fold(decoded, pl.Series([True]).new_from_index(0, decoded.height))
        named = enrichment.enrich(records).select(pl.coalesce("service", "program").drop_nulls()).to_series()
        return named.value_counts().filter(pl.col("count") > 1).height > 1

    def decode(self, lines: pl.DataFrame) -> pl.DataFrame:
        """DECODED columns and `position` of a frame of LINES, for `parse`; threads may do so at once after `learn`."""
        return self._decoder.decode(_clean(lines["line"]), lines["position"]).hstack([lines["position"]])

    def parse(self, lines: pl.DataFrame, decoded: pl.DataFrame | None = None) -> pl.DataFrame:
        """Records (`core.batch.BATCH`) of a frame of LINES; the last ones may come with the next call.

        `decoded`: what `decode` made of these lines, where that was done before.
        """
        if not lines.is_empty():
            self.learn(lines)
            if decoded is None:
                decoded = self.decode(lines)
        return self._records(lines, decoded, final=False)

    def finish(self) -> pl.DataFrame:
        """The records still open."""
        return self._records(pl.DataFrame(schema=LINES), None, final=True)

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """What was left out of records that grew too large."""
        return tuple(self._quarantined)

    def parse_alone(self, lines: pl.DataFrame, begin: pl.Series | None = None) -> pl.DataFrame:
        """Records of some lines of the source, all closed at the end; nothing is counted or kept.

        A gap in the positions begins a record, and so does each position in `begin`.
        """
        decoded = self.decode(lines)
        start = folding.starts(decoded, lines["position"])
        if begin is not None:
            start = start | lines["position"].is_in(begin.implode())
        records, _ = folding.fold(decoded, folding.capped(start))
        return self._batch(records)

    def parse_single(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Each line as a record of its own, and which of them could be part of a record of several lines."""
        decoded = self.decode(lines)
        records, _ = folding.fold(decoded, pl.Series([True]).new_from_index(0, decoded.height))
        return self._batch(records), folding.may_fold(decoded)

    def services_of(self, lines: pl.Series) -> pl.Series:
        """The service of each line, each taken for itself, as `parse_single` finds it and several times faster.

        Only lines in the usual formats of the source are asked; others have the service of the source, if any.
        """
        named = self._decoder.names_in(_clean(lines))
        given = pl.lit(self._service, dtype=pl.String)
        return named.select(pl.coalesce("service", "program", given, "fallback").alias("service")).to_series()

    def _records(self, lines: pl.DataFrame, decoded: pl.DataFrame | None, final: bool) -> pl.DataFrame:
        if self._held is not None and self._held_decoded is not None:
            together = pl.concat([self._held, lines])
            if decoded is None:
                decoded = self._held_decoded
            elif self._held_decoded["partial"][-1]:  # a part of a line: its other part is needed to decode it
                decoded = self.decode(together)
            else:
                decoded = pl.concat([self._held_decoded, decoded], rechunk=True)
            lines = together
            self._held = self._held_decoded = None
        if decoded is None:
            return pl.DataFrame(schema=BATCH)
        start = folding.capped(folding.starts(decoded, lines["position"]))
        if not final:
            ends = start.arg_true()
            if len(ends) <= _HELD_RECORDS:
                self._held, self._held_decoded = lines, decoded
                return pl.DataFrame(schema=BATCH)
            end = ends[-_HELD_RECORDS]
            self._held, self._held_decoded = _copied(lines[end:]), _copied(decoded[end:])
            decoded, start = decoded.head(end), start.head(end)
        records, cut = folding.fold(decoded, start)
        for position in cut:
            reason = f"record longer than {folding.MAX_BYTES} bytes: the rest of its body is left out"
            self._quarantined.append(Quarantined(self._source, position, reason))
        self._count(records)
        return self._batch(records)

    def _count(self, records: pl.DataFrame) -> None:
        if records["line_count"].max() == 1:
            sums = records["format"].value_counts()
        else:
            sums = records.group_by("format").agg(pl.col("line_count").sum())
        for code, lines in sums.iter_rows():
            if code:
                self._formats[self._decoder.names[code]] += lines
                self._parsed += lines
            else:
                self._unparsed += lines

    def _batch(self, records: pl.DataFrame) -> pl.DataFrame:
        records = enrichment.enrich(records)
        service = pl.coalesce("service", "program", pl.lit(self._service, dtype=pl.String), "fallback")
        return records.select(
            pl.lit(self._source).cast(BATCH["source"]).alias("source"),
            pl.col("position"),
            pl.when(pl.col("timestamp").is_between(_FIRST_TIME, _LAST_TIME)).then(pl.col("timestamp")),
            pl.lit(self._observed_at, dtype=BATCH["observed_timestamp"]).alias("observed_timestamp"),
            pl.col("severity"),
            service.cast(BATCH["service"]).alias("service"),
            pl.col("body"),
            pl.col("trace_id"),
            pl.col("span_id"),
            pl.col("attributes"),
            pl.col("line_count"),
        )


def _clean(lines: pl.Series) -> pl.Series:
    """Lines without terminal escapes and NUL bytes."""
    if lines.str.contains("[\x1b\x00]").any():
        return lines.str.replace_all(_ANSI, "")
    return lines


def _copied(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with its own texts: a slice would keep those of the whole block alive."""
    return frame.with_columns(pl.col(pl.String) + "")
