"""Shapes of odd lines, and the format that each shape was found to have.

A few lines of a source have none of its usual formats. To find theirs among all formats compiles dozens of expressions
for each block of lines, which costs more than everything else; but odd lines come back, alike but for their numbers.
"""

from __future__ import annotations

from typing import Final

from ingest.parsing.formats import Format

MOST_SHAPES: Final = 10_000
MOST_CHARACTERS: Final = 400
"""Length of a line beyond which its shape is not remembered."""

_DIGITS: Final = str.maketrans("123456789", "000000000")


def shape_of(line: str) -> str:
    """A line with its digits as zeros: expressions ask how many digits stand together, hardly ever which."""
    return line.translate(_DIGITS)


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
        found = self._formats.get(shape_of(line), self)  # one look: another thread may add it meanwhile
        return (None, False) if isinstance(found, Shapes) else (found, True)

    def remember(self, lines: list[str], fmt: Format | None) -> None:
        """Notes the format of some lines; new shapes are left out once there are many."""
        for line in lines:
            if len(line) <= MOST_CHARACTERS and len(self._formats) < MOST_SHAPES:
                self._formats[shape_of(line)] = fmt
