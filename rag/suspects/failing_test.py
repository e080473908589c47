"""Where a failing test broke: pytest prints the frames above the error, each a line of its own.

Its long report (`--tb=long`) is: the name of the test between underscores, the source of each call with the
place below it (`billing/repo.py:57: in load`, `tests/test_repo.py:90: KeyError`), and the error behind `E`. The lines
have no header that binds them, so each is a record; the clue of the error gets the frames that stand above it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.ports import LogReader
from core.stackframes import Frame, is_library, repository_path
from core.stacktrace import StackTrace, root_frame
from rag.suspects.clue import Clue
from rag.suspects.origin import numbered, program_of_path

MOST: Final = 4
"""Errors of tests whose frames are read."""
ABOVE: Final = 60
"""Lines above an error that are read for its frames."""

_ERROR: Final = re.compile(
    r"^E\s{2,}(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Exit|Warning|Failed|[A-Z]\w+))(?:: (?P<message>.*))?$"
)
_TEST: Final = re.compile(r"^_{3,} (?:ERROR at \w+ of )?(?P<name>[\w.:\[\]-]+) _{3,}$")
_PLACE: Final = re.compile(r"^(?P<file>[^\s:]+\.py):(?P<line>\d+): ?(?:in (?P<function>\S+)|\w*)?\s*$")


def with_frames(clues: Sequence[Clue], reader: LogReader) -> list[Clue]:
    """The clues, errors of tests with the trace that the test's report shows."""
    left = MOST
    found: list[Clue] = []
    for clue in clues:
        error = _ERROR.match(clue.text) if left and not clue.traces else None
        trace = _trace(clue, error, reader) if error is not None else None
        if trace is None:
            found.append(clue)
            continue
        left -= 1
        own = root_frame([trace])
        program = program_of_path(own[1].file) if own is not None and own[1].file and numbered(clue) else None
        found.append(replace(clue, traces=(trace,), service=program or clue.service))
    return found


def _trace(clue: Clue, error: re.Match[str], reader: LogReader) -> StackTrace | None:
    frames: list[Frame] = []
    for record in reversed(reader.around(clue.citation, ABOVE, 0)):
        if record.position >= clue.record.position:
            continue
        line = (record.body or record.line).rstrip()
        test = _TEST.match(line)
        if test is not None:
            name = test["name"].rsplit(".", 1)[-1].split("[", 1)[0]
            frames = [replace(frame, function=frame.function or name) for frame in frames]
            break
        if _ERROR.match(line):
            break  # the report of the test before it
        place = _PLACE.match(line)
        if place is not None:
            path = place["file"]
            file = repository_path(path)
            frames.append(
                Frame(file, int(place["line"]), place["function"], None, "python", own=not is_library(path, None))
            )
    return StackTrace("python", tuple(reversed(frames)), error["type"], error["message"]) if frames else None
