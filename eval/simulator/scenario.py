"""One case: a shop, a span of time, faults that are planted in it, and the truth about them."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from core.errors import ConfigError
from eval.simulator import background, platform, traffic
from eval.simulator.assembly import CHANGE, envelope_file, in_order, raw_file, split_files
from eval.simulator.clock import Clock
from eval.simulator.faults.base import Planted, Setting
from eval.simulator.faults.registry import FAULTS, fault_named
from eval.simulator.herrings import HERRINGS
from eval.simulator.labels import Case, LogFile, TrueIncident
from eval.simulator.style import Style
from eval.simulator.world import RUNTIMES, Line, World

Form = Literal["envelope", "files", "interleaved"]
FORMS: Final[tuple[Form, ...]] = ("envelope", "envelope", "files", "interleaved")

_SLOW: Final = frozenset({"memory_leak", "queue_backlog", "file_descriptor_exhaustion"})
_ROLLED_BACK: Final = frozenset(
    {"bad_deploy", "version_mismatch", "connection_pool_exhaustion", "thread_pool_exhaustion"}
)
_SEVERE: Final = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|PANIC)\b|\[(?:error|crit|emerg)\]|\bpanic\b|^[EF]\d{4} "
    r'|"level": ?"(?:error|critical|fatal)"|"level":[56]0\b|^Traceback',
)
"""What an error looks like in the layouts of the shop's programs."""
_NOISE_RATE: Final = 0.95
"""Lines per second that a shop without customers writes."""
_LINES_PER_REQUEST: Final = 3.0
_EPOCH: Final = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a case shall be. `faults` are (type, target) pairs; an empty target is drawn; no faults: a healthy case.

    `lines` is a target, not a promise: faults write more (retries, traces) or less (silence) than health does.
    """

    case_id: str
    seed: int
    faults: tuple[tuple[str, str], ...] = ()
    lines: int = 9000
    minutes: int = 50
    form: Form = "envelope"
    red_herring: bool = False
    baseline: bool = False
    stream: bool = False


@dataclass(slots=True)
class _Planting:
    id: str
    type: str
    target: str
    start: float
    end: float
    truth: Planted | None = None
    lines: list[Line] = field(default_factory=list)


def generate_case(
    seed: int,
    fault: str | None,
    *,
    target: str = "",
    case_id: str = "case",
    lines: int = 9000,
    minutes: int = 50,
    form: Form = "envelope",
    red_herring: bool = False,
    baseline: bool = False,
) -> Case:
    """A case of one fault (None: healthy). The same arguments give the same case, byte for byte.

    Raises ConfigError for a fault type or target that does not exist.
    """
    faults = ((fault, target),) if fault is not None else ()
    return generate(Plan(case_id, seed, faults, lines, minutes, form, red_herring, baseline))


def generate(plan: Plan) -> Case:
    """The case of a plan."""
    rng = random.Random(f"case/{plan.seed}")
    start = _EPOCH + timedelta(days=rng.randrange(0, 300), seconds=rng.randrange(0, 86400))
    duration = plan.minutes * 60.0
    style = Style(rng.randrange(1 << 40))
    world = World(style, f"{plan.seed}/window", Clock(start), duration)
    plantings = _plant(world, plan, rng, duration)
    _distract(world, plan, rng, plantings, duration)
    _pass_time(world, plan.lines / (plan.minutes * 60))
    written = in_order(world)
    _collect(written, plantings)
    incidents = tuple(
        sorted((_incident(world, planting, duration) for planting in plantings), key=lambda i: (i.starts_at, i.id))
    )
    return Case(
        plan.case_id,
        world.clock.start,
        world.clock.at(duration),
        _files(plan, plan.case_id, world, written),
        _baseline(plan, rng, style, start) if plan.baseline else (),
        incidents,
        tuple((i.ends_at, i.ends_at + timedelta(minutes=3)) for i in incidents) if plan.stream else (),
        _traits(plan, plantings),
    )


def request_rate(lines_per_second: float) -> float:
    """Requests per second that make about this many lines, the noise included."""
    return max(0.25, (lines_per_second - _NOISE_RATE) / _LINES_PER_REQUEST)


def _pass_time(world: World, lines_per_second: float) -> None:
    """Customers and noise, about as many lines as wanted; then time passes."""
    traffic.start(world, request_rate(lines_per_second) / traffic.load(world, world.duration / 2))
    background.start(world)
    world.run()


def _plant(world: World, plan: Plan, rng: random.Random, duration: float) -> list[_Planting]:
    plantings: list[_Planting] = []
    taken: set[str] = set()
    slots = len(plan.faults)
    for index, (type_, target) in enumerate(plan.faults):
        fault = fault_named(type_)
        free = [name for name in fault.targets if name not in taken] or list(fault.targets)
        chosen = fault_target(type_, target) if target else rng.choice(free)
        taken.add(chosen)
        begin, end = _span(plan, rng, type_, index, slots, duration)
        plantings.append(_Planting(f"{plan.case_id}-{index + 1}", type_, chosen, begin, end))
    for planting in plantings:
        own = random.Random(f"fault/{plan.seed}/{planting.id}/{planting.type}")
        setting = Setting(world, planting.id, planting.target, planting.start, planting.end, own)

        def begin_fault(_: float, planting: _Planting = planting, setting: Setting = setting) -> None:
            planting.truth = FAULTS[planting.type].plant(setting)

        world.at(max(0.0, planting.start - 1), begin_fault)
        if planting.type in _ROLLED_BACK and planting.target in RUNTIMES:
            world.at(planting.end - 30, lambda t, service=planting.target: _roll_back(world, t, service))  # type: ignore[misc]
    return plantings


def fault_target(type_: str, target: str) -> str:
    """The target, if a fault of this type can hit it. Raises ConfigError otherwise."""
    fault = fault_named(type_)
    if target not in fault.targets:
        raise ConfigError(f"target of {type_}", target, f"one of {', '.join(fault.targets)}")
    return target


def _roll_back(world: World, t: float, service: str) -> None:
    platform.rollout(world, t, service)


def _span(plan: Plan, rng: random.Random, type_: str, index: int, count: int, duration: float) -> tuple[float, float]:
    if plan.stream:
        slot = duration / count
        begin = slot * index + slot * rng.uniform(0.30, 0.45)
        return begin, begin + min(slot * 0.4, rng.uniform(480, 1200) if type_ not in _SLOW else slot)
    if type_ in _SLOW:
        return duration * rng.uniform(0.15, 0.25), math.inf
    if count > 1:
        begin = duration * (rng.uniform(0.25, 0.4) if index == 0 else rng.uniform(0.5, 0.65))
        return begin, math.inf if index else begin + rng.uniform(500, 1000)
    begin = duration * (rng.uniform(0.2, 0.6) if plan.baseline else rng.uniform(0.35, 0.6))
    return begin, math.inf if rng.random() < 0.6 else begin + rng.uniform(420, 900)


def _distract(world: World, plan: Plan, rng: random.Random, plantings: list[_Planting], duration: float) -> None:
    """Loud, harmless changes: near the first fault where the plan says so, else somewhere (or none)."""
    targets = {planting.target for planting in plantings}
    services = [name for name in RUNTIMES if name not in targets] or list(RUNTIMES)
    times: list[float] = []
    if plan.red_herring and plantings:
        times.append(max(30.0, plantings[0].start + rng.uniform(-240, 45)))
    count = rng.choice((0, 0, 1, 1, 2)) * (4 if plan.stream else 1)
    if plan.red_herring and not plantings:
        count += 1
    times += [rng.uniform(60, duration - 120) for _ in range(count)]
    busy: set[str] = set()
    for index, t in enumerate(times):
        name = rng.choice(list(HERRINGS))
        free = [service for service in services if service not in busy] or services
        service = rng.choice(free)
        busy.add(service)
        own = random.Random(f"herring/{plan.seed}/{index}")
        world.at(t, lambda at, name=name, service=service, own=own: HERRINGS[name](world, at, service, own))  # type: ignore[misc]


def _collect(lines: list[Line], plantings: list[_Planting]) -> None:
    by_id = {planting.id: planting for planting in plantings}
    for line in lines:
        if line.cause is not None and not line.cause.startswith(CHANGE):
            by_id[line.cause].lines.append(line)


def _incident(world: World, planting: _Planting, duration: float) -> TrueIncident:
    assert planting.truth is not None, "every fault begins inside its case"
    silent = "silence" in planting.truth.traits or not planting.lines
    first = planting.start if silent else planting.lines[0].t
    last = min(planting.end, duration) if silent else planting.lines[-1].t
    return TrueIncident(
        planting.id, world.clock.at(first), world.clock.at(last), planting.truth.root_cause, planting.truth.symptom
    )


def _files(plan: Plan, stem: str, world: World, lines: list[Line]) -> tuple[LogFile, ...]:
    if plan.form == "files":
        return split_files(f"{stem}/", lines)
    if plan.form == "interleaved":
        return (raw_file(f"{stem}.log", lines),)
    return (envelope_file(f"{stem}.jsonl", lines, world),)


def _baseline(plan: Plan, rng: random.Random, style: Style, start: datetime) -> tuple[LogFile, ...]:
    """A healthy span of the same shop, some hours or days before."""
    before = start - timedelta(hours=rng.choice((24, 24, 48, 168))) - timedelta(minutes=rng.randrange(0, 30))
    world = World(style, f"{plan.seed}/baseline", Clock(before), plan.minutes * 40.0)
    _pass_time(world, plan.lines / (plan.minutes * 60))
    return _files(plan, f"{plan.case_id}.baseline", world, in_order(world))


def _traits(plan: Plan, plantings: list[_Planting]) -> tuple[str, ...]:
    traits = {trait for planting in plantings if planting.truth for trait in planting.truth.traits}
    if not plantings:
        traits.add("healthy")
    elif not any(_SEVERE.search(line.text) for planting in plantings for line in planting.lines):
        traits.add("no_error_line")
    if plan.red_herring:
        traits.add("red_herring")
    if len(plantings) == 2 and not plan.stream:
        traits.add("two_faults")
    if plan.stream:
        traits.add("stream")
    return tuple(sorted(traits))
