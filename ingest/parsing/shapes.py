"""Shapes of odd lines, and the format that each shape was found to have.

A few lines of a source have none of its usual formats. To find theirs among all formats compiles dozens of expressions
for each block of lines, which costs more than everything else; but odd lines come back, alike but for their numbers.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.parsing.formats import Format

MOST_SHAPES: Final = 10_000
MOST_CHARACTERS: Final = 400
"""Length of a line beyond which its shape is not remembered."""

_NUMBER: Final = re.compile("[0-9]+")
_FIRST: Final = str.maketrans("345678", "222666")
"""Expressions tell apart the first digits of numbers (`[1-9]`, `[1-5][0-9]{2}`, `9[0-9]{8}`), and how many follow."""


def shape_of(line: str) -> str:
    """A line with each number as its first digit (or one that no expression tells from it) and zeros."""
    return _NUMBER.sub(lambda match: match[0][0].translate(_FIRST) + "0" * (len(match[0]) - 1), line)


class Shapes:
    """Which format lines of a shape have: None for no format."""

    def __init__(self) -> None:
        self._formats: dict[str, Format | None] = {}

    def __len__(self) -> int:
        return len(self._formats)

    def find(self, line: str) -> tuple[Format | None, bool]:
        """The format of lines of this shape, and whether it is known."""
        if len(line) > MOST_CHARACTERS:
            return None, False
        shape = shape_of(line)
        return self._formats.get(shape), shape in self._formats

    def remember(self, lines: list[str], fmt: Format | None) -> None:
        """Notes the format of some lines; new shapes are left out once there are many."""
        for line in lines:
            if len(line) <= MOST_CHARACTERS and len(self._formats) < MOST_SHAPES:
                self._formats[shape_of(line)] = fmt
