from __future__ import annotations

import io
import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ConfigError
from eval.simulator.senders import to_file
from eval.simulator.stream import StreamPlan, run, steps

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_lines_come_when_their_time_has_come_at_about_the_rate() -> None:
    clock = Time()
    out = io.StringIO()
    sent = run(StreamPlan(1, 40.0), to_file(out), START, 60.0, monotonic=lambda: clock.now, sleep=clock.sleep)
    assert clock.now == 160.0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == sent
    assert 0.7 * 40 * 60 < sent < 1.4 * 40 * 60
    times = [line["timestamp"] for line in lines]
    assert times == sorted(times)
    assert START.isoformat()[:16] <= times[0][:16] and times[-1] < (START + timedelta(seconds=61)).isoformat()
    assert set(lines[0]) == {"timestamp", "service", "message"}


def test_faults_come_and_go() -> None:
    plan = StreamPlan(2, 20.0, 900.0, ("dependency_down",))
    services = []
    for second in itertools.islice(steps(plan, START), 900):
        services.append(sum("rror" in text or "ERROR" in text or '" 50' in text for _, text in second))
    before, during = services[:290], services[330:590]
    assert sum(during) / len(during) > 5 * (sum(before) / len(before) + 0.01)
    assert sum(services[800:]) / 100 < sum(during) / len(during) / 3


def test_the_same_plan_gives_the_same_stream() -> None:
    plan = StreamPlan(3, 30.0)
    first, second = (list(itertools.islice(steps(plan, START), 30)) for _ in range(2))
    assert first == second and sum(map(len, first)) > 300


@pytest.mark.parametrize(("rate", "every", "named"), [(0.5, 1800.0, "--rate"), (10.0, 60.0, "--fault-every")])
def test_impossible_plans_are_refused(rate: float, every: float, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        StreamPlan(1, rate, every)
