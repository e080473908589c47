"""Intervals and paired differences: reproducible, of the right size, and by cases rather than rows."""

from __future__ import annotations

import numpy as np
import pytest

from eval.bootstrap import FEW_CASES, compare, estimate_all
from eval.metrics import METRICS


def answers(flags: list[int]) -> dict[str, dict[str, list[list[float]]]]:
    return {f"c{i:03}": {"healthy": [[float(flag)]]} for i, flag in enumerate(flags)}


def test_every_metric_can_be_estimated_from_its_family() -> None:
    widths = {
        "lines": 3, "lines_annotator2": 3, "sessions": 3, "windows": 3, "streams": 8, "calibration": 2, "citations": 2,
        "retrieval": 6, "retrieval_other_service": 6, "templates": 4,
    }  # fmt: skip
    rows = {metric.family: [[1.0] * widths.get(metric.family, 1)] * 2 for metric in METRICS.values()}
    found = estimate_all({"a": rows, "b": rows}, seed=1, resamples=5)
    assert list(found) == list(METRICS)
    assert all(np.isfinite(each.value) for each in found.values())


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    found = estimate_all(answers([1] * 80 + [0] * 20), seed=7)["healthy_accuracy"]
    assert found.value == 0.8 and found.cases == 100
    # Normal approximation: .8 +- 1.96 * sqrt(.8 * .2 / 100) = [.722, .878].
    assert found.low == pytest.approx(0.722, abs=0.02)
    assert found.high == pytest.approx(0.878, abs=0.02)


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        found = estimate_all(answers(list(random.random(60) < 0.7)), seed=5, resamples=200)["healthy_accuracy"]
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.7 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_seed_decides() -> None:
    data = answers([1, 0, 1, 1, 0, 1, 0] * 9)
    assert estimate_all(data, seed=1) == estimate_all(data, seed=1)
    assert estimate_all(data, seed=1) != estimate_all(data, seed=2)


def test_cases_are_drawn_with_all_their_rows() -> None:
    """Ten cases of 50 equal rows each say no more than ten rows: the interval must stay as wide."""
    few = {f"c{i}": {"healthy": [[float(i % 2)]]} for i in range(10)}
    many = {f"c{i}": {"healthy": [[float(i % 2)]] * 50} for i in range(10)}
    narrow, wide = (estimate_all(each, seed=1)["healthy_accuracy"] for each in (many, few))
    assert narrow.low == pytest.approx(wide.low, abs=0.06)
    assert narrow.rows == 500


def test_rows_are_drawn_where_cases_are_few() -> None:
    assert FEW_CASES == 5
    found = estimate_all({"one": {"sessions": [[1.0, 0.0, 0.0]] * 50 + [[0.0, 0.0, 1.0]] * 50}}, seed=1)
    recall = found["session_recall"]
    assert recall.value == 0.5 and recall.low is not None and 0.35 < recall.low < 0.45
    assert estimate_all({"one": {"healthy": [[1.0]]}}, seed=1)["healthy_accuracy"].low is None


def test_paired_differences() -> None:
    before = answers([1] * 50 + [0] * 50)
    after = answers([1] * 70 + [0] * 30)
    (difference,) = [each for each in compare(before, after, seed=1) if each.metric == "healthy_accuracy"]
    assert difference.value == pytest.approx(0.2)
    assert difference.verdict == "better"
    assert difference.low is not None and 0.1 < difference.low < 0.2
    (same,) = [each for each in compare(before, before, seed=1) if each.metric == "healthy_accuracy"]
    assert (same.value, same.low, same.high, same.verdict) == (0, 0, 0, "no clear change")


def test_lower_is_better_where_it_is() -> None:
    before = {f"c{i}": {"failures": [[0.0]]} for i in range(20)}
    after = {f"c{i}": {"failures": [[1.0]]} for i in range(20)}
    verdicts = {each.metric: each.verdict for each in compare(before, after, seed=1)}
    assert verdicts["failed"] == "worse"


def test_only_cases_of_both_are_compared() -> None:
    before, after = answers([1, 1, 0]), {"c000": {"healthy": [[0.0]]}, "new": {"healthy": [[1.0]]}}
    (difference,) = compare(before, after, seed=1)
    assert (difference.a, difference.b, difference.cases, difference.low) == (1.0, 0.0, 1, None)


def test_cases_may_have_another_number_of_rows() -> None:
    before = {"a": {"citations": [[3.0, 4.0]]}, "b": {"delay": [[1.0], [2.0]]}}
    after = {"a": {"citations": [[4.0, 4.0]]}, "b": {"delay": [[5.0]]}}
    found = {each.metric: each for each in compare(before, after, seed=1)}
    assert found["citations_resolved"].b == 1.0
    assert found["time_to_detect_seconds"].value == 3.5
