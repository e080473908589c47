# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""The simulated world: who exists, what is wrong at which site, and the lines written so far.

A *site* is a named point that every request passes: `service:payment` (its door), `op:payment.charge` (its own code),
`edge:checkout>payment` (the way to another service or store), `query:insert_order` (a statement inside the database).
A fault registers an `Effect` at a site; requests that pass it are delayed or fail, and what the programs then log follows
from that. Time is seconds since the start of the case.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from eval.simulator.clock import Clock
from eval.simulator.layouts import LAYOUT, Emitter, Record
from eval.simulator.style import Style, hexes, suffix
from eval.simulator.traces import Trace, build
from eval.simulator.wording import CONDITIONS, Chain

RUNTIMES: Final[dict[str, str]] = {
    "checkout": "python",
    "users": "python",
    "payment": "java",
    "inventory": "go",
    "worker": "node",
}
"""The services whose code is ours, and what they run on."""
PORTS: Final[dict[str, int]] = {
    "checkout": 8000, "users": 8000, "payment": 8080, "inventory": 8081, "worker": 9100, "postgres": 5432, "redis": 6379,
    "psp": 443, "smtp": 587,
}  # fmt: skip


class Line(NamedTuple):
    """What was written: `text` may span physical lines; `cause` is the incident that made the program write it."""

    t: float
    sequence: int
    stream: str
    text: str
    cause: str | None


@dataclass(slots=True)
class Failure:
    """Why a step failed. `kind` names an entry of `wording.CONDITIONS`; `status` is what an HTTP caller gets."""

    kind: str
    cause: str | None
    seconds: float = 0.0
    status: int = 500
    fields: Mapping[str, object] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    chain: Chain = ()


@dataclass(slots=True)
class Effect:
    """What is wrong at a site. `delay` and `failure` get the time and the passing request's tag (see `Request.tag`)."""

    cause: str | None
    delay: Callable[[float, str], float] | None = None
    failure: Callable[[float, str], Failure | None] | None = None


class Slots:
    """A bounded resource: connections or threads. FIFO; a holder that never returns its slot has leaked it."""

    def __init__(self, size: int, timeout: float) -> None:
        self.size = size
        self.timeout = timeout
        self.cause: str | None = None
        self._free = [0.0] * size
        self._holders: list[float] = []

    def take(self, t: float) -> float | None:
        """When the asker gets a slot; None where none comes free within `timeout`."""
        if not self._free or self._free[0] > t + self.timeout:
            return None
        return max(t, heapq.heappop(self._free))

    def put(self, t: float) -> None:
        """The slot comes back at `t` (infinity: never)."""
        if len(self._free) < self.size:
            heapq.heappush(self._free, t)

    def busy(self, t: float) -> int:
        """Slots in use at `t`."""
        return sum(1 for free in self._free if free > t) + self.size - len(self._free)

    def fresh(self) -> Slots:
        """An unused one of the same size: what a restarted process has."""
        return Slots(self.size, self.timeout)

    def resize(self, size: int, t: float) -> None:
        """Another size from `t` on; what is in use beyond it drains."""
        kept = sorted(self._free)[-size:] if size < len(self._free) else [*self._free, *[t] * (size - len(self._free))]
        self.size = size
        self._free = kept
        heapq.heapify(self._free)


@dataclass(slots=True)
class Pod:
    """One replica."""

    name: str
    node: str
    ip: str
    hash: str


@dataclass(slots=True)
class Service:
    """One of the shop's own services."""

    name: str
    runtime: str
    layout: str
    version: str
    pods: list[Pod]
    pool: Slots
    threads: Slots
    slowdown: float = 1.0
    slow_cause: str | None = None


