"""What earlier runs counted, as plain rows that a store can keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class HistoryRow(NamedTuple):
    """Records of one template of one service in one bucket of time, as one run counted them.

    `source` is the run's set of inputs: learning the same inputs again replaces its rows. `bucket` is the bucket's start
    and `width` its length, both in microseconds (since the epoch); rows without times have width 0, and `bucket` is then
    the moment they were first learned, which orders them. `service` is empty where unknown. `weight` is 0 for buckets
    inside an incident: they are remembered (their templates are known) but are no measure of what is normal.
    """

    source: str
    template_id: int
    service: str
    bucket: int
    width: int
    severity: int
    count: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LearnedHistory:
    """What earlier runs counted. Build it with `from_rows`, store it with `rows`; merging is by key, the later wins."""

    entries: tuple[HistoryRow, ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, int, str, int, int, int, int, float]]) -> LearnedHistory:
        """The history of rows in any order, in `HistoryRow`'s order of fields."""
        return cls(tuple(sorted(HistoryRow(*row) for row in rows)))

    def rows(self) -> tuple[HistoryRow, ...]:
        """The rows, ordered by source, template, service, bucket."""
        return self.entries
