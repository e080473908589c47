"""`numeric_shift`: the distribution of a numeric parameter moved: a latency, a depth, a size.

The test is robust: values are replaced by their ranks within the parameter (as Wilcoxon and Kruskal do), so no outlier
and no unit matters. A bucket's mean rank is held against the mean rank of the accepted buckets before it; its standard
error has the scatter of single values and the scatter between buckets, so a parameter that always wanders is not
reported. Several widths are tried: a sudden move shows in the narrowest, a sparse parameter only in a wide one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies.statistics import Floats, discoveries
from ingest.anomalies.values import Column

SCALES: Final = (1, 4, 8, 16)
LEAST_HISTORY: Final = 20
LEAST_BUCKETS: Final = 4
LEAST_NOW: Final = 3
RATIO: Final = 1.5
"""Ratio of medians, or of 90th percentiles, below which a move does not matter to people."""

_SURE: Final = 3.5
_GAP: Final = 3
_REGIME: Final = 40
_COUNTER: Final = 0.8

COSTLY: Final = re.compile(
    r"(?i)(?:took|duration|latency|elapsed|delay|wait|(?:^|_)u?rt(?:$|_)|response_?time|request_?time|_ms\b|\bms\b|seconds?\b|\bsecs?\b"
    r"|lag|backlog|depth|pending|behind|queue|heap|rss|memory|used|cpu|load|attempt|retries|in_use|active|age)"
)
"""Names of parameters that hurt when they grow."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A parameter out of its normal from bucket `first` to `last`; medians before and during, in the column's unit."""

    column: int
    first: int
    last: int
    active: int
    before: float
    during: float
    ratio: float
    p_value: float


def shifts(columns: Sequence[Column], buckets: int, start: int, rate: float) -> list[Shift]:
    """The shifts of the numeric ones among `columns`, judged from bucket `start` on."""
    numeric = [i for i, column in enumerate(columns) if column.numbers is not None]
    found: dict[int, Shift] = {}
    for scale in SCALES:
        if not numeric:
            break
        for shift in _at_scale(columns, numeric, buckets, start, rate, scale):
            known = found.get(shift.column)
            if known is None or shift.p_value < known.p_value:
                found[shift.column] = shift
    return [found[i] for i in sorted(found)]


