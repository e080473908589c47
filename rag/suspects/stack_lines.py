"""The lines of a stack trace that tell: the exception that is the cause, and the call that raised it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.domain import Evidence, LogRecord
from core.stacktrace import Frame, StackTrace
from rag.suspects.clue import evidence_of


def telling_lines(record: LogRecord, cause: StackTrace, frame: Frame) -> tuple[Evidence, ...]:
    """The physical lines of a folded record that name the exception of `cause` and the frame; none where the trace is
    written on one line. At most two, in the order of the log."""
    found = {index for index in (_exception(record, cause), _call(record, frame)) if index is not None}
    return tuple(_inside(record, index) for index in sorted(found))


def _exception(record: LogRecord, trace: StackTrace) -> int | None:
    if trace.exception is None:
        return None
    message = (trace.message or "").strip().split("\n", 1)[0][:80]
    wanted = [index for index, line in enumerate(record.folded) if trace.exception in line]
    said = [index for index in wanted if message and message in record.folded[index]]
    return next(iter(said or wanted), None)


def _call(record: LogRecord, frame: Frame) -> int | None:
    """The line with the frame's file and line number, one that names the function first."""
    if frame.file is None or frame.line is None:
        return None
    name = frame.file.rsplit("/", 1)[-1]
    place = re.compile(rf"(?<![\w.]){re.escape(name)}\W+(?:line )?{frame.line}(?!\d)")
    at = [index for index, line in enumerate(record.folded) if place.search(line)]
    function = (frame.function or "").rsplit(".", 1)[-1]
    return next(_preferred(record, at, function), None)


def _preferred(record: LogRecord, at: list[int], function: str) -> Iterator[int]:
    yield from (index for index in at if function and function in record.folded[index])
    yield from at


def _inside(record: LogRecord, index: int) -> Evidence:
    head = evidence_of(record)
    return Evidence(
        source=head.source,
        position=record.position + 1 + index,
        timestamp=head.timestamp,
        text=record.folded[index],
        service=head.service,
        template_id=head.template_id,
        record_position=record.position,
    )
