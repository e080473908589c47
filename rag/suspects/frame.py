"""The deepest own frame of the first stack trace names the file and the function where it broke."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core import severity as levels
from core.domain import SuspectKind
from core.stackframes import is_library
from core.stacktrace import Frame, StackTrace, root_frame
from rag.suspects.clue import Clue, logger_of
from rag.suspects.proposal import Facts, Proposal, cause_of, clue_facts, counted, logger_file
from rag.suspects.scene import Scene
from rag.suspects.stack_lines import telling_lines


def propose(scene: Scene) -> Iterator[Proposal]:
    """For each clue with a stack trace: its deepest own frame, and as second choice that frame's own caller."""
    for clue in scene.clues:
        if not clue.traces:
            continue
        packages = own_packages(clue)
        found = root_frame(clue.traces, packages)
        if found is None:
            continue
        trace, frame = found
        yield _proposal(clue, trace, frame)
        caller = _caller(trace, frame, packages)
        if caller is not None:
            alternative = _proposal(clue, trace, caller)
            yield replace(alternative, facts=replace(alternative.facts, remote=1.0))


def own_packages(clue: Clue) -> list[str]:
    """Top-level packages that are the program's own even where they are installed like libraries."""
    return [name for name in (clue.service, _root(logger_of(clue.record))) if name]


def _proposal(clue: Clue, trace: StackTrace, frame: Frame) -> Proposal:
    place = f"{frame.file}:{frame.line}" if frame.line else str(frame.file)
    function = function_of(trace, frame)
    where = f"{function} in {place}" if function else place
    return Proposal(
        kind=SuspectKind.FRAME,
        cause=f"{cause_of(clue)}, at {where}",
        why=(f"its own code failed at {where} (innermost own frame of the trace)", counted(clue)),
        facts=_facts(clue, trace),
        evidence=(clue.evidence, *telling_lines(clue.record, clue.traces[0], frame)),
        fault_type=clue.reading.fault_type if clue.reading is not None else "code_defect",
        service=clue.service,
        component=frame.file or logger_file(clue),
        function=function,
    )


_GENERATED: Final = (
    re.compile(r"^<(?P<name>\w+)>[bdgi]__"),  # C#: <AddAsync>b__0
    re.compile(r"\$anonfun\$(?P<name>\w+?)\$\d+$"),  # Scala: $anonfun$run$2
)
_NAMELESS: Final = re.compile(r"^(?:.*\.)?<\w+>$")
"""Python's `<genexpr>`, Node's `CartService.<anonymous>`."""


def function_of(trace: StackTrace, frame: Frame) -> str | None:
    """The function that a person would name: of code without a name of its own, the one that holds or calls it."""
    name = frame.function
    for pattern in _GENERATED:
        found = pattern.search(name or "")
        if found is not None:
            return found["name"]
    if name == "invokeSuspend" and "$" in (frame.module or ""):  # a coroutine of Kotlin: PayKt$charge$1
        return str(frame.module).split("$")[1] or name
    if name is not None and _NAMELESS.match(name) is None:
        return name
    outer = reversed(trace.frames[: trace.frames.index(frame)])
    named = (each.function for each in outer if each.file == frame.file and each.function)
    return next((each for each in named if _NAMELESS.match(each) is None), name)


UNNAMED: Final = 0.3
"""Strength of an exception out of the program's own code that no reading has a name for."""


def _facts(clue: Clue, trace: StackTrace) -> Facts:
    facts = replace(clue_facts(clue), frame=1.0)
    unnamed = clue.reading is None and trace.exception is not None and clue.severity >= levels.ERROR
    return replace(facts, strength=max(facts.strength, UNNAMED)) if unnamed else facts


def _caller(trace: StackTrace, frame: Frame, packages: list[str]) -> Frame | None:
    """The nearest own frame outside `frame` that lies in another function or file."""
    outer = trace.frames[: trace.frames.index(frame)]
    while outer:
        found = root_frame([replace(trace, frames=outer, suppressed=False)], packages)
        if found is None:
            return None
        candidate = found[1]
        if (candidate.file, candidate.function) != (frame.file, frame.function):
            return candidate
        outer = outer[: outer.index(candidate)]
    return None


def _root(logger: str | None) -> str | None:
    """The top package of a logger; none where it is a domain (`com.`, `org.`), which many share, or a library's."""
    if not logger or is_library(None, logger):
        return None
    top = re.split(r"[./:]", logger, maxsplit=1)[0]
    return None if len(top) <= 3 else top
