"""`cali demo`: a simulated incident, analysed; what a first minute with CALI looks like, memory included."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from core.config import Settings
    from eval.simulator.demo import DemoScenario

SEED = 7
DAYS_BEFORE = 19
"""How long before tonight the incident of the same kind was, that the memory knows."""


@dataclass(frozen=True, slots=True)
class _Night:
    """The logs of one simulated night."""

    scenario: DemoScenario
    paths: tuple[str, ...]


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
    from eval.simulator.demo import default_start

    now = datetime.now(UTC)
    page = html.absolute() if html is not None else None
    folder = keep.absolute() if keep is not None else Path(tempfile.mkdtemp(prefix="cali-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, citations are short (`payment.log:970`), and `cali ask` finds the state.
    os.chdir(folder)
    settings = load(state=Path(".cali"))
    if not no_memory:
        with tempfile.TemporaryDirectory(prefix="cali-demo-earlier-") as earlier:
            _remember_another_night(settings, seed + 1000, Path(earlier), now)
    night = _simulate(Path(), seed, default_start(now))
    click.echo(f"A simulated shop wrote {night.scenario.lines:,} lines into {len(night.paths)} files (seed {seed}).")
    click.echo(f"What the user saw: {night.scenario.symptom}\n")
    request = Request(night.paths, symptom=night.scenario.symptom)
    with progress() as show:
        outcome = analyze(request, settings, state=StateFolder(settings.state), now=now, progress=show)
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


def _simulate(folder: Path, seed: int, started_at: datetime) -> _Night:
    from eval.simulator.demo import write_demo

    scenario = write_demo(folder, seed, started_at)
    return _Night(scenario, tuple(str(path) for path in scenario.paths))


def _remember_another_night(settings: Settings, seed: int, folder: Path, now: datetime) -> None:
    """Analyses an incident of some weeks ago and puts it into a fresh memory, with the cause that people confirmed."""
    from cali.assistant import Request, analyze
    from cali.recall import initialise, opened, remember
    from core.memory import Feedback
    from eval.simulator.demo import default_start

    if initialise(settings).cosine is not None:
        click.echo("Prepared the model that reads memories (once for this user).", err=True)
    then = now - timedelta(days=DAYS_BEFORE)
    night = _simulate(folder, seed, default_start(then))
    outcome = analyze(Request(night.paths, symptom=night.scenario.symptom), settings, state=None, now=then)
    if not outcome.findings.findings:
        return
    with opened(settings) as memory:
        assert memory is not None  # initialised above
        remember(memory, outcome.findings, outcome.detection, settings.memory_tenant)
        memory.feedback(
            Feedback(
                incident_id=outcome.findings.findings[0].incident.id,
                verdict="confirm",
                at=then + timedelta(hours=2),
                by="on-call",
                cause=night.scenario.root_cause.text,
                fix="rolled payment back to the version before",
                worked=True,
            )
        )