def _at_scale(
    columns: Sequence[Column], numeric: Sequence[int], buckets: int, start: int, rate: float, scale: int
) -> list[Shift]:
    width = -(-buckets // scale)
    count, total, square = (np.zeros((len(numeric), width)) for _ in range(3))
    for row, i in enumerate(numeric):
        values = columns[i].numbers
        assert values is not None
        good = ~np.isnan(values)
        ranks = _ranks(values[good])
        at = columns[i].buckets[good] // scale
        np.add.at(count[row], at, 1.0)
        np.add.at(total[row], at, ranks)
        np.add.at(square[row], at, ranks**2)
    flagged = _judge(count, total, square, start // scale, rate)
    result = []
    for row, i in enumerate(numeric):
        at = np.flatnonzero(flagged[row] < 1.0)
        for first, last in _runs(at):
            shift = _describe(columns[i], i, first * scale, min(buckets, (last + 1) * scale) - 1, scale)
            if shift is not None:
                active = int((flagged[row, first : last + 1] < 1.0).sum()) * scale
                p = float(np.prod(flagged[row, first : last + 1]))
                result.append(Shift(i, *shift[:2], active, *shift[2:], max(p, 1e-300)))
                break  # the first move; what follows is seldom news
    return result


def _ranks(values: Floats) -> Floats:
    """Mean ranks in (0, 1], ties sharing theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse] / len(values))


def _judge(count: Floats, total: Floats, square: Floats, start: int, rate: float) -> Floats:
    """p-value of each flagged cell, 1 elsewhere; shape (parameters, buckets)."""
    rows, width = count.shape
    n, s, q = (np.zeros(rows) for _ in range(3))
    k, m, mm, inverse = (np.zeros(rows) for _ in range(4))
    streak = np.zeros(rows)
    result = np.ones((rows, width))
    for b in range(width):
        now = count[:, b]
        mean_now = total[:, b] / np.maximum(now, 1.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = s / n
            within = np.maximum(q / n - mean**2, 0.005)
            between = np.maximum(mm / k - (m / k) ** 2 - within * inverse / k, 0.0)
            z = (mean_now - mean) / np.sqrt(within * (1 / np.maximum(now, 1.0) + 1 / n) + between * (1 + 1 / k))
        ready = (n >= LEAST_HISTORY) & (k >= LEAST_BUCKETS) & (now >= LEAST_NOW) & (b >= start)
        wild = ready & (np.abs(np.nan_to_num(z)) >= _SURE)
        flagged = np.zeros(rows, dtype=np.bool_)
        if wild.any():
            p = np.ones(rows)
            p[wild] = [math.erfc(abs(each) / math.sqrt(2)) for each in z[wild]]
            flagged[ready] = discoveries(p[ready], rate)
            result[flagged, b] = np.maximum(p[flagged], 1e-12)
        streak = np.where(flagged, streak + 1, np.where(now > 0, 0, streak))
        accepted = (now > 0) & (~flagged | (streak > _REGIME))
        n += np.where(accepted, now, 0.0)
        s += np.where(accepted, total[:, b], 0.0)
        q += np.where(accepted, square[:, b], 0.0)
        k += accepted
        m += np.where(accepted, mean_now, 0.0)
        mm += np.where(accepted, mean_now**2, 0.0)
        inverse += np.where(accepted, 1.0 / np.maximum(now, 1.0), 0.0)
    return result


def _runs(at: NDArray[np.int64]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for b in at.tolist():
        if runs and b - runs[-1][1] <= _GAP:
            runs[-1] = (runs[-1][0], b)
        else:
            runs.append((b, b))
    return runs


def _describe(
    column: Column, index: int, first: int, last: int, scale: int
) -> tuple[int, int, float, float, float] | None:
    """Bounds, medians before and during, ratio; None where the move is small, or the parameter only counts upwards."""
    values = column.numbers
    assert values is not None
    good = ~np.isnan(values)
    at, values = column.buckets[good], values[good]
    earlier, during = values[at < first], values[(at >= first) & (at <= last)]
    if len(earlier) < LEAST_HISTORY or len(during) < LEAST_NOW:
        return None
    times = at[at < first].astype(np.float64)
    if times.std() > 0 and earlier.std() > 0 and abs(np.corrcoef(times, _ranks(earlier))[0, 1]) > _COUNTER:
        return None
    first, last = _stretch(at, values, first, last, scale)
    during = values[(at >= first) & (at <= last)]
    pairs = [(np.median(earlier), np.median(during)), (np.quantile(earlier, 0.9), np.quantile(during, 0.9))]
    # A count that goes from 0 to 1 has not grown without bounds.
    least = 2.0 if bool(np.all(values == np.round(values))) else 0.05 * float(values.std()) + 1e-9
    ratios = [float((b + least) / (a + least)) for a, b in pairs]
    ratio = max(ratios, key=lambda r: abs(math.log(max(r, 1e-9))))
    if 1 / RATIO < ratio < RATIO:
        return None
    return first, last, float(pairs[0][0]), float(pairs[0][1]), ratio


def _stretch(at: NDArray[np.int64], values: Floats, first: int, last: int, scale: int) -> tuple[int, int]:
    """The exact bounds: samples beyond half-way between both medians (as ratios), few of the old kind between them."""
    before, during = float(np.median(values[at < first])), float(np.median(values[(at >= first) & (at <= last)]))
    if before <= 0 or during <= 0:
        return first, last
    order = np.argsort(at, kind="stable")
    moved = (values[order] > math.sqrt(before * during)) == (during > before)
    inside = np.flatnonzero(moved & (at[order] >= first) & (at[order] <= last))
    if not inside.size:
        return first, last
    low, high = int(inside[0]), int(inside[-1])
    i = low
    while i > 0 and low - i < _GAP and at[order[low]] - at[order[i]] <= 2 * _GAP * scale:
        i -= 1
        low = i if moved[i] else low
    i = high
    while i < len(order) - 1 and i - high < _GAP:
        i += 1
        high = i if moved[i] else high
    return int(at[order[low]]), int(at[order[high]])


def why(column: Column, shift: Shift, samples: int) -> str:
    """The sentence of one anomaly."""
    unit = f" {column.unit}" if column.unit else ""
    return (
        f"{column.name}: median {shift.during:.4g}{unit} where {shift.before:.4g}{unit} is usual "
        f"(up to {shift.ratio:.1f}x, {samples} samples, p={shift.p_value:.1g})"
    )
