"""Stack traces whose lines are records of their own: collectors and CI jobs give each line a header.

An error without frames gets those that stand below it in the same file and of the same program: Ruby's backtrace, Go's
report of a data race, a compiler's `file:line:column`. The lines in between that are no frames end the search soon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from core import severity as levels
from core.domain import LogRecord
from core.ports import LogReader
from core.stackframes import Frame, is_library, repository_path
from core.stacktrace import StackTrace, parse, root_frame
from rag.suspects.clue import Clue
from rag.suspects.origin import numbered, program_of_path
from rag.suspects.reading import read

MOST: Final = 6
"""Errors whose frames are looked for."""
BELOW: Final = 30
"""Lines below an error that are read for its frames."""
GAP: Final = 4
"""Lines that are no frames, after which the search ends."""

_HEAD: Final = re.compile(
    r"\b(?P<type>[A-Z][\w:]*(?:Error|Exception))\b(?: \((?P<inside>.*)\)|: (?P<message>.*))?|\bDATA RACE\b"
    r"|^panic: |^fatal error: "
)
_COMPILER: Final = re.compile(
    r"(?:^|\s)(?:e: (?:file://)?(?P<kotlin>/?\S+\.kts?):(?P<k>\d+):\d+|(?P<file>/?[\w./-]+\.(?:java|go|rs|ts|tsx|cs|cpp|cc|c|h|scala|swift))"
    r"[:(](?P<line>\d+)(?:[:,]\d+\)?)?: error\b(?: \w+)?:?|error: cannot find symbol) ?(?P<message>.*)"
)
_LINE_HEADER: Final = re.compile(
    r"^(?:\[[^\]]+\] )?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)? ?(?:\d\d[OE]\+? ?)?|^\d\d[OE]\+? ?"
)
"""What a collector or a runner writes before each line."""
_FRAME: Final = re.compile(
    r"\.(?:rb|go|py|js|ts|java|kt|rs|cs|php|ex|erb|s):\d+|^\s*(?:at |from )|\)\(\)$|\.func\d+\(\)$|\(\*?\w+\)\.\w+\("
)


def with_loose_frames(clues: Sequence[Clue], reader: LogReader) -> list[Clue]:
    """The clues, errors with the trace that the records below them show."""
    left = MOST
    found: list[Clue] = []
    for clue in clues:
        compiled = _compiled(clue)
        traces: tuple[StackTrace, ...] = (compiled,) if compiled is not None else ()
        if not clue.traces and not traces and left and clue.severity >= levels.WARN and _HEAD.search(clue.text[:600]):
            left -= 1
            traces = _below(clue, reader)
        own = root_frame(traces)
        if own is None:
            found.append(clue)
            continue
        program = program_of_path(own[1].file) if own[1].file and numbered(clue) else None
        reading = clue.reading or read(f"{traces[0].exception or ''}: {traces[0].message or ''}")
        found.append(replace(clue, traces=traces, reading=reading, service=program or clue.service))
    return found


def _compiled(clue: Clue) -> StackTrace | None:
    """A compiler's error as a trace of one frame."""
    match = _COMPILER.search(clue.text[:600]) if not clue.traces else None
    path = (match["kotlin"] or match["file"]) if match is not None else None
    if match is None or path is None or is_library(path, None):
        return None
    number = int(match["k"] or match["line"])
    frame = Frame(repository_path(path), number, None, None, "java", own=True)
    return StackTrace("java", (frame,), "CompileError", match["message"].strip() or None)


def _below(clue: Clue, reader: LogReader) -> tuple[StackTrace, ...]:
    lines = list(_lines(clue, reader.around(clue.citation, 0, BELOW)))
    if not lines:
        return ()
    head = _HEAD.search(clue.text[:600])
    groups = head.groupdict() if head is not None else {}
    said = groups.get("inside") or groups.get("message")
    traces = parse("\n".join(lines))
    if not traces:
        return ()
    if any("by goroutine" in line for line in lines):
        frames = _race(lines)
        return (StackTrace("go", frames, "DATA RACE", None),) if frames else ()
    first = traces[0]
    return (replace(first, exception=first.exception or groups.get("type"), message=first.message or said), *traces[1:])


def _race(lines: Sequence[str]) -> tuple[Frame, ...]:
    """The frames of the first access that Go's race detector shows, the outermost first."""
    block: list[str] = []
    for line in lines:
        if "by goroutine" in line and block:
            break
        block.append(line)
    traces = parse("\n".join(["goroutine 1 [running]:", *(line for line in block if "by goroutine" not in line)]))
    return traces[0].frames if traces else ()


def _lines(clue: Clue, records: Iterable[LogRecord]) -> Iterator[str]:
    """The lines of a trace below a record, without the headers of a collector."""
    missed = 0
    for record in records:
        if record.position <= clue.record.position or record.service != clue.record.service:
            continue
        for line in (_LINE_HEADER.sub("", record.body or record.line), *record.folded):
            if _FRAME.search(line) or "by goroutine" in line:
                missed = 0
                yield line
            elif line.strip():
                missed += 1
        if missed >= GAP or record.severity >= clue.severity >= levels.ERROR:
            return
