"""How many messages never seen a batch may bring: logs in which every line is new must not cost time without end."""

from __future__ import annotations

from typing import Final

_FLOOD: Final = 2.0
"""Times the budget from which a batch is a flood. One message of ten that is new (ids in words) is none."""

_LEAST: Final = 0.25
"""Share of the budget that is left in a flood that lasts: what it brings teaches less and less."""


class NoveltyBudget:
    """The number of keys never seen that the next batch may bring: a share of its rows, `least` at the least; fewer
    while a flood lasts.

    A batch that brings more than twice its share halves what the next one may bring, down to a quarter; one that stays
    within its share gives it back.
    """

    def __init__(self, share: float, least: int) -> None:
        self._share = share
        self._least = least
        self._granted = 1.0

    def of(self, rows: int) -> int:
        """The budget of a batch of so many rows."""
        return int(self._whole(rows) * self._granted)

    def brought(self, keys: int, rows: int) -> None:
        """Notes how many keys never seen a batch of so many rows brought."""
        whole = self._whole(rows)
        if keys > _FLOOD * whole:
            self._granted = max(_LEAST, self._granted / 2)
        elif keys <= whole:
            self._granted = 1.0

    def _whole(self, rows: int) -> int:
        return max(self._least, int(rows * self._share))
