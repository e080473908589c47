"""`numeric_shift` on made-up parameters: what it finds, what it leaves alone, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from detection_parts import column

from ingest.anomalies import numeric_shift, sparse_shift
from ingest.anomalies.meaning import is_amount, is_costly, scale_of, words_of
from ingest.anomalies.pooling import UNIT, regrouped
from ingest.anomalies.requests import requests_of


def dense(seed: int, buckets: int = 120, per_bucket: int = 4) -> tuple[np.ndarray, list[int]]:
    """Log-normal latencies about 50 ms, some in each bucket."""
    rng = np.random.default_rng(seed)
    return 50 * rng.lognormal(0, 0.3, buckets * per_bucket), [b for b in range(buckets) for _ in range(per_bucket)]


def test_a_moved_distribution_is_found_with_its_bounds_and_its_numbers() -> None:
    values, buckets = dense(1)
    at = np.array(buckets)
    values[(at >= 60) & (at < 90)] *= 20
    (shift,) = numeric_shift.shifts([column(values, buckets=buckets)], 120, 0, 0.01)
    assert abs(shift.first - 60) <= 1 and abs(shift.last - 89) <= 1
    assert shift.ratio > 10 and shift.p_value < 1e-10
    why = numeric_shift.why(column(values, buckets=buckets), shift)
    assert f"{shift.during:.4g} ms" in why and f"{shift.before:.4g} ms" in why
    assert f"{shift.samples} samples against {shift.history}" in why and "p=" in why


def test_one_slow_request_in_four_is_found_though_the_median_stays() -> None:
    values, buckets = dense(2)
    at = np.array(buckets)
    values[(at >= 60) & (np.arange(len(values)) % 4 == 0)] = 5000
    (shift,) = numeric_shift.shifts([column(values, buckets=buckets)], 120, 0, 0.01)
    assert shift.quantile == numeric_shift.LARGE
    assert shift.during > 1000


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_no_shift(seed: int) -> None:
    values, buckets = dense(100 + seed)
    rng = np.random.default_rng(seed)
    drifting = 50 + np.cumsum(rng.normal(0, 0.2, 120))
    columns = [column(values, buckets=buckets), column(drifting.tolist(), name="heap_mb", unit="")]
    assert numeric_shift.shifts(columns, 120, 0, 0.01) == []


def test_a_counter_that_only_counts_is_no_shift() -> None:
    assert numeric_shift.shifts([column(range(1000, 1200), name="queue_seen", unit="")], 200, 0, 0.01) == []


def test_a_small_move_does_not_matter_however_sure() -> None:
    values, buckets = dense(3, per_bucket=20)
    values[np.array(buckets) >= 60] *= 1.2
    assert numeric_shift.shifts([column(values, buckets=buckets)], 120, 0, 0.01) == []


def test_nothing_is_found_before_the_judged_window() -> None:
    values, buckets = dense(4)
    at = np.array(buckets)
    values[(at >= 30) & (at < 50)] *= 20
    assert numeric_shift.shifts([column(values, buckets=buckets)], 120, 80, 0.01) == []


def test_a_queue_that_grows_after_seven_values_is_found() -> None:
    depth = [1, 0, 2, 1, 3, 0, 1] + [80 * i for i in range(1, 30)]
    (shift,) = numeric_shift.shifts([column(depth, name="waiting", unit="")], len(depth), 0, 0.01)
    assert shift.first in (7, 8) and shift.last == len(depth) - 1


def test_sparse_stretches_return_to_normal_and_prove_nothing_with_three_of_few_values() -> None:
    back = [3.0, 4, 2, 5, 3, 4, 3, 2, 4, 3, 90, 95, 99, 91, 97, 93, 95, 96, 3, 4, 2, 5, 3, 4]
    found = sparse_shift.stretches(np.array(back), 0, 4)
    assert [(each.first, each.end, each.sign) for each in found if each.p_value < 0.01] == [(10, 18, 1)]
    few = sparse_shift.stretches(np.array([3.0, 4, 2, 5, 3, 4, 90, 95, 99]), 0, 4)
    assert all(each.p_value > 0.01 for each in few)
    assert sparse_shift.stretches(np.full(30, 7.0), 0, 4) == []


def test_a_gauge_that_wanders_counts_as_fewer_values() -> None:
    rng = np.random.default_rng(5)
    sure = 0
    for _ in range(20):
        values = rng.normal(0, 1, 80)
        for i in range(1, 80):
            values[i] += 0.6 * values[i - 1]
        sure += any(each.p_value < 1e-3 for each in sparse_shift.stretches(values, 0, 1))
    assert sure <= 2


def test_durations_of_requests_are_compared_by_route_and_not_by_template() -> None:
    # One template holds quick lookups at first and slow reports later: no request got slower.
    values = [5.0, 6.0] * 30 + [500.0, 510.0] * 30
    routes = ["GET /item/*"] * 60 + ["GET /report"] * 60
    kept = regrouped([column(values, requests=routes)])
    assert {each.name for each in kept if each.unit == "ms"} == {"took_ms of GET /item/*", "took_ms of GET /report"}
    pooled = [each for each in kept if each.unit == UNIT]
    assert len(pooled) == 1 and pooled[0].numbers is not None
    assert float(np.max(pooled[0].numbers)) < 1.2
    assert numeric_shift.shifts(kept, 120, 0, 0.01) == []


def test_of_several_durations_of_a_message_the_longest_is_kept() -> None:
    kept = regrouped([column([9.0] * 20 + [8.0], name="rt"), column([5.0] * 20 + [4.0], name="urt")])
    assert [each.name for each in kept] == ["rt"]


def test_requests_by_line_and_by_fields() -> None:
    bodies = ['"GET /api/orders/o-17/items?x=1 HTTP/1.1" 200', "served", "started"]
    fields = [None, '{"method":"post","path":"/login","status":200}', '{"queue":"mail"}']
    assert requests_of(bodies, fields) == ["GET /api/orders/*/items", "POST /login", None]


def test_names_say_what_numbers_mean() -> None:
    assert words_of("oldestMs") == ("oldest", "ms") == words_of("oldest_ms")
    assert scale_of("took_ms") == (1.0, "ms") and scale_of("rt") == (1e3, "ms") and scale_of("status") == (1.0, "")
    assert is_costly("queue_depth") and is_costly("rssMb") and not is_costly("message_id") and not is_costly("flag")
    assert is_amount("rows") and not is_amount("port")


@pytest.mark.parametrize("name", ["messages_ready", "messagesReady", "num_unacked", "undelivered_total"])
def test_what_nobody_has_taken_yet_hurts_when_it_grows(name: str) -> None:
    assert is_costly(name) and not is_costly("ready_replicas")
