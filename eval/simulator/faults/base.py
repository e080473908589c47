"""What a fault is: a mechanism that is put into a world, and the truth about it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from eval.simulator.labels import RootCause
from eval.simulator.shop import USERS_OF
from eval.simulator.wording import Chain
from eval.simulator.world import Effect, Failure, World

T = TypeVar("T")
Break = Callable[[float, str], Failure | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a fault happens: incident id, target service, [start, end) in seconds, its own generator."""

    world: World
    id: str
    target: str
    start: float
    end: float
    rng: random.Random

    @property
    def change(self) -> str:
        """Marks lines that report the change which brought the fault."""
        return f"change:{self.id}"

    def choose(self, *options: T) -> T:
        """One of some options, by this fault's generator."""
        return self.rng.choice(options)

    def fail(self, site: str, make: Break, start: float | None = None) -> None:
        """Requests that pass `site` fail where `make` says so."""
        self.world.add(site, Effect(self.id, failure=make), self.start if start is None else start, self.end)

    def slow(self, site: str, delay: Callable[[float, str], float], start: float | None = None) -> None:
        """Requests that pass `site` wait."""
        self.world.add(site, Effect(self.id, delay=delay), self.start if start is None else start, self.end)

    def during(self, begin: Callable[[], None], finish: Callable[[], None], start: float | None = None) -> None:
        """Changes the world at the start and changes it back at the end."""
        self.world.at(self.start if start is None else start, lambda _: begin())
        self.world.at(self.end, lambda _: finish())

    def failure(
        self,
        kind: str,
        seconds: float = 0.01,
        status: int = 500,
        fields: Mapping[str, object] | None = None,
        places: tuple[str, ...] = (),
        chain: Chain = (),
    ) -> Failure:
        """A failure that this fault causes."""
        return Failure(kind, self.id, seconds, status, fields or {}, places, chain)

    def sometimes(self, share: float, failure: Failure) -> Break:
        """`failure`, for a share of the requests."""
        rng = self.world.rng
        return lambda t, tag: failure if share >= 1 or rng.random() < share else None

    def repeat(self, period: float, jitter: float, action: Callable[[float], None], start: float | None = None) -> None:
        """Does `action` once a `period` while the fault lasts."""

        def again(t: float) -> None:
            if t < self.end:
                action(t)
                self.world.at(t + period + self.rng.uniform(-jitter, jitter), again)

        self.world.at(self.start if start is None else start, again)

    def callers(self, target: str) -> tuple[str, ...]:
        """Services that call a target."""
        return USERS_OF[target]


@dataclass(frozen=True, slots=True)
class Planted:
    """The truth about a fault that was put into a world; `traits` are those of this instance."""

    root_cause: RootCause
    symptom: str
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault type: what it does, which targets it can hit, and how it is put into a world."""

    type: str
    targets: tuple[str, ...]
    plant: Callable[[Setting], Planted]
    summary: str


def database_error(
    setting: Setting,
    condition: str,
    sqlstate: str,
    message: str,
    sqlalchemy: str = "ProgrammingError",
    spring: str = "jdbc.BadSqlGrammarException",
    **fields: object,
) -> Failure:
    """A statement that PostgreSQL refuses: the server logs it, and the client raises its error."""
    values: dict[str, object] = {
        "condition": condition,
        "sqlstate": sqlstate,
        "message": message,
        "server": message,
        "sqlalchemy": sqlalchemy,
        "spring": spring,
        **fields,
    }
    return setting.failure("db_error", fields=values)
