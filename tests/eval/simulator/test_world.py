from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest

from eval.simulator.clock import Clock
from eval.simulator.layouts import LAYOUT, Emitter, Record
from eval.simulator.style import Style
from eval.simulator.traces import build
from eval.simulator.world import Effect, Failure, Slots, World

CLOCK = Clock(datetime(2026, 3, 2, 10, tzinfo=UTC))
WHO = Emitter("checkout", "checkout-abc-xyz", "com.acme", "main")


def test_stamps_are_those_of_the_programs() -> None:
    t = 61.0425
    assert CLOCK.iso(t) == "2026-03-02T10:01:01.042Z"
    assert CLOCK.comma(t) == "2026-03-02 10:01:01,042"
    assert CLOCK.nginx_access(t) == "02/Mar/2026:10:01:01 +0000"
    assert CLOCK.redis(t) == "02 Mar 2026 10:01:01.042"
    assert CLOCK.klog(t) == "0302 10:01:01.042500"
    assert CLOCK.syslog(t) == "Mar  2 10:01:01"
    assert CLOCK.epoch(t) == "1772445661.042500"
    assert CLOCK.epoch_ms(t) == 1772445661042
    assert CLOCK.at(t) == datetime(2026, 3, 2, 10, 1, 1, 42500, tzinfo=UTC)


def test_a_pool_makes_askers_wait_then_refuses() -> None:
    pool = Slots(1, timeout=5.0)
    assert pool.take(0.0) == 0.0
    pool.put(3.0)
    assert pool.busy(1.0) == 1
    assert pool.take(1.0) == 3.0, "the second asker waits for the first"
    pool.put(20.0)
    assert pool.take(4.0) is None, "no slot within the time-out"


def test_a_leaked_slot_never_comes_back() -> None:
    pool = Slots(2, timeout=5.0)
    for _ in range(2):
        assert pool.take(0.0) is not None
        pool.put(math.inf)
    assert pool.take(1e6) is None
    assert pool.busy(1e6) == 2
    assert pool.fresh().take(0.0) == 0.0


def test_resizing_keeps_what_is_in_use() -> None:
    pool = Slots(3, timeout=1.0)
    assert pool.take(0.0) == 0.0
    pool.put(10.0)
    pool.resize(1, 0.0)
    assert pool.take(0.5) is None
    pool.resize(2, 1.0)
    assert pool.take(1.0) == 1.0


@pytest.mark.parametrize("layout", ["structlog", "jsonlogger", "logstash", "zap", "pino"])
def test_structured_layouts_write_one_json_object_a_line(layout: str) -> None:
    record = Record(1.0, "error", "checkout.api", "it broke", "It broke", {"order": "a\nb"}, "ab" * 16)
    text = LAYOUT[layout](CLOCK, WHO, record)
    assert "\n" not in text
    assert "it broke" in json.dumps(json.loads(text)).lower()


@pytest.mark.parametrize("layout", ["logging", "spring", "logback"])
def test_plain_layouts_print_the_trace_below(layout: str) -> None:
    trace = build(Style(1), "checkout", "python", ("place_order", "pricing"), (("KeyError", "'x'"),))
    text = LAYOUT[layout](CLOCK, WHO, Record(1.0, "error", "api.Orders", "e", "It broke", trace=trace))
    assert text.splitlines()[0].endswith("It broke")
    assert "KeyError: 'x'" in text


@pytest.mark.parametrize(
    ("service", "runtime", "last"),
    [
        ("checkout", "python", "ValueError: bad"),
        ("payment", "java", "Caused by: Inner: worse"),
        ("worker", "node", "Caused by: Inner: worse"),
    ],
)
def test_chained_exceptions_read_as_their_runtime_prints_them(service: str, runtime: str, last: str) -> None:
    place = {"checkout": "place_order", "payment": "charge", "worker": "confirm_order"}[service]
    trace = build(Style(1), service, runtime, (place,), (("ValueError", "bad"), ("Inner", "worse")))
    assert trace.type == "ValueError" and trace.message == "bad"
    assert last in trace.text.splitlines()


def _world() -> World:
    return World(Style(1), 1, CLOCK, 100.0)


def test_an_effect_lasts_from_start_to_end() -> None:
    world = _world()
    failure = Failure("timeout", "x", 2.0)
    world.add("site", Effect("x", failure=lambda t, tag: failure), 10.0, 20.0)
    seen: dict[float, Failure | None] = {}
    for t in (5.0, 15.0, 25.0):
        world.at(t, lambda at: seen.__setitem__(at, world.suffer(("site",), at, "")[2]))
    world.run()
    assert seen == {5.0: None, 15.0: failure, 25.0: None}


def test_delays_add_up_and_name_their_cause() -> None:
    world = _world()
    world.add("a", Effect("slow", delay=lambda t, tag: 1.5), 0.0)
    world.add("b", Effect("slow", delay=lambda t, tag: 0.5), 0.0)
    world.run(0.0)
    assert world.suffer(("a", "b"), 1.0, "") == (2.0, "slow", None)


def test_lines_outside_the_window_are_not_written() -> None:
    world = _world()
    for t in (-1.0, 5.0, 100.0):
        world.write(t, "redis", "x")
    assert [line.t for line in world.lines] == [5.0]
    assert [line.t for line in world.drain(10.0)] == [5.0]
    assert world.lines == []


def test_a_shop_says_the_same_thing_the_same_way() -> None:
    one, two = Style(5), Style(5)
    options = tuple("abcdefgh")
    assert one.pick("x", options) == one.pick("x", options)
    two.pick("y", options)
    assert two.pick("x", options) == one.pick("x", options), "the order of asking does not matter"
    assert {Style(seed).pick("x", options) for seed in range(40)} == set(options)
