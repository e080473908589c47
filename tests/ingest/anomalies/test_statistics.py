"""The statistics against scipy, and the false discovery rate they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from ingest.anomalies import statistics


def test_log_gamma_agrees_with_scipy() -> None:
    x = 10 ** np.random.default_rng(1).uniform(-4, 6, 500)
    assert statistics.log_gamma(x) == pytest.approx(special.gammaln(x), rel=1e-9, abs=1e-9)


def test_tails_agree_with_scipy() -> None:
    rng = np.random.default_rng(2)
    mean, alpha = 10 ** rng.uniform(-3, 4, 500), 10 ** rng.uniform(-5, 1, 500)
    observed = rng.poisson(mean * rng.choice([0.3, 1.0, 3.0], 500)).astype(float)
    size = 1 / alpha
    share = size / (size + mean)
    upper = stats.nbinom.sf(observed - 1, size, share)
    assert statistics.upper_tail(observed, mean, alpha) == pytest.approx(upper, abs=1e-8)
    assert statistics.lower_tail(observed, mean, alpha) == pytest.approx(
        stats.nbinom.cdf(observed, size, share), abs=1e-8
    )
    far = upper > 1e-200
    assert np.log10(statistics.upper_tail(observed, mean, alpha)[far]) == pytest.approx(np.log10(upper[far]), abs=1e-6)


def test_discoveries_is_benjamini_hochberg() -> None:
    p = np.array([0.01, 0.02, 0.03, 0.5])
    # thresholds at 0.05: 0.0125, 0.025, 0.0375, 0.05
    assert statistics.discoveries(p, 0.05).tolist() == [True, True, True, False]
    assert statistics.discoveries(p, 0.02).tolist() == [False, False, False, False]
    assert statistics.discoveries(np.zeros(0), 0.05).tolist() == []


def test_weights_let_errors_pass_with_less_evidence() -> None:
    p = np.array([0.02, 0.02])
    kept = statistics.discoveries(p, 0.05, np.array([10.0, 0.1]))
    assert kept.tolist() == [True, False]


def test_nothing_but_noise_is_seldom_discovered() -> None:
    rng = np.random.default_rng(3)
    runs = [statistics.discoveries(rng.uniform(size=200), 0.01).any() for _ in range(500)]
    assert sum(runs) <= 15  # 1 % of 500 runs is 5; 15 is beyond 1 in 10,000


def test_overdispersion_of_poisson_is_none_and_of_bursts_is_large() -> None:
    rng = np.random.default_rng(4)
    means = np.full((2, 400), 20.0)
    counts = np.vstack([rng.poisson(20.0, 400), rng.poisson(20.0 * rng.gamma(1.0, 1.0, 400))]).astype(float)
    calm, bursty = statistics.overdispersion(counts, means, np.ones_like(counts, dtype=bool))
    assert calm < 0.05
    assert 0.7 < bursty < 1.4


def test_score_grows_with_surprise_and_effect() -> None:
    assert statistics.score_of(1.0, 0.0) == 0.0
    assert statistics.score_of(1e-12, 1.0) == 1.0
    assert statistics.score_of(1e-6, 0.5) < statistics.score_of(1e-9, 0.5) < statistics.score_of(1e-9, 0.9)
