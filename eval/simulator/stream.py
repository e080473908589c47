"""An endless stream of the shop's lines, paced by the clock: what a log generator in a deployment sends."""

from __future__ import annotations

import itertools
import math
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final

from core.errors import ConfigError, PermanentError, RetryableError
from eval.simulator import background, traffic
from eval.simulator.assembly import envelope
from eval.simulator.clock import Clock
from eval.simulator.faults.base import Setting
from eval.simulator.faults.registry import FAULTS, fault_named
from eval.simulator.scenario import request_rate
from eval.simulator.style import Style
from eval.simulator.world import World

Send = Callable[[Sequence[str]], None]

_LEAD: Final = 300.0
"""Seconds that a fault is planted ahead of its start: some announce themselves."""
_BATCH_LINES: Final = 500
_TRIES: Final = 6


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


def to_file(out: IO[str]) -> Send:
    """Writes batches to an open text file, flushed, so that a pipe sees them at once."""

    def send(lines: Sequence[str]) -> None:
        out.write("".join(f"{line}\n" for line in lines))
        out.flush()

    return send


def to_http(url: str, sleep: Callable[[float], None] = time.sleep) -> Send:
    """Posts batches as NDJSON; 429, 5xx and broken connections are tried again with growing pauses.

    The returned function raises PermanentError where the server refuses, RetryableError where it does not recover.
    """

    def send(lines: Sequence[str]) -> None:
        body = "".join(f"{line}\n" for line in lines).encode()
        pause = 0.2
        for attempt in range(_TRIES):
            request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"}, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return
            except urllib.error.HTTPError as exc:
                if exc.code != 429 and exc.code < 500:
                    raise PermanentError(f"{url} refused the lines: HTTP {exc.code}; check the address") from exc
                problem: Exception = exc
            except OSError as exc:
                problem = exc
            if attempt == _TRIES - 1:
                raise RetryableError(f"{url} took no lines in {_TRIES} tries: {problem}") from problem
            sleep(pause)
            pause = min(5.0, pause * 2)

    return send


def sender(target: str, out: IO[str]) -> Send:
    """The way to a target: `-` (the open file `out`) or an http(s) URL. Raises ConfigError for any other."""
    if target == "-":
        return to_file(out)
    if target.startswith(("http://", "https://")):
        return to_http(target)
    if target.startswith("kinesis://"):
        raise ConfigError(
            "--stream", target, "- or an http(s) URL; streaming to Kinesis arrives with the streaming sources"
        )
    raise ConfigError("--stream", target, "- for standard output, or an http(s) URL")
