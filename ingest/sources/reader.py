"""Reads records again by citation: evidence is quoted from the log, never from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import polars as pl

from core.batch import LINES
from core.domain import Citation, LogRecord
from core.errors import InputError
from ingest.parsing.folding import MAX_LINES
from ingest.parsing.parser import UTC_ZONE, Parser
from ingest.sources.files import FileSource

_FIRST_WINDOW: Final = 40  # lines read from a cited one on; most records and traces are shorter
_BLOCK: Final = 1 << 14  # bytes of a frame of a window: some times that many lines
_KEPT: Final = 1 << 22  # characters of records that are remembered
_MARGIN: Final = 60  # lines read before a neighbourhood, so that its first record is not entered in its middle


class FileReader:
    """Records of file sources, read again (`core.ports.LogReader`).

    `timezone`, `observed_at` and `service` must be those of the batch pass: records then have the same fields and
    boundaries. `parsers` are those of the batch pass, by source: they know the formats already. Plain files are entered
    by the sources' line indexes, others are read from their beginning, once per call and source. What was read is
    remembered, up to a few million characters.
    """

    def __init__(
        self,
        sources: Sequence[FileSource],
        *,
        timezone: ZoneInfo = UTC_ZONE,
        observed_at: datetime,
        service: str | None = None,
        parsers: Mapping[str, Parser] | None = None,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._timezone = timezone
        self._observed_at = observed_at
        self._service = service
        self._parsers = dict(parsers or {})
        self._kept: dict[Citation, LogRecord] = {}
        self._room = _KEPT

    def read(self, citations: Sequence[Citation]) -> Mapping[Citation, LogRecord]:
        """The records that start at these places; those that cannot be read again are absent."""
        found: dict[Citation, LogRecord] = {}
        for name in dict.fromkeys(citation.source for citation in citations):
            source = self._sources.get(name)
            if source is None:
                continue
            places = sorted({citation for citation in citations if citation.source == name and citation.position > 0})
            try:
                records = self._records(source, [each.position for each in places if each not in self._kept])
            except InputError:
                records = []  # gone since it was analysed: absent, as the port says
            read = {record.citation: record for record in records}
            found.update((each, record) for each in places if (record := self._kept.get(each) or read.get(each)))
            self._keep(records)
        return found

    def _keep(self, records: Sequence[LogRecord]) -> None:
        """Remembers records, until they are too many: what is explained is asked for several times."""
        for record in records:
            size = len(record.body) + len(record.line) + sum(map(len, record.folded))
            if self._room >= size:
                self._room -= size
                self._kept[record.citation] = record

    def around(self, citation: Citation, before: int, after: int) -> Sequence[LogRecord]:
        """The records around a place, in order, at most `before` + 1 + `after` physical lines.

        The record at the place itself is always among them, where it can be read again.
        """
        source = self._sources.get(citation.source)
        if source is None or citation.position < 1:
            return ()
        first, last = max(1, citation.position - before), citation.position + after
        try:
            earlier = self._lines(source, [(max(1, first - _MARGIN), citation.position - 1)])
            later = self._lines(source, [(citation.position, last + _MARGIN)])
        except InputError:
            return ()
        records = [
            *self._parsed(source, earlier, _all_rows),
            *self._parsed(source, later, _all_rows),
        ]
        return tuple(
            record
            for record in records
            if record.position == citation.position
            or (record.position >= first and record.position + record.line_count - 1 <= last)
        )

    def _records(self, source: FileSource, positions: list[int]) -> list[LogRecord]:
        """Records that begin at positions, with windows that grow until they hold each record whole."""
        found: list[LogRecord] = []
        size = _FIRST_WINDOW
        while positions:
            lines = self._lines(source, _ranges(positions, size))
            if lines.is_empty():
                break
            wanted = pl.Series(positions, dtype=LINES["position"])
            records = self._parsed(source, lines, partial(_at, wanted.implode()), wanted)
            done = [record for record in records if record.line_count < size - 1]
            found.extend(done)
            positions = [record.position for record in records if record.line_count >= size - 1]
            if size > MAX_LINES:
                found.extend(record for record in records if record.position in set(positions))
                break
            size = min(size * 8, MAX_LINES + 2)
        return found

    def _parsed(
        self,
        source: FileSource,
        lines: pl.DataFrame,
        choose: Callable[[pl.DataFrame], pl.Series],
        begin: pl.Series | None = None,
    ) -> list[LogRecord]:
        if lines.is_empty():
            return []
        batch = self._parser(source).parse_alone(lines, begin)
        batch = batch.filter(choose(batch)).join(lines, on="position", how="left", maintain_order="left")
        return [_record(row, lines) for row in batch.iter_rows(named=True)]

    def _parser(self, source: FileSource) -> Parser:
        """The source's parser; its formats are learned once, since finding them costs more than reading a record."""
        if source.name not in self._parsers:
            parser = Parser(
                source.name,
                timezone=self._timezone,
                modified_at=source.modified_at,
                observed_at=self._observed_at,
                service=self._service,
            )
            first = next(iter(source.lines_from(1)), pl.DataFrame(schema=LINES))
            parser.learn(first.head(Parser.SAMPLE_LINES))
            self._parsers[source.name] = parser
        return self._parsers[source.name]

    def _lines(self, source: FileSource, ranges: Sequence[tuple[int, int]]) -> pl.DataFrame:
        """The lines of ranges of positions (inclusive, in order, without overlap)."""
        parts: list[pl.DataFrame] = []
        if source.seekable:
            for first, last in ranges:
                parts.extend(_between(source.lines_from(first, _BLOCK), [(first, last)]))
        else:
            parts.extend(_between(source.lines_from(1), ranges))
        return pl.concat(parts) if parts else pl.DataFrame(schema=LINES)


def _at(positions: pl.Series, batch: pl.DataFrame) -> pl.Series:
    return batch["position"].is_in(positions)


def _all_rows(batch: pl.DataFrame) -> pl.Series:
    return pl.Series([True], dtype=pl.Boolean).new_from_index(0, batch.height)


def _ranges(positions: Sequence[int], size: int) -> list[tuple[int, int]]:
    """Windows of `size` lines from each position on, joined where they touch."""
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and position <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], position + size - 1)
        else:
            ranges.append((position, position + size - 1))
    return ranges


def _between(frames: Iterator[pl.DataFrame], ranges: Sequence[tuple[int, int]]) -> Iterator[pl.DataFrame]:
    waiting = list(ranges)
    for frame in frames:
        start = int(frame["position"][0])
        end = start + frame.height - 1
        for first, last in waiting:
            if first > end:
                break
            if last >= start:
                low, high = max(first, start), min(last, end)
                yield frame.slice(low - start, high - low + 1)
        waiting = [window for window in waiting if window[1] > end]
        if not waiting:
            return


def _record(row: Mapping[str, object], lines: pl.DataFrame) -> LogRecord:
    values = dict(row)
    attributes = values.pop("attributes")
    values.pop("observed_timestamp")
    parsed = orjson.loads(attributes) if isinstance(attributes, str) else {}
    return LogRecord(attributes=parsed, folded=_folded(row, lines), **values)  # type: ignore[arg-type]


def _folded(row: Mapping[str, Any], lines: pl.DataFrame) -> tuple[str, ...]:
    """The physical lines of a record after its first."""
    first, count = row["position"], row["line_count"]
    if count < 2:
        return ()
    after = int(lines["position"].search_sorted(first + 1))
    return tuple(lines["line"].slice(after, count - 1).to_list())
