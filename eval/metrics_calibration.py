"""Are scores probabilities? Brier score, expected calibration error, risk-coverage.

`confidence` in [0, 1] and `correct` (0 or 1) are arrays of one length, one entry per case.
Brier (Monthly Weather Review 1950). ECE: Naeini, Cooper and Hauskrecht (AAAI 2015), equal-width bins. Risk-coverage
and its area AURC: Geifman and El-Yaniv (NeurIPS 2017; ICLR 2019).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def brier(confidence: Floats, correct: Floats) -> float:
    """Mean squared difference of confidence and outcome; 0 is perfect, lower is better."""
    return float(np.mean((confidence - correct) ** 2))


def expected_calibration_error(confidence: Floats, correct: Floats, bins: int = 10) -> float:
    """Mean over bins (weighted by size) of |mean confidence - accuracy|. Bins are (0, .1], (.1, .2] ...; 0 is in the
    first."""
    slot = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    size = np.bincount(slot, minlength=bins)
    gap = np.abs(np.bincount(slot, confidence, bins) - np.bincount(slot, correct, bins))
    return float(gap.sum() / size.sum())


def risk_coverage(confidence: Floats, correct: Floats) -> Floats:
    """Risk (share of wrong answers) when only the n most confident cases are answered, for n = 1 ... all.

    Among cases of equal confidence no order is known: each of them counts with the mean error of its tie.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, wrong = confidence[order], 1 - correct[order]
    _, start, size = np.unique(-sorted_confidence, return_index=True, return_counts=True)
    expected = np.repeat(np.add.reduceat(wrong, start) / size, size)
    return np.asarray(np.cumsum(expected) / np.arange(1, len(order) + 1), dtype=np.float64)


def aurc(confidence: Floats, correct: Floats) -> float:
    """Mean of the risk over all coverages; lower is better. Ranking by confidence helps where it is below the error
    rate."""
    return float(np.mean(risk_coverage(confidence, correct)))
