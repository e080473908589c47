"""What rooms ask of each other: small Protocols. Adapters live in the room named for them; `cali` wires them.

Every port has one contract suite in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from core.chat import ChatReply, ChatRequest, DailyUsage, Usage
from core.domain import Citation, Incident, LogRecord, LogTemplate, Quarantined, TemplateActivity
from core.memory import AddResult, Feedback, MemoryDocument, MemoryFilter, MemoryMatch, MemoryStats

if TYPE_CHECKING:
    # Only named here, and slow to import: what searches the memory alone does without Polars.
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


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


class Embedder(Protocol):
    """Turns texts into vectors whose dot product is their cosine."""

    @property
    def model(self) -> str:
        """Name of the model, as stored with every collection that holds its vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        """One vector of length 1 (float32) per text, in order. An empty text is a text.

        Raises RetryableError or PermanentError where the model is a service that failed.
        """
        ...


class IncidentMemory(Protocol):
    """What happened before: past incidents, runbooks and postmortems, found again by meaning, words and templates.

    What was written is safe on disk when the call returns. Raises PermanentError or RetryableError where the store
    fails, InputError for a text or an id that cannot be used.
    """

    def add(self, documents: Sequence[MemoryDocument]) -> AddResult:
        """Stores documents by id. Adding one again replaces it, but keeps the feedback, and the cause, fix and outcome
        that people gave."""
        ...

    def get(self, document_id: str) -> MemoryDocument | None:
        """The document of an id, or of a unique prefix of one; None where there is none.

        Raises InputError where several ids start so.
        """
        ...

    def list(self, where: MemoryFilter, limit: int) -> Sequence[MemoryDocument]:
        """Documents that pass the filter: newest first, those without a time last."""
        ...

    def search(self, query: MemoryDocument | str, k: int, where: MemoryFilter) -> Sequence[MemoryMatch]:
        """At most `k` documents that resemble the query, best first. A document is never its own match."""
        ...

    def feedback(self, entry: Feedback) -> MemoryDocument:
        """Records what someone said and returns the document with it; the same entry again changes nothing.

        Raises InputError where the incident is unknown.
        """
        ...

    def forget(self, document_ids: Sequence[str]) -> int:
        """Deletes documents for good; how many there were. Unknown ids are no error."""
        ...

    def add_templates(self, templates: Sequence[LogTemplate]) -> int:
        """Stores templates by template id; how many were new or changed their text."""
        ...

    def similar_templates(self, text: str, k: int) -> Sequence[tuple[LogTemplate, float]]:
        """Remembered templates whose meaning is nearest to a text, with the cosine, best first."""
        ...

    def stats(self) -> MemoryStats:
        """What the memory holds."""
        ...

    def export(self, where: MemoryFilter) -> Iterator[MemoryDocument]:
        """Every document that passes the filter, by id."""
        ...

    def close(self) -> None:
        """Releases the store for other processes. Closing twice is no error."""
        ...


class ChatModel(Protocol):
    """A language model that replies to one request at a time."""

    @property
    def name(self) -> str:
        """The model's name, as reports show it."""
        ...

    def reply(
        self,
        request: ChatRequest,
        on_text: Callable[[str], None] | None = None,
        on_retry: Callable[[bool], None] | None = None,
    ) -> ChatReply:
        """The reply; `on_text` gets each piece as it arrives.

        `on_retry` is called before the request is sent again, with whether the try before may have cost something (it
        was not turned away, but broke off); what it raises ends the tries.
        Raises RetryableError or PermanentError; never hangs beyond its own time-outs and tries.
        """
        ...


class UsageLedger(Protocol):
    """What was spent on models, by UTC day."""

    def add(self, day: date, model: str, usage: Usage) -> None:
        """Adds to a day's account."""
        ...

    def spent(self, day: date) -> DailyUsage:
        """The day's account over all models."""
        ...
