"""The lines of a block that no format has taken yet, and what became of the others."""

from __future__ import annotations

import polars as pl

from ingest.parsing import columns, headers
from ingest.parsing.timestamps import Clock


class Rest:
    """Rows that no format has taken yet, and what the taken ones became."""

    def __init__(self, lines: pl.Series, places: pl.Series | None) -> None:
        self._height = len(lines)
        self._places = places
        self.lines = lines
        self._rows: pl.Series | None = None  # row numbers of `lines`; None: all rows, in order
        self._taken: list[tuple[pl.Series | None, pl.DataFrame]] = []
        self._matches: list[tuple[pl.Series | None, headers.Match, int]] = []
        self._all = lines

    @property
    def empty(self) -> bool:
        return not len(self.lines)

    def _numbers(self) -> pl.Series:
        if self._rows is None:
            self._rows = pl.int_range(0, self._height, dtype=pl.UInt32, eager=True)
        return self._rows

    def places(self, rows: pl.Series | None) -> pl.Series:
        """The row numbers, in the source's frame, of some rows of `lines` (None: all of them)."""
        numbers = self._numbers() if rows is None else self._numbers()[rows]
        return numbers if self._places is None else self._places[numbers]

    def take(self, rows: pl.Series | None, decoded: pl.DataFrame) -> None:
        """Notes what some rows of `lines` (None: all of them) became, and drops them."""
        self._taken.append((self._drop(rows), decoded))

    def take_match(self, rows: pl.Series | None, found: headers.Match, code: int) -> None:
        """Notes what matched some rows of `lines` (None: all of them), and drops them; `result` decodes them."""
        self._matches.append((self._drop(rows), found, code))

    def _drop(self, rows: pl.Series | None) -> pl.Series | None:
        """Drops some rows of `lines` (None: all of them); their numbers (None: all rows there ever were)."""
        if rows is None:
            dropped = self._rows
            self.lines, self._rows = self.lines.clear(), pl.Series([], dtype=pl.UInt32)
            return dropped
        numbers = self._numbers()
        self.lines, self._rows = without(self.lines, rows), without(numbers, rows)
        return numbers[rows]

    def set_aside(self, mask: pl.Series) -> pl.Series | None:
        """Takes rows out for a while; returns their numbers."""
        if not mask.any():
            return None
        numbers = self._numbers()
        aside = numbers.filter(mask)
        self.lines, self._rows = self.lines.filter(~mask), numbers.filter(~mask)
        return aside

    def restore(self, aside: pl.Series | None) -> None:
        """Puts rows back."""
        if aside is None:
            return
        self._rows = pl.concat([self._numbers(), aside]).sort()
        self.lines = self._all[self._rows]

    def result(self, clock: Clock) -> pl.DataFrame:
        """DECODED of all rows, in order."""
        if not self.empty:
            self.take(None, columns.frame(len(self.lines), body=self.lines))
        if self._matches:
            numbers = [numbers for numbers, _, _ in self._matches if numbers is not None]
            decoded = headers.decode([(found, code) for _, found, code in self._matches], clock)
            self._taken.append((pl.concat(numbers) if numbers else None, decoded))
        return placed(self._taken, self._height)


def without(column: pl.Series, rows: pl.Series | None) -> pl.Series:
    """A column without some of its rows (None: without any)."""
    if rows is None:
        return column.clear()
    return column.filter(pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(column)).scatter(rows, False))


def placed(parts: list[tuple[pl.Series | None, pl.DataFrame]], height: int) -> pl.DataFrame:
    """Frames put where their row numbers say; a later one replaces an earlier one. None: all rows."""
    if not parts:
        return columns.frame(height)
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    source = pl.concat([part for _, part in parts])
    order = pl.Series([0], dtype=pl.UInt32).new_from_index(0, height)
    start = 0
    for rows, part in parts:
        numbers = pl.int_range(start, start + part.height, dtype=pl.UInt32, eager=True)
        order = numbers if rows is None else order.scatter(rows, numbers)
        start += part.height
    return source[order]
