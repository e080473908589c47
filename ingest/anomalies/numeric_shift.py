"""`numeric_shift`: the distribution of a numeric parameter moved: a latency, a depth, a size.

Two robust scores are judged. The rank of a value within its parameter (as Wilcoxon, Kruskal and Wallis use it) shows a
move of the whole distribution, and no outlier and no unit matters to it; whether a value is among the largest tenth
shows a move of a minority: one request in five that takes seconds leaves the median where it was.

A bucket's mean score is held against that of the accepted buckets before it (the reference first). Its standard error
has the scatter of single values and the scatter between buckets, so a parameter that always wanders is not reported.
Several widths are tried: a sudden move shows in the narrowest, a sparse parameter only in a wide one. Buckets that
stand out in one direction are a stretch, and the stretch as a whole is tested once more against what came before; its
p-value is never below that of the exact permutation test, 1 / C(n + m, m), so that three values prove nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies import sparse_shift
from ingest.anomalies.meaning import is_amount, is_costly
from ingest.anomalies.statistics import Floats, discoveries, incomplete_beta, mean_ranks
from ingest.anomalies.values import Column

SCALES: Final = (1, 4, 8, 16)
LEAST_HISTORY: Final = 8
LEAST_BUCKETS: Final = 4
LEAST_NOW: Final = 3
RATIO: Final = 1.5
"""Ratio of medians, or of 90th percentiles, below which a move does not matter to people."""

LARGE: Final = 0.9
"""Quantile of a parameter above which its values are large."""

MOST_SHIFTS: Final = 4
"""Stretches of one parameter that are reported."""

SPARSE: Final = 1.3
"""Values per bucket that has any, up to which a parameter is sparse."""

_SURE: Final = 3.5
_GAP: Final = 3
_REGIME: Final = 40
_COUNTER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Shift:
    """A parameter out of its normal from bucket `first` to `last`.

    `before` and `during` are its `quantile` (the median, or `LARGE`, whichever moved more) in the column's unit,
    `ratio` the two in proportion; `history` values before are compared with `samples` values inside.
    """

    column: int
    first: int
    last: int
    quantile: float
    before: float
    during: float
    ratio: float
    history: int
    samples: int
    p_value: float


def shifts(columns: Sequence[Column], buckets: int, start: int, rate: float) -> list[Shift]:
    """The shifts of the numeric ones among `columns`, judged from bucket `start` on, in order of column and bucket."""
    numeric = [i for i, column in enumerate(columns) if column.numbers is not None]
    scores = [(i, score) for i in numeric for score in _scores(columns[i])]
    best: dict[int, list[Shift]] = {}
    for scale in SCALES if scores else ():
        by_column: dict[int, list[Shift]] = {}
        for found in _at_scale(scores, buckets, start, rate, scale):
            by_column.setdefault(found[0].column, []).extend(found)
        for i, found in by_column.items():
            if i not in best or _surest(found) < _surest(best[i]):
                best[i] = found
    for i, found in _sparse(columns, scores, start):
        if i not in best or _surest(found) < _surest(best[i]):
            best[i] = found
    candidates = [shift for i in sorted(best) for shift in _apart(best[i])]
    # All that were looked at are hypotheses, not only those that stood out somewhere.
    rest = max(0, len(scores) * (len(SCALES) + 1) - len(candidates))
    keep = discoveries(np.array([shift.p_value for shift in candidates] + [1.0] * rest), rate)[: len(candidates)]
    return [shift for shift, kept in zip(candidates, keep, strict=True) if kept]


def _surest(found: Sequence[Shift]) -> float:
    return min(shift.p_value for shift in found)


def _apart(found: Sequence[Shift]) -> list[Shift]:
    """The surest of the stretches that overlap, in order."""
    kept: list[Shift] = []
    for shift in sorted(found, key=lambda s: (s.p_value, s.first)):
        if all(shift.last < other.first or shift.first > other.last for other in kept):
            kept.append(shift)
    return sorted(kept[:MOST_SHIFTS], key=lambda s: s.first)


@dataclass(frozen=True, slots=True)
class _Scores:
    """The scores of a column's good values in order of bucket, and those values. `binary`: scores are 0 or 1."""

    buckets: NDArray[np.int64]
    values: Floats
    scores: Floats
    binary: bool = False


