"""Logs of a small made-up system, line by line, for tests of detection: seeded, so always the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.findings import Detection
from ingest.counts import LearnedHistory
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 4, tzinfo=UTC)

Fault = Callable[[float, random.Random], list[str]]


def traffic(
    seed: int, minutes: float, fault: Fault | None = None, start: datetime = START, load: float = 1.0
) -> list[str]:
    """Lines of two services, about two a second: requests, their latencies, a heartbeat, and ordinary noise.

    `fault` adds messages (`LEVEL service message`) at each second.
    """
    rng = random.Random(seed)
    lines = []
    for second in range(int(minutes * 60)):
        moment = start + timedelta(seconds=second)
        said = []
        for _ in range(2):
            if rng.random() < 0.7 * load:
                said.append(f"INFO checkout order {rng.randrange(10**6)} placed in {rng.randrange(80, 140)} ms")
            if rng.random() < 0.5 * load:
                said.append(f"INFO users token of customer {rng.randrange(10**5)} verified")
        if second % 15 == 0:
            said.append("INFO users heartbeat sent to registry")
        if rng.random() < 0.004:
            said.append(f"WARN checkout retrying payment after timeout, attempt {rng.randrange(1, 4)}")
        if rng.random() < 0.002:
            said.append(f"ERROR users could not refresh rates of bank {rng.randrange(10**4)}")
        if fault is not None:
            said += fault(float(second), rng)
        lines += [f"time={moment:%Y-%m-%dT%H:%M:%S}.{i:03d}Z {_logfmt(each)}" for i, each in enumerate(said)]
    return lines


def _logfmt(said: str) -> str:
    level, service, message = said.split(" ", 2)
    return f'level={level.lower()} service={service} msg="{message}"'


def between(begin: float, end: float, share: float, *messages: str) -> Fault:
    """A fault whose messages come with a chance of `share` in each second from `begin` to `end` (minutes)."""

    def at(second: float, rng: random.Random) -> list[str]:
        if not begin * 60 <= second < end * 60:
            return []
        return [message.replace("#", str(rng.randrange(10**6))) for message in messages if rng.random() < share]

    return at


def write(path: Path, lines: list[str]) -> str:
    """Writes a log; returns its path as text."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def analysed(
    *paths: str, baseline: tuple[str, ...] = (), learned: LearnedHistory | None = None, **options: object
) -> Detection:
    """Detection over files, with a fresh miner."""
    return detect(
        open_sources(list(paths)).sources,
        miner=DrainMiner(),
        options=DetectionOptions(**options),  # type: ignore[arg-type]
        baseline=open_sources(list(baseline)).sources if baseline else (),
        learned=learned,
        observed_at=NOW,
    )
