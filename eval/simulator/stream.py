"""An endless stream of the shop's lines, paced by the clock: what a log generator in a deployment sends."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.errors import ConfigError
from eval.simulator import background, traffic
from eval.simulator.assembly import envelope
from eval.simulator.clock import Clock
from eval.simulator.faults.base import Setting
from eval.simulator.faults.registry import FAULTS, fault_named
from eval.simulator.scenario import request_rate
from eval.simulator.senders import Send
from eval.simulator.style import Style
from eval.simulator.world import World

_LEAD: Final = 300.0
"""Seconds that a fault is planted ahead of its start: some announce themselves."""
_BATCH_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What to stream: about `rate` lines/s, a fault of `faults` (empty: all) each `fault_every` seconds (0: none)."""

    seed: int
    rate: float
    fault_every: float = 1800.0
    faults: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rate < 2:
            raise ConfigError("--rate", self.rate, "at least 2 lines a second: a shop without customers writes one")
        if self.fault_every != 0 and self.fault_every < 600:
            raise ConfigError("--fault-every", self.fault_every / 60, "at least 10 minutes, or 0 for no faults")
        for name in self.faults:
            fault_named(name)


def steps(plan: StreamPlan, start: datetime) -> Iterator[list[tuple[float, str]]]:
    """The stream, second by second and without end: (seconds since `start`, envelope), in order.

    Unlike a dataset, the stream knows no night: its rate is meant to be the one asked for. A fault begins after a third
    of each `fault_every` and lasts a third. Memory is bounded.
    """
    world = World(Style(plan.seed), f"stream/{plan.seed}", Clock(start), math.inf)
    rng = random.Random(f"stream/{plan.seed}")
    types = plan.faults or tuple(FAULTS)

    def strike(t: float, number: int) -> None:
        type_ = rng.choice(types)
        begin = t + _LEAD
        own = random.Random(f"stream/{plan.seed}/{number}/{type_}")
        end = begin + plan.fault_every / 3
        FAULTS[type_].plant(Setting(world, f"{number}", rng.choice(FAULTS[type_].targets), begin, end, own))
        world.at(t + plan.fault_every, lambda later: strike(later, number + 1))

    traffic.start(world, request_rate(plan.rate), flat=True)
    background.start(world)
    if plan.fault_every:
        world.at(max(0.0, plan.fault_every / 3 - _LEAD), lambda t: strike(t, 1))
    for second in itertools.count(1):
        world.run(second)
        yield [(line.t, text) for line in world.drain(second) for text in envelope(world, line)]


def run(
    plan: StreamPlan,
    send: Send,
    start: datetime,
    duration: float | None,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Sends each second's lines when it has passed, for `duration` seconds (None: until interrupted).

    Returns the number of lines sent. A sender slower than the rate falls behind; nothing is dropped. Raises what
    `send` raises.
    """
    begun = monotonic()
    sent = 0
    for second, lines in enumerate(steps(plan, start), start=1):
        wait = begun + min(second, duration or math.inf) - monotonic()
        if wait > 0:
            sleep(wait)
        due = [text for t, text in lines if duration is None or t < duration]
        for index in range(0, len(due), _BATCH_LINES):
            send(due[index : index + _BATCH_LINES])
        sent += len(due)
        if duration is not None and second >= duration:
            break
    return sent
