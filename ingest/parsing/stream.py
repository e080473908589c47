"""Sources -> batches, read and parsed by threads while the consumer works."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from queue import Empty, Queue
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from core.domain import Quarantined
from core.errors import InputError
from core.ports import LogSource
from ingest.parsing.parser import UTC_ZONE, Parser

_PARSED_AHEAD: Final = 1  # batches before the consumer; each holds a few MB
_READ_AHEAD: Final = 1
_KEPT_PARSERS: Final = 50  # each remembers the formats of its source, and the shapes of odd lines


class BatchStream:
    """Batches (`core.batch.BATCH`) of sources, one source after the other, each in the order of its lines.

    Iterate once. With `threads` >= 1 reading and parsing run ahead of the consumer, each in a thread of its own, by a
    bounded number of batches, and so many threads decode lines; with 0 all run in the consumer's thread. Counters and
    `quarantined` are complete after the iteration. A source that cannot be read at all is in `quarantined` (position
    0), and the others are read.
    """

    def __init__(
        self,
        sources: Sequence[LogSource],
        *,
        timezone: ZoneInfo = UTC_ZONE,
        observed_at: datetime,
        threads: int = 1,
        service: str | None = None,
    ) -> None:
        self._sources = sources
        self._timezone = timezone
        self._observed_at = observed_at
        self._threads = threads
        self._service = service
        self._formats: Counter[str] = Counter()
        self._quarantined: list[Quarantined] = []
        self.parsers: dict[str, Parser] = {}
        """Parsers of the first sources, by name: who reads records again need not find their formats again."""
        self.parsed = 0
        self.unparsed = 0

    @property
    def lines(self) -> int:
        """Physical lines read."""
        return self.parsed + self.unparsed

    @property
    def formats(self) -> Mapping[str, int]:
        """Physical lines by format, most first."""
        return dict(self._formats.most_common())

    @property
    def quarantined(self) -> Sequence[Quarantined]:
        """What could not be used."""
        return tuple(self._quarantined)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        batches = self._batches()
        return batches if self._threads < 1 else _ahead(batches, "cali-parse", _PARSED_AHEAD)

    def _batches(self) -> Iterator[pl.DataFrame]:
        for source in self._sources:
            parser = Parser(
                source.name,
                timezone=self._timezone,
                modified_at=source.modified_at,
                observed_at=self._observed_at,
                service=self._service,
            )
            try:
                for frame, decoded in self._decoded(source, parser):
                    batch = parser.parse(frame, decoded)
                    del frame, decoded
                    if batch.height:
                        yield batch
                    del batch
            except InputError as exc:
                self._quarantined.append(Quarantined(source.name, 0, str(exc)))
            batch = parser.finish()
            if batch.height:
                yield batch
            if len(self.parsers) < _KEPT_PARSERS:
                self.parsers[source.name] = parser
            self.parsed += parser.parsed
            self.unparsed += parser.unparsed
            self._formats.update(parser.formats)
            self._quarantined.extend(source.quarantined)
            self._quarantined.extend(parser.quarantined)

    def _decoded(self, source: LogSource, parser: Parser) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
        """The frames of a source in order, with what they were decoded to; None: that is left to the parser.

        Most of the time of parsing goes into the decoding of lines, which needs no frame but its own.
        """
        if self._threads < 1:
            yield from ((frame, None) for frame in source.lines())
            return
        waiting: deque[tuple[pl.DataFrame, Future[pl.DataFrame]]] = deque()
        with ThreadPoolExecutor(self._threads, "cali-decode") as pool:
            for frame in _ahead(source.lines(), "cali-read", _READ_AHEAD):
                parser.learn(frame)
                waiting.append((frame, pool.submit(parser.decode, frame)))
                del frame
                if len(waiting) >= self._threads:
                    yield _done(waiting.popleft())
            while waiting:
                yield _done(waiting.popleft())


def _done(work: tuple[pl.DataFrame, Future[pl.DataFrame]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return work[0], work[1].result()


def read_batches(
    sources: Sequence[LogSource], *, timezone: ZoneInfo = UTC_ZONE, observed_at: datetime, threads: int = 1
) -> BatchStream:
    """The batches of sources, as an iterable whose counters can be read afterwards."""
    return BatchStream(sources, timezone=timezone, observed_at=observed_at, threads=threads)


def _ahead(batches: Iterator[pl.DataFrame], name: str, most: int) -> Iterator[pl.DataFrame]:
    """Runs an iterator in a thread, at most `most` items ahead of the consumer; its errors are raised here."""
    queue: Queue[pl.DataFrame | BaseException | None] = Queue()
    places = threading.Semaphore(most)
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                if not places.acquire(timeout=0.1):
                    continue
                # Not named here: an item that waits is held by the queue alone.
                queue.put(next(batches))
        except StopIteration:
            queue.put(None)
        except BaseException as exc:  # noqa: BLE001 - handed to the consumer, which raises it
            queue.put(exc)

    worker = threading.Thread(target=work, name=name, daemon=True)
    worker.start()
    try:
        while True:
            try:
                # Now and then the interpreter must have its turn: a signal that arrives just before an endless wait
                # would not end it.
                item = queue.get(timeout=0.5)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            places.release()
            yield item
            del item
    finally:
        stop.set()
        # It ends with its next batch. Where it waits for a pipe that gives nothing, an interrupted run does not wait.
        worker.join(timeout=1.0)
