"""What a fault is: a mechanism that is put into a world, and the truth about it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from eval.simulator.labels import RootCause
from eval.simulator.world import Effect, Failure, World


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a fault happens: incident id, target service, [start, end) in seconds, its own generator."""

    world: World
    id: str
    target: str
    start: float
    end: float
    rng: random.Random

    def fail(self, site: str, make: Callable[[float, str], Failure | None], start: float | None = None) -> None:
        """Requests that pass `site` fail where `make` says so."""
        self.world.add(site, Effect(self.id, failure=make), self.start if start is None else start, self.end)

    def slow(self, site: str, delay: Callable[[float, str], float], start: float | None = None) -> None:
        """Requests that pass `site` wait."""
        self.world.add(site, Effect(self.id, delay=delay), self.start if start is None else start, self.end)

    @property
    def change(self) -> str:
        """Marks lines that report the change which brought the fault."""
        return f"change:{self.id}"


@dataclass(frozen=True, slots=True)
class Planted:
    """The truth about a fault that was put into a world."""

    root_cause: RootCause
    symptom: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault type: which services it can hit, and how it is put into a world.

    `traits` are those of every instance: `slow_burn`, `no_error_line`, `silence`.
    """

    type: str
    targets: tuple[str, ...]
    plant: Callable[[Setting], Planted]
    traits: tuple[str, ...] = ()
    summary: str = ""
