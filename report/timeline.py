"""The timeline at the resolution of a screen: slices merged into columns, severities into four rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from report.models import BucketModel

ROWS: Final = ("FATAL", "ERROR", "WARN", "INFO")
"""Rows, worst first. `INFO` holds everything below WARN and what has no severity."""

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a span of time (None where the logs carry none) and its counts by row."""

    start: datetime | None
    end: datetime | None
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def touches(self, start: datetime | None, end: datetime | None) -> bool:
        """Whether [start, end] meets this column. False where a time is unknown."""
        if self.start is None or self.end is None or start is None or end is None:
            return False
        return start < self.end and end >= self.start


def columns(buckets: Sequence[BucketModel], limit: int) -> list[Column]:
    """The buckets as at most `limit` columns of equal length.

    Where there are more buckets than columns, a bucket that lies in two columns is shared between them in proportion,
    so that no column stands out only because one more bucket fell into it.
    """
    total = len(buckets)
    number = min(total, max(limit, 1))
    return [_merged(buckets, at * total / number, (at + 1) * total / number) for at in range(number)]


def _merged(buckets: Sequence[BucketModel], left: float, right: float) -> Column:
    """The column over the buckets `left` to `right` (indices, with fractions)."""
    sums = dict.fromkeys(ROWS, 0.0)
    for at in range(int(left), min(math.ceil(right), len(buckets))):
        share = min(at + 1, right) - max(at, left)
        for name, number in buckets[at].counts.items():
            sums[name if name in ROWS else "INFO"] += share * number
    counts = {name: math.ceil(number - 1e-6) for name, number in sums.items()}
    return Column(_time_at(buckets, left), _time_at(buckets, right), counts)


def _time_at(buckets: Sequence[BucketModel], index: float) -> datetime | None:
    bucket = buckets[min(int(index), len(buckets) - 1)]
    if bucket.start is None or bucket.end is None:
        return None
    return bucket.start + (bucket.end - bucket.start) * (index - min(int(index), len(buckets) - 1))


def sparkline(numbers: Sequence[int], repeat: int = 1) -> str:
    """One block character (or `repeat`) per number, against the highest; anything above zero shows."""
    highest = max(numbers, default=0)
    return "".join(_block(number, highest) * repeat for number in numbers)


def _block(number: int, highest: int) -> str:
    if number <= 0 or highest <= 0:
        return _BLOCKS[0]
    return _BLOCKS[max(1, min(8, round(8 * number / highest)))]
