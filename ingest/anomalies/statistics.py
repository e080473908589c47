"""The statistics that every kind of anomaly shares. numpy only: scipy costs a fifth of a second to import.

Counts of log records are over-dispersed: bursts, retries and batch jobs make the variance larger than the mean, so
Poisson limits cry wolf. Each template is held against a negative binomial whose mean is its own past rate, scaled by
how busy the system is as a whole, and whose variance is `mu + mu**2 * alpha`: `alpha` is its own past over-dispersion
(method of moments) plus what is not known of its rate (`1 / count`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EPSILON: Final = 1e-300


def log_gamma(x: Floats) -> Floats:
    """ln Gamma(x) for x > 0. Stirling's series after shifting x above 8; relative error below 1e-10."""
    x = np.asarray(x, dtype=np.float64)
    shift = np.zeros_like(x)
    y = x.copy()
    for _ in range(8):
        small = y < 8.0
        if not small.any():
            break
        shift = np.where(small, shift + np.log(np.where(small, y, 1.0)), shift)
        y = np.where(small, y + 1.0, y)
    inverse = 1.0 / (y * y)
    series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / y
    return np.asarray((y - 0.5) * np.log(y) - y + 0.9189385332046727 + series - shift)


def incomplete_beta(a: Floats, b: Floats, x: Floats) -> Floats:
    """The regularised incomplete beta function I_x(a, b), a, b > 0, elementwise.

    Lentz's continued fraction (Press et al., Numerical Recipes, section 6.4).
    """
    a, b, x = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (a, b, x)))
    x = np.clip(x, 0.0, 1.0)
    inside = (x > 0) & (x < 1)
    safe = np.where(inside, x, 0.5)
    swap = safe > (a + 1) / (a + b + 2)
    p, q, z = np.where(swap, b, a), np.where(swap, a, b), np.where(swap, 1 - safe, safe)
    of_sum, of_p, of_q = log_gamma(np.stack([p + q, p, q]))
    front = np.exp(of_sum - of_p - of_q + p * np.log(z) + q * np.log1p(-z)) / p
    value = front * _fraction(p, q, z)
    value = np.where(swap, 1 - value, value)
    return np.where(inside, np.clip(value, 0.0, 1.0), np.where(x >= 1, 1.0, 0.0))


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    tiny = 1e-30
    c = np.ones_like(x)
    d = 1 - (a + b) * x / (a + 1)
    d = 1 / np.where(np.abs(d) < tiny, tiny, d)
    h = d.copy()
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / np.where(np.abs(d) < tiny, tiny, d)
            c = 1 + numerator / c
            c = np.where(np.abs(c) < tiny, tiny, c)
            step = d * c
            h = h * step
        if bool(np.all(np.abs(step - 1) < 1e-10)):
            break
    return h


def upper_tail(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """P(X >= observed) for X negative binomial with this mean and variance mean + alpha * mean**2."""
    k, mean, alpha = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (observed, mean, alpha)))
    size = 1.0 / np.maximum(alpha, 1e-6)
    share = np.maximum(mean, 1e-12) / (size + np.maximum(mean, 1e-12))
    p = incomplete_beta(np.maximum(k, 1e-9), size, share)
    return np.where(k <= 0, 1.0, np.maximum(p, _EPSILON))


def lower_tail(observed: Floats, mean: Floats, alpha: Floats) -> Floats:
    """P(X <= observed) for the same distribution as `upper_tail`."""
    k, mean, alpha = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (observed, mean, alpha)))
    size = 1.0 / np.maximum(alpha, 1e-6)
    stay = size / (size + np.maximum(mean, 1e-12))
    return np.maximum(incomplete_beta(size, np.asarray(k) + 1.0, stay), _EPSILON)


def discoveries(p_values: Floats, rate: float, weights: Floats | None = None) -> NDArray[np.bool_]:
    """Which hypotheses are rejected at a false discovery rate (Benjamini and Hochberg 1995).

    With `weights` (mean 1 after scaling), p-values are divided by them first (Genovese, Roeder and Wasserman 2006):
    what matters more beforehand, such as errors, needs less evidence, and the rate still holds.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.size == 0:
        return np.zeros(0, dtype=np.bool_)
    if weights is not None:
        p = p / (weights / weights.mean())
    order = np.argsort(p, kind="stable")
    passed = p[order] <= rate * np.arange(1, p.size + 1) / p.size
    keep = np.zeros(p.size, dtype=np.bool_)
    if passed.any():
        keep[order[: int(np.flatnonzero(passed)[-1]) + 1]] = True
    return keep


def overdispersion(counts: Floats, means: Floats, valid: NDArray[np.bool_]) -> Floats:
    """`alpha` per row of a (templates, buckets) matrix, from the buckets that are `valid`; shape (templates,).

    Method of moments, sum((x - mu)**2 - mu) / sum(mu**2), never below 0.
    """
    residual = np.where(valid, (counts - means) ** 2 - means, 0.0).sum(axis=1)
    scale = np.where(valid, means**2, 0.0).sum(axis=1)
    return np.asarray(np.clip(residual / np.maximum(scale, 1e-9), 0.0, 1e6))


def mean_ranks(values: Floats) -> Floats:
    """Mean ranks in (0, 1], ties sharing theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse] / len(values))


def score_of(p_value: float, effect: float) -> float:
    """A score in [0, 1] from a p-value and an effect in [0, 1]: how sure, and how much."""
    surprise = min(1.0, -np.log10(max(p_value, 1e-12)) / 12.0)
    return float(round(0.5 * surprise + 0.5 * min(1.0, max(0.0, effect)), 4))
