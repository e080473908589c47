"""Confidence intervals by resampling cases.

Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Cases are drawn with
replacement, with all their rows, because rows of one case are not independent. Where a family has fewer than
`FEW_CASES` cases but more rows (one log with 3,000 sessions), rows are drawn instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval.metrics import METRICS, Metric, Rows

RESAMPLES: Final = 1000
FEW_CASES: Final = 5
CONFIDENCE: Final = 0.95

CaseRows = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
"""case id -> family -> rows."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric's value with its interval (None where there are fewer than two things to draw from).

    `cases` and `rows` count what it was computed from.
    """

    value: float
    low: float | None
    high: float | None
    cases: int
    rows: int


@dataclass(frozen=True, slots=True)
class Difference:
    """B less A on the cases of both, with the interval of the paired difference."""

    metric: str
    a: float
    b: float
    low: float | None
    high: float | None
    cases: int

    @property
    def value(self) -> float:
        return self.b - self.a

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `no clear change` where the interval holds 0 (or there is none)."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return "no clear change"
        direction = METRICS[self.metric].higher_is_better
        if direction is None:
            return "changed"
        return "better" if (self.value > 0) == direction else "worse"


def estimate_all(cases: CaseRows, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Every metric that the rows allow."""
    found: dict[str, Estimate] = {}
    for family, metrics in _by_family().items():
        groups = [np.asarray(rows[family], dtype=np.float64) for rows in cases.values() if rows.get(family)]
        if not groups:
            continue
        data = np.concatenate(groups)
        samples: dict[str, list[float]] = {metric.name: [] for metric in metrics}
        for index in _draws([len(group) for group in groups], seed, resamples):
            drawn = data[index]
            for metric in metrics:
                samples[metric.name].append(metric.estimate(drawn))
        for metric in metrics:
            low, high = _interval(samples[metric.name])
            found[metric.name] = Estimate(metric.estimate(data), low, high, len(groups), len(data))
    return {name: found[name] for name in METRICS if name in found}


def compare(a: CaseRows, b: CaseRows, seed: int, resamples: int = RESAMPLES) -> list[Difference]:
    """Paired differences of every metric on the cases that both have; the same cases are drawn for both.

    Rows pair by their order inside a case; a case with another number of rows in B (citations, time to detect) is
    drawn as a whole.
    """
    found: dict[str, Difference] = {}
    for family, metrics in _by_family().items():
        keys = [key for key in a if a[key].get(family) and b.get(key, {}).get(family)]
        if not keys:
            continue
        left = [np.asarray(a[key][family], dtype=np.float64) for key in keys]
        right = [np.asarray(b[key][family], dtype=np.float64) for key in keys]
        by_row = len(keys) < FEW_CASES and all(len(x) == len(y) for x, y in zip(left, right, strict=True))
        samples: dict[str, list[float]] = {metric.name: [] for metric in metrics}
        if by_row:
            both = np.concatenate(left), np.concatenate(right)
            drawn: Iterator[tuple[Rows, Rows]] = (
                (both[0][index], both[1][index]) for index in _draws([len(x) for x in left], seed, resamples)
            )
        else:
            drawn = _paired_cases(left, right, seed, resamples)
        for one, two in drawn:
            for metric in metrics:
                samples[metric.name].append(metric.estimate(two) - metric.estimate(one))
        for metric in metrics:
            low, high = _interval(samples[metric.name])
            value_a, value_b = metric.estimate(np.concatenate(left)), metric.estimate(np.concatenate(right))
            found[metric.name] = Difference(metric.name, value_a, value_b, low, high, len(keys))
    return [found[name] for name in METRICS if name in found]


def _by_family() -> dict[str, list[Metric]]:
    families: dict[str, list[Metric]] = {}
    for metric in METRICS.values():
        families.setdefault(metric.family, []).append(metric)
    return families


def _draws(sizes: Sequence[int], seed: int, resamples: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Row indices of each resample."""
    random = np.random.default_rng(seed)
    total = sum(sizes)
    if total < 2:
        return
    if len(sizes) < FEW_CASES or total == len(sizes):
        for _ in range(resamples):
            yield random.integers(0, total, total)
        return
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    blocks = [np.arange(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    for _ in range(resamples):
        yield np.concatenate([blocks[case] for case in random.integers(0, len(sizes), len(sizes))])


def _paired_cases(
    left: Sequence[Rows], right: Sequence[Rows], seed: int, resamples: int
) -> Iterator[tuple[Rows, Rows]]:
    if len(left) < 2:
        return
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        chosen = random.integers(0, len(left), len(left))
        yield np.concatenate([left[case] for case in chosen]), np.concatenate([right[case] for case in chosen])


def _interval(samples: Sequence[float]) -> tuple[float | None, float | None]:
    if not samples:
        return None, None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, (tail, 1 - tail))
    return float(low), float(high)
