"""`cali demo`: a simulated incident, analysed; what a first minute with CALI looks like, memory included."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from core.config import Settings
    from core.ports import IncidentMemory
    from eval.simulator.demo import DemoScenario

SEED = 7
BEFORE = timedelta(days=19)
"""How long before tonight the incident of the same kind was, that the memory knows."""


@dataclass(frozen=True, slots=True)
class _Night:
    """The logs of one simulated night."""

    scenario: DemoScenario
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Planned:
    """A night that is being simulated."""

    scenario: Future[DemoScenario]
    ends_at: datetime

    @classmethod
    def night(
        cls, simulator: ProcessPoolExecutor, folder: Path, seed: int, ends_at: datetime, *, short: bool = False
    ) -> _Planned:
        from eval.simulator.demo import MINUTES, SHORT_MINUTES, default_start, write_demo

        minutes = SHORT_MINUTES if short else MINUTES
        start = default_start(ends_at, minutes)
        return cls(simulator.submit(write_demo, folder, seed, start, minutes), ends_at)

    def result(self, relative_to: Path | None = None) -> _Night:
        """Waits for it. Paths are as written, or relative to a folder."""
        scenario = self.scenario.result()
        paths = (path.relative_to(relative_to) if relative_to else path for path in scenario.paths)
        return _Night(scenario, tuple(str(path) for path in paths))


@click.command()
@click.option("--seed", type=int, default=SEED, show_default=True, help="Another seed is another night.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the logs here; default: a new temporary folder.",
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the page too.")
@click.option("--no-memory", is_flag=True, help="Leave out the incident of some weeks ago.")
def demo(seed: int, keep: Path | None, html: Path | None, no_memory: bool) -> None:
    """Simulate an incident in a small shop and analyse it. Needs no key, no network and no server."""
    from cali.assistant import Request, analyze
    from cali.output import write
    from cali.progress import progress
    from cali.state import StateFolder
    from core.config import load

    now = datetime.now(UTC)
    page = html.absolute() if html is not None else None
    folder = keep.absolute() if keep is not None else Path(tempfile.mkdtemp(prefix="cali-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, citations are short (`payment.log:970`), and `cali ask` finds the state.
    os.chdir(folder)
    settings = load(state=Path(".cali"))
    # Nights are simulated in a process of their own, while this one prepares the memory and reads the earlier one.
    with ExitStack() as held, tempfile.TemporaryDirectory(prefix="cali-demo-earlier-") as scratch:
        memory = None
        with _simulator() as simulator:
            earlier = None
            if not no_memory:
                earlier = _Planned.night(simulator, Path(scratch), seed + 1000, now - BEFORE, short=True)
            tonight = _Planned.night(simulator, folder, seed, now)
            if earlier is not None:
                memory = held.enter_context(_memory_of(settings, earlier))
            night = tonight.result(folder)
        click.echo(
            f"A simulated shop wrote {night.scenario.lines:,} lines into {len(night.paths)} files (seed {seed})."
        )
        click.echo(f"What the user saw: {night.scenario.symptom}\n")
        request = Request(night.paths, symptom=night.scenario.symptom)
        state = StateFolder(settings.state)
        with progress() as show:
            outcome = analyze(request, settings, state=state, now=now, watcher=show, memory=memory)
    write(outcome.findings, "rich", None, zone=settings.display_zone, top=2)
    if page is not None:
        write(outcome.findings, "html", page, zone=settings.display_zone, top=10)
    click.echo(f"\nWhat truly happened in the simulation: {night.scenario.story}")
    click.echo(f"The red herring: {night.scenario.red_herring}\n")
    click.echo("Try next:")
    for command, what in (
        (f"cd {folder}", "the logs and what was learned; delete it when you are done"),
        ('cali ask "why did checkout fail?"', "there: an answer with citations"),
        ("cali templates payment.log", "there: what a log consists of"),
        ("cali demo --html demo.html", "the same report as a page"),
        ("cali analyze app.log", "your own logs; a folder, a glob or - for stdin work too"),
        ("cali analyze today.log --baseline yesterday.log", "judge against known-good logs"),
        ("cali memory init", "remember your incidents, and find similar ones"),
    ):
        click.echo(f"  {command:<48} {what}")


@contextmanager
def _simulator() -> Iterator[ProcessPoolExecutor]:
    """One process that simulates. An interrupt is this process' to handle: the other one only ends."""
    context = multiprocessing.get_context("spawn")  # never forked: threads of Polars would not survive
    pool = ProcessPoolExecutor(1, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _memory_of(settings: Settings, planned: _Planned) -> Iterator[IncidentMemory]:
    """A fresh memory, open, that knows an incident of some weeks ago with the cause that people confirmed."""
    from cali.assistant import Request, analyze
    from cali.recall import initialise, opened, remember
    from core.memory import Feedback

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(initialise, settings)  # mostly waits for Milvus Lite
        night = planned.result()
        request = Request(night.paths, symptom=night.scenario.symptom)
        outcome = analyze(request, settings, state=None, now=planned.ends_at)
        if made.result().cosine is not None:
            click.echo("Prepared the model that reads memories (once for this user).", err=True)
    with opened(settings) as memory:
        assert memory is not None  # initialised above
        if outcome.findings.findings:
            remember(memory, outcome.findings, outcome.detection, settings.memory_tenant)
            memory.feedback(
                Feedback(
                    incident_id=outcome.findings.findings[0].incident.id,
                    verdict="confirm",
                    at=planned.ends_at + timedelta(hours=2),
                    by="on-call",
                    cause=night.scenario.root_cause.text,
                    fix="rolled payment back to the version before",
                    worked=True,
                )
            )
        yield memory
