"""What rooms ask of each other: small Protocols. Adapters live in the room named for them; `cali` wires them.

Every port has one contract suite in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

from core.domain import Citation, Incident, LogRecord, LogTemplate, Quarantined, TemplateActivity


class LogSource(Protocol):
    """Where log lines come from. One source is one stream of lines with one name."""

    @property
    def name(self) -> str:
        """The name that citations carry: a path as given, `stdin`, `opensearch:index`."""
        ...

    @property
    def modified_at(self) -> datetime | None:
        """When the source was last written, where known: dates the years of stamps that have none."""
        ...

    def lines(self) -> Iterator[pl.DataFrame]:
        """Frames of `core.batch.LINES`, in order, of bounded size.

        Raises InputError where the source cannot be read at all. What was wrong with parts of it is in `quarantined`.
        """
        ...

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """What could not be used of what was read so far (truncated gzip, overlong line, NUL bytes)."""
        ...


class LogReader(Protocol):
    """Reads records again, by citation: evidence is quoted from the log, never from memory."""

    def read(self, citations: Sequence[Citation]) -> Mapping[Citation, LogRecord]:
        """The records that start at these places; those that cannot be read again are absent."""
        ...

    def around(self, citation: Citation, before: int, after: int) -> Sequence[LogRecord]:
        """The records around a place, in order, at most `before` + 1 + `after` physical lines."""
        ...


class TemplateMiner(Protocol):
    """Assigns each record the id of its template."""

    def assign(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The batch (`core.batch.BATCH`) with `template_id` added (`core.batch.MINED`); rows keep their order."""
        ...

    def templates(self) -> Mapping[int, LogTemplate]:
        """Every template known, by id, with its newest text (counts and times are the caller's to keep)."""
        ...

    def resolve(self, template_id: int) -> int:
        """The id that this one lives under now (an alias after a merge), or the id itself."""
        ...


class TemplateHistory(Protocol):
    """What templates did over time, as counted by one run (and by the runs before it)."""

    def activity(self, start: datetime | None, end: datetime | None) -> Sequence[TemplateActivity]:
        """Each template and service seen in [start, end], with its counts there and before. None is unbounded."""
        ...

    def series(self, template_id: int, service: str | None) -> Sequence[tuple[datetime | None, int]]:
        """Records per bucket of time, in order; the bucket's start (None for records without a time)."""
        ...

    def examples(
        self, template_id: int, service: str | None, start: datetime | None, end: datetime | None, limit: int
    ) -> Sequence[Citation]:
        """Places of some records of a template in [start, end], the earliest first."""
        ...


class IncidentStore(Protocol):
    """Incidents found so far."""

    def save(self, incidents: Sequence[Incident]) -> None:
        """Stores incidents by id; saving one again replaces it."""
        ...

    def get(self, incident_id: str) -> Incident | None:
        """The incident of an id or of a unique prefix of one; None where there is none."""
        ...

    def list(self, start: datetime | None, end: datetime | None, service: str | None, limit: int) -> Sequence[Incident]:
        """Incidents that touch [start, end], newest first."""
        ...