class World:
    """One shop over one span of time."""

    def __init__(self, style: Style, seed: int | str, clock: Clock, duration: float) -> None:
        self.style = style
        self.clock = clock
        self.duration = duration
        self.rng = random.Random(f"traffic/{seed}")
        self.noise = random.Random(f"noise/{seed}")
        self.lines: list[Line] = []
        self.effects: dict[str, list[Effect]] = {}
        self.facts: dict[str, float] = {}
        """Numbers that noise shows (heap, queue depth); `blame` says which fault moved them."""
        self.blame: dict[str, str] = {}
        self.listening: dict[str, int] = {}
        """Ports that services listen on, where it is not the usual one."""
        self.misses: set[str] = set()
        """Faults during which the cache knows nothing."""
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._sequence = 0
        names = style.rng("pods")
        self.services = {name: self._service(name, runtime, names) for name, runtime in RUNTIMES.items()}
        self.gateway_pods = self._pods("gateway", 2, names)
        self.addresses = {
            "postgres": f"{style.subnet}.40.{names.randrange(2, 250)}",
            "redis": f"{style.subnet}.41.{names.randrange(2, 250)}",
            "psp": f"185.{names.randrange(10, 200)}.{names.randrange(2, 250)}.{names.randrange(2, 250)}",
            "smtp": f"91.{names.randrange(10, 200)}.{names.randrange(2, 250)}.{names.randrange(2, 250)}",
        }

    def _pods(self, name: str, count: int, rng: random.Random) -> list[Pod]:
        revision = suffix(rng, 10)
        first = rng.randrange(len(self.style.nodes))
        return [
            Pod(
                f"{name}-{revision}-{suffix(rng, 5)}",
                self.style.nodes[(first + index) % len(self.style.nodes)],
                f"{self.style.subnet}.{rng.randrange(1, 39)}.{rng.randrange(2, 250)}",
                revision,
            )
            for index in range(count)
        ]

    def _service(self, name: str, runtime: str, rng: random.Random) -> Service:
        version = f"{rng.randrange(1, 6)}.{rng.randrange(0, 40)}.{rng.randrange(0, 12)}"
        return Service(
            name,
            runtime,
            self.style.layout(name, runtime),
            version,
            self._pods(name, 2, rng),
            Slots(rng.choice((8, 10, 12)), 30.0 if runtime == "java" else 10.0),
            Slots(rng.choice((32, 48, 64)), 20.0),
        )

    # -- time ---------------------------------------------------------------------------------------------------------

    def at(self, t: float, action: Callable[[float], None]) -> None:
        """Does `action` at `t`, if the case lasts that long."""
        if t < self.duration:
            self._sequence += 1
            heapq.heappush(self._agenda, (t, self._sequence, action))

    def every(self, start: float, period: float, jitter: float, action: Callable[[float], None]) -> None:
        """Does `action` from `start` on, once a `period` with uniform `jitter`, drawn from the noise generator."""

        def again(t: float) -> None:
            action(t)
            self.at(t + period + self.noise.uniform(-jitter, jitter), again)

        self.at(start, again)

    def run(self, until: float = math.inf) -> None:
        """Lets time pass to `until`, or to the end."""
        while self._agenda and self._agenda[0][0] <= until:
            t, _, action = heapq.heappop(self._agenda)
            action(t)

    # -- what is wrong ------------------------------------------------------------------------------------------------

    def add(self, site: str, effect: Effect, start: float, end: float = math.inf) -> None:
        """Puts an effect at a site during [start, end)."""

        def begin(_: float) -> None:
            self.effects.setdefault(site, []).append(effect)

        def finish(_: float) -> None:
            self.effects[site].remove(effect)

        self.at(start, begin)
        self.at(end, finish)

    def suffer(self, sites: Iterable[str], t: float, tag: str) -> tuple[float, str | None, Failure | None]:
        """Delay, its cause, and the failure (with its own delay) that these sites hold for a request at `t`."""
        delay, cause = 0.0, None
        for site in sites:
            for effect in self.effects.get(site, ()):
                if effect.delay is not None:
                    extra = effect.delay(t, tag)
                    if extra > 0:
                        delay += extra
                        cause = effect.cause
                if effect.failure is not None:
                    failure = effect.failure(t + delay, tag)
                    if failure is not None:
                        return delay + failure.seconds, effect.cause, failure
        return delay, cause, None

    # -- what is written ----------------------------------------------------------------------------------------------

    def write(self, t: float, stream: str, text: str, cause: str | None = None) -> None:
        """A finished line (or lines) of a program."""
        if 0 <= t < self.duration:
            self._sequence += 1
            self.lines.append(Line(t, self._sequence, stream, text, cause))

    def say(
        self,
        t: float,
        service: str,
        level: str,
        logger: str,
        event: str,
        text: str | None = None,
        fields: Mapping[str, object] | None = None,
        trace_id: str | None = None,
        trace: Trace | None = None,
        cause: str | None = None,
        thread: str = "",
        pod: int | None = None,
    ) -> None:
        """A record of a service, in its layout. `text` is the sentence that a plain logger writes (default: `event`)."""
        if not 0 <= t < self.duration:
            return
        s = self.services[service]
        index = self.rng.randrange(len(s.pods)) if pod is None else pod
        if not thread:
            thread = f"http-nio-{PORTS['payment']}-exec-{self.rng.randrange(1, 25)}" if s.runtime == "java" else ""
        who = Emitter(service, s.pods[index % len(s.pods)].name, self.style.package, thread)
        sentence = event if text is None else text
        record = Record(t, level, logger, event, sentence, fields or {}, trace_id, None, trace)
        self.write(t, service, LAYOUT[s.layout](self.clock, who, record), cause)

    def exception(self, service: str, places: tuple[str, ...], failure: Failure, peer: str) -> Trace:
        """The exception that a service's runtime raises for a failure at `places[-1]` on the way to `peer`."""
        s = self.services[service]
        chain = failure.chain
        if not chain:
            named = CONDITIONS.get(f"{failure.kind}@{peer}", {})
            options = named.get(s.runtime) or CONDITIONS[failure.kind][s.runtime]
            chain = self.style.pick(f"wording/{service}/{failure.kind}/{peer}", options)
        milliseconds = round(failure.seconds * 1000) or 5000
        values: dict[str, object] = {
            "service": service,
            "peer": peer,
            "host": self.host(peer),
            "ip": self.address(peer) if peer else "",
            "port": PORTS.get(peer, 443),
            "ms": milliseconds,
            "resolver": f"{self.style.subnet}.0.10",
            "sql": "",
            "seconds": max(1, milliseconds // 1000),
            **failure.fields,
        }
        if not failure.chain:
            chain = tuple((kind.format_map(values), message.format_map(values)) for kind, message in chain)
        return build(self.style, service, s.runtime, failure.places or places, chain, s.version)

    def host(self, peer: str) -> str:
        """The name by which programs call a peer."""
        if peer == "psp":
            return self.style.psp
        if peer == "smtp":
            return self.style.smtp
        return (
            f"{peer}.{self.style.namespace}.svc.cluster.local"
            if peer in RUNTIMES
            else f"{peer}.{self.style.namespace}.svc"
        )

    def address(self, peer: str) -> str:
        """The address of a peer: a store's, or one of its pods'."""
        known = self.addresses.get(peer)
        return known or self.rng.choice(self.services[peer].pods).ip

    def drain(self, until: float) -> list[Line]:
        """Takes the lines written up to `until` out of the world, in order."""
        due = sorted((line for line in self.lines if line.t <= until), key=lambda line: (line.t, line.sequence))
        self.lines = [line for line in self.lines if line.t > until]
        return due

    def trace_id(self) -> str:
        return hexes(self.rng, 32)