def _scores(column: Column) -> list[_Scores]:
    """Both scores of a column; none where its values do not differ."""
    assert column.numbers is not None
    good = np.flatnonzero(~np.isnan(column.numbers))
    order = good[np.argsort(column.buckets[good], kind="stable")]
    at, values = column.buckets[order], column.numbers[order]
    if len(values) < LEAST_HISTORY + LEAST_NOW or values.min() == values.max():
        return []
    cut = np.quantile(values, LARGE)
    # Where the largest values are all alike, they are the tail, or else what lies above them.
    large = values >= cut if (values >= cut).mean() <= 2 * (1 - LARGE) else values > cut
    both = [_Scores(at, values, mean_ranks(values))]
    return [*both, _Scores(at, values, large.astype(np.float64), binary=True)] if large.any() else both


def _at_scale(
    scores: Sequence[tuple[int, _Scores]],
    buckets: int,
    start: int,
    rate: float,
    scale: int,
) -> list[list[Shift]]:
    # So that no wide bucket mixes the reference and the window.
    offset = -start % scale
    width = -(-(buckets + offset) // scale)
    count, total, square = (np.zeros((len(scores), width)) for _ in range(3))
    for row, (_, each) in enumerate(scores):
        at = (each.buckets + offset) // scale
        count[row] = np.bincount(at, minlength=width)
        total[row] = np.bincount(at, each.scores, minlength=width)
        square[row] = np.bincount(at, each.scores**2, minlength=width)
    flagged, tests = _judge(count, total, square, (start + offset) // scale, rate)
    result = []
    for row, (i, each) in enumerate(scores):
        found = []
        outside = np.repeat(flagged[row] == 0, scale)[offset : offset + buckets]
        for sign in (1, -1):
            for first, last in _runs(np.flatnonzero(flagged[row] == sign), max(1, _GAP // scale)):
                stretch = (first * scale - offset, min(buckets, (last + 1) * scale - offset) - 1)
                earlier = (each.buckets < stretch[0]) & outside[each.buckets]
                inside = (each.buckets >= stretch[0]) & (each.buckets <= stretch[1])
                if int(earlier.sum()) < LEAST_HISTORY or int(inside.sum()) < LEAST_NOW:
                    continue
                # It is the most striking of as many places as were looked at (Bonferroni).
                p_value = min(1.0, _stretch_p_value(each, earlier, inside) * int(tests[row]))
                shift = _describe(i, each, earlier, inside, stretch, sign, p_value, scale)
                if shift is not None:
                    found.append(shift)
        if found:
            result.append(found)
    return result


def _judge(
    count: Floats, total: Floats, square: Floats, start: int, rate: float
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Which cells stand out: 1 above, -1 below, 0 neither; shape (scores, buckets). And the tests made in each row."""
    rows, width = count.shape
    n, s, q = (np.zeros(rows) for _ in range(3))
    k, m, mm, inverse = (np.zeros(rows) for _ in range(4))
    streak = np.zeros(rows)
    result = np.zeros((rows, width), dtype=np.int8)
    tests = np.zeros(rows, dtype=np.int64)
    for b in range(width):
        now = count[:, b]
        mean_now = total[:, b] / np.maximum(now, 1.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = s / n
            within = np.maximum(q / n - mean**2, 0.005)
            between = np.maximum(mm / k - (m / k) ** 2 - within * inverse / k, 0.0)
            z = (mean_now - mean) / np.sqrt(within * (1 / np.maximum(now, 1.0) + 1 / n) + between * (1 + 1 / k))
        z = np.nan_to_num(z)
        ready = (n >= LEAST_HISTORY) & (k >= LEAST_BUCKETS) & (now >= LEAST_NOW) & (b >= start)
        tests += ready
        wild = ready & (np.abs(z) >= _SURE)
        flagged = np.zeros(rows, dtype=np.bool_)
        if wild.any():
            p = np.ones(rows)
            p[wild] = [_two_sided(each) for each in z[wild]]
            flagged[ready] = discoveries(p[ready], rate)
            result[flagged, b] = np.sign(z[flagged]).astype(np.int8)
        streak = np.where(flagged, streak + 1, np.where(now > 0, 0, streak))
        accepted = (now > 0) & (~flagged | (streak > _REGIME))
        n += np.where(accepted, now, 0.0)
        s += np.where(accepted, total[:, b], 0.0)
        q += np.where(accepted, square[:, b], 0.0)
        k += accepted
        m += np.where(accepted, mean_now, 0.0)
        mm += np.where(accepted, mean_now**2, 0.0)
        inverse += np.where(accepted, 1.0 / np.maximum(now, 1.0), 0.0)
    return result, tests


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _runs(at: NDArray[np.int64], gap: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for b in at.tolist():
        if runs and b - runs[-1][1] <= gap:
            runs[-1] = (runs[-1][0], b)
        else:
            runs.append((b, b))
    return runs


def _describe(
    index: int,
    each: _Scores,
    earlier: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    stretch: tuple[int, int],
    sign: int,
    p_value: float,
    scale: int,
) -> Shift | None:
    """The shift of the values `inside` a stretch of buckets against `earlier` ones, masks of shape (values,).

    None where the move is small, or the parameter only counts upwards. A `scale` above 0 is how many buckets the bounds
    may be off; they are then looked for.
    """
    at, values = each.buckets, each.values
    if _counts_upwards(at[earlier], values[earlier]):
        return None
    usual, during = values[earlier], values[inside]
    # A count that goes from 0 to 2 has not grown without bounds.
    least = 5.0 if bool(np.all(values == np.round(values))) else 0.05 * float(values.std()) + 1e-9

    def change(quantile: float) -> float:
        before, now = float(np.quantile(usual, quantile)), float(np.quantile(during, quantile))
        return math.log(max((now + least) / (before + least), 1e-9)) if before + least > 0 else 0.0

    chosen = max((0.5, LARGE), key=lambda quantile: sign * change(quantile))
    if sign * change(chosen) <= math.log(RATIO) + 1e-9:
        return None
    first, last = _bounds(at, values, usual, chosen, stretch, sign, scale) if scale else stretch
    return Shift(
        column=index,
        first=first,
        last=last,
        quantile=chosen,
        before=float(np.quantile(usual, chosen)),
        during=float(np.quantile(during, chosen)),
        ratio=math.exp(change(chosen)),
        history=len(usual),
        samples=len(during),
        p_value=p_value,
    )


def _sparse(
    columns: Sequence[Column], scores: Sequence[tuple[int, _Scores]], start: int
) -> Iterator[tuple[int, list[Shift]]]:
    """The shifts of columns with hardly more than one value in a bucket, as far as a move of them tells of trouble."""
    done: set[int] = set()
    for i, each in scores:
        judged = each.buckets[each.buckets >= start]
        if i in done or not tells(columns[i]) or len(judged) > SPARSE * len(np.unique(judged)):
            continue
        done.add(i)
        found = []
        first_judged = int(np.searchsorted(each.buckets, start))
        known = np.ones(len(each.values), dtype=np.bool_)
        for stretch in sparse_shift.stretches(each.values, first_judged, MOST_SHIFTS):
            inside = np.zeros(len(each.values), dtype=np.bool_)
            inside[stretch.first : stretch.end] = True
            earlier = known & (np.arange(len(each.values)) < stretch.first)
            known &= ~inside
            bounds = int(each.buckets[stretch.first]), int(each.buckets[stretch.end - 1])
            shift = _describe(i, each, earlier, inside, bounds, stretch.sign, stretch.p_value, 0)
            if shift is not None:
                found.append(shift)
        if found:
            yield i, found


def _counts_upwards(at: NDArray[np.int64], values: Floats) -> bool:
    times = at.astype(np.float64)
    if times.std() == 0 or values.std() == 0:
        return False
    return bool(abs(np.corrcoef(times, mean_ranks(values))[0, 1]) > _COUNTER)


def _stretch_p_value(each: _Scores, earlier: NDArray[np.bool_], inside: NDArray[np.bool_]) -> float:
    """Two-sided p-value of the mean score inside against earlier; buckets are clusters of values that go together."""
    at, scores = each.buckets, each.scores
    n, m = int(earlier.sum()), int(inside.sum())
    within = max(float(scores[earlier].var()), 0.005)
    _, cluster = np.unique(at[earlier], return_inverse=True)
    sizes = np.bincount(cluster)
    means = np.bincount(cluster, scores[earlier]) / sizes
    between = max(0.0, float(means.var()) - within * float((1.0 / sizes).mean()))
    clusters = len(np.unique(at[inside]))
    error = math.sqrt(within * (1 / n + 1 / m) + between * (1 / len(sizes) + 1 / clusters))
    z = float(scores[inside].mean() - scores[earlier].mean()) / error
    exact = math.exp(max(-690.0, math.lgamma(n + 1) + math.lgamma(m + 1) - math.lgamma(n + m + 1)))
    if each.binary:
        # So many large values among so few are not normally distributed.
        large = float(scores[inside].sum())
        usual = (float(scores[earlier].sum()) + 0.5) / (n + 1)
        tail = incomplete_beta(np.array([max(large, 1e-9)]), np.array([m - large + 1.0]), np.array([usual]))
        exact = max(exact, float(tail[0]) if z > 0 else (1 - usual) ** m)
    return max(_two_sided(z), exact, 1e-300)


def _bounds(
    at: NDArray[np.int64],
    values: Floats,
    usual: Floats,
    quantile: float,
    stretch: tuple[int, int],
    sign: int,
    scale: int,
) -> tuple[int, int]:
    """The exact bounds of a stretch: values beyond half-way to what it moved to, few of the usual ones between them."""
    first, last = stretch
    within = values[(at >= first) & (at <= last)]
    before, during = float(np.quantile(usual, quantile)), float(np.quantile(within, quantile))
    if before <= 0 or during <= 0 or sign * (during - before) <= 0:
        return first, last
    moved = sign * (values - math.sqrt(before * during)) > 0
    inside = np.flatnonzero(moved & (at >= first) & (at <= last))
    if not inside.size:
        return first, last
    low, high = int(inside[0]), int(inside[-1])
    i = low
    while i > 0 and low - i < _GAP and at[low] - at[i] <= 2 * _GAP * scale:
        i -= 1
        low = i if moved[i] else low
    i = high
    while i < len(at) - 1 and i - high < _GAP:
        i += 1
        high = i if moved[i] else high
    return int(at[low]), int(at[high])


def tells(column: Column) -> bool:
    """Whether a move of a parameter may tell of trouble, by its name and unit."""
    return bool(column.unit) or is_costly(column.name) or is_amount(column.name)


def why(column: Column, shift: Shift) -> str:
    """The sentence of one anomaly."""
    unit = f" {column.unit}" if column.unit else ""
    what = "median" if shift.quantile == 0.5 else f"{100 * shift.quantile:.0f}th percentile"
    change = f"{shift.ratio:.1f}x" if shift.ratio >= 1 else f"down to {shift.ratio:.1g}x"
    return (
        f"{column.name}: {what} {shift.during:.4g}{unit} where {shift.before:.4g}{unit} is usual ({change}; "
        f"{shift.samples} samples against {shift.history}, rank test p={shift.p_value:.1g})"
    )
