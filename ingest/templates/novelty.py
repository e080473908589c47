"""How many messages never seen a batch may bring: logs in which every line is new must not cost time without end."""

from __future__ import annotations

from typing import Final

_FLOOD: Final = 2.0
"""Times the budget from which a batch is a flood. One message of ten that is new (ids in words) is none."""

_LEAST: Final = 0.25
"""Share of the budget that is left in a flood that lasts: what it brings teaches less and less."""


class NoveltyBudget:
    """The number of keys never seen that the next batch may bring: a share of its rows, fewer while a flood lasts.

    A batch that brings more than twice its budget halves the budget of the next one, down to a quarter; one that
    stays within its budget gives it back. `least` is granted always.
    """

    def __init__(self, share: float, least: int) -> None:
        self._share = share
        self._least = least
        self._granted = 1.0

    def of(self, rows: int) -> int:
        """The budget of a batch of so many rows."""
        return max(self._least, int(rows * self._share * self._granted))

    def brought(self, keys: int, rows: int) -> None:
        """Notes how many keys never seen a batch of so many rows brought."""
        budget = self.of(rows)
        if keys > _FLOOD * budget:
            self._granted = max(_LEAST, self._granted / 2)
        elif keys <= budget:
            self._granted = 1.0
