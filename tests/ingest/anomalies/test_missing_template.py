"""Heartbeats: which silences count, and which rhythms are none."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.anomalies.missing_template import LEAST_BEATS, silence


def beats(count: int, period: float = 60.0, jitter: float = 0.05, start: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(count)
    return start + period * np.arange(count) + rng.uniform(-jitter, jitter, count) * period


def test_a_heartbeat_that_stops_is_missed_from_its_last_beat() -> None:
    times = beats(30)
    found = silence(times, float(times[-1]) + 600)
    assert found is not None
    assert found.start == times[-1] and found.end == times[-1] + 600
    assert found.beats == 30 and abs(found.period - 60) < 3
    assert found.p_value < 1e-3


def test_a_pause_in_the_midst_counts_and_a_short_one_does_not() -> None:
    long = np.concatenate([beats(20), beats(20, start=20 * 60 + 900)])
    short = np.concatenate([beats(20), beats(20, start=20 * 60 + 60)])
    assert silence(long, float(long[-1]) + 30) is not None
    assert silence(short, float(short[-1]) + 30) is None


@pytest.mark.parametrize("count", [0, 1, LEAST_BEATS - 1])
def test_few_beats_are_no_rhythm(count: int) -> None:
    assert silence(beats(count), 1e6) is None


def test_what_comes_at_random_is_no_heartbeat() -> None:
    rng = np.random.default_rng(9)
    times = np.cumsum(rng.exponential(60, 60))
    assert silence(times, float(times[-1]) + 900) is None


def test_a_rhythm_that_was_kept_for_a_part_of_the_time_only_is_none() -> None:
    # Restarts of a crash loop, long after an ordinary start.
    times = np.concatenate([[0.0], beats(12, start=3600)])
    assert silence(times, float(times[-1]) + 3600) is None
