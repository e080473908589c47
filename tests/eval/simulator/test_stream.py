from __future__ import annotations

import io
import itertools
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.errors import ConfigError, PermanentError, RetryableError
from eval.simulator.stream import StreamPlan, run, sender, steps, to_file, to_http

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


@pytest.mark.parametrize("target", ["kinesis://logs", "ftp://x", "logs.txt"])
def test_other_targets_are_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        sender(target, io.StringIO())


class Receiver(HTTPServer):
    """Takes batches; answers with the statuses it was given, then 200."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.bodies: list[str] = []
        self.types: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/logs"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 200:
            self.server.bodies.append(body)
            self.server.types.append(self.headers["Content-Type"])
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver([])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_batches_are_posted_as_ndjson_and_tried_again(receiver: Receiver) -> None:
    receiver.statuses = [503, 429]
    clock = Time()
    to_http(receiver.url, clock.sleep)(['{"a": 1}', '{"a": 2}'])
    assert receiver.bodies == ['{"a": 1}\n{"a": 2}\n']
    assert receiver.types == ["application/x-ndjson"]
    assert clock.now > 100.0


def test_a_refusal_is_permanent_and_a_dead_server_is_not(receiver: Receiver) -> None:
    clock = Time()
    receiver.statuses = [401]
    with pytest.raises(PermanentError, match="401"):
        to_http(receiver.url, clock.sleep)(["{}"])
    receiver.statuses = [500] * 10
    with pytest.raises(RetryableError, match="took no lines"):
        to_http(receiver.url, clock.sleep)(["{}"])
    with pytest.raises(RetryableError):
        to_http("http://127.0.0.1:9/x", clock.sleep)(["{}"])
