"""The demonstration incident: a new version of payment, told by every program of the shop in its own words."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from eval.simulator import background, platform, traffic
from eval.simulator.assembly import in_order, split_files
from eval.simulator.clock import Clock
from eval.simulator.code import OWN
from eval.simulator.labels import RootCause
from eval.simulator.leaks import leak_connections
from eval.simulator.style import Style
from eval.simulator.world import World

MINUTES: Final = 45
SHORT_MINUTES: Final = 18
"""Of a night that is only to be remembered: enough to find the same cause, in less time."""
_ONSET: Final = 0.6
"""When the new version comes, as a share of the time."""
_RATE: Final = 3.8


@dataclass(frozen=True, slots=True)
class DemoScenario:
    """What was written, and what truly happened."""

    paths: tuple[Path, ...]
    lines: int
    story: str
    symptom: str
    root_cause: RootCause
    onset: datetime
    red_herring: str


def write_demo(directory: Path, seed: int, started_at: datetime, minutes: int = MINUTES) -> DemoScenario:
    """Writes one log file per program into `directory` (made where missing): `minutes` from `started_at` on.

    The story: payment is rolled out; the new version does not give database connections back, so its pool runs dry;
    charges wait, checkout times out and tries again, the gateway answers 5xx. Two minutes before, inventory was rolled
    out too, loudly and harmlessly. The same seed and start give the same bytes. Raises OSError.
    """
    world = World(Style(seed), f"demo/{seed}", Clock(started_at), minutes * 60.0)
    world.facts["gateway_timeout"] = 15.0
    traffic.start(world, _RATE, flat=True)  # the story is as clear at night as at noon
    background.start(world)
    rng = random.Random(f"demo/{seed}")
    version = world.services["payment"].version
    onset = _ONSET * minutes * 60.0
    world.at(onset - 150, lambda t: _loud_and_harmless(world, t))
    world.at(onset - 40, lambda t: _leaking_version(world, t, rng.uniform(0.09, 0.12)))
    world.run()
    lines = in_order(world)
    directory.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    count = 0
    for file in split_files("", lines):
        path = directory / file.name
        path.write_text("".join(f"{line}\n" for line in file.lines), encoding="utf-8", newline="\n")
        paths.append(path)
        count += len(file.lines)
    file_, function = OWN["payment"]["db.append_ledger"]
    first_symptom = next(line.t for line in lines if line.cause == "demo")
    return DemoScenario(
        tuple(paths),
        count,
        f"payment was rolled from {version} to {world.services['payment'].version}; the new version does not give back "
        "database connections, its pool ran dry, charges waited, checkout timed out and the gateway answered 5xx.",
        "Customers cannot pay: checkout hangs and then fails",
        RootCause(
            "payment",
            file_,
            "connection_pool_exhaustion",
            f"The new version of payment leaks database connections in {file_} ({function}): the pool ran dry",
            function,
        ),
        world.clock.at(first_symptom),
        "inventory was rolled out two minutes earlier and warned loudly while its cache was cold; it caused nothing",
    )


def _loud_and_harmless(world: World, t: float) -> None:
    """A rollout of inventory whose cold cache makes it complain for a minute."""
    done = platform.rollout(world, t, "inventory")
    for _ in range(45):
        done += world.noise.expovariate(1.2)
        world.say(
            done, "inventory", "warning", "cache/products.go:52", "cache cold, loaded from database", None,
            {"sku": f"SKU-{world.noise.randrange(1000, 4000)}", "fill": f"{world.noise.randrange(2, 60)}%"},
        )  # fmt: skip


def _leaking_version(world: World, t: float, share: float) -> None:
    """A rollout of payment to a version that keeps some of the connections it takes."""
    done = platform.rollout(world, t, "payment", "change:demo")
    leak_connections(world, "payment", share, "demo", done, place="db.append_ledger", watched=True)


def default_start(now: datetime, minutes: int = MINUTES) -> datetime:
    """A start that lets the demonstration end at `now`."""
    return now - timedelta(minutes=minutes)
