"""`cali demo`: a simulated incident, analysed; what a first minute with CALI looks like."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

SEED = 7


@click.command()
@click.option("--seed", type=int, default=SEED, show_default=True, help="Another seed is another night.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the logs here.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the page too.")
def demo(seed: int, keep: Path | None, html: Path | None) -> None:
    """Simulate an incident in a small shop and analyse it. Needs no key, no network and no server."""
    from cali.assistant import Request, analyze
    from cali.output import write
    from cali.progress import progress
    from cali.state import StateFolder
    from core.config import load
    from eval.simulator.demo import default_start, write_demo

    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="cali-demo-") as temporary:
        settings = load(state=Path(temporary) / "state")
        folder = keep or Path(temporary)
        scenario = write_demo(folder, seed, default_start(now))
        click.echo(f"A simulated shop wrote {scenario.lines:,} lines into {len(scenario.paths)} files (seed {seed}).")
        click.echo(f"What the user saw: {scenario.symptom}\n")
        request = Request(tuple(str(path) for path in scenario.paths), symptom=scenario.symptom)
        with progress() as show:
            outcome = analyze(request, settings, state=StateFolder(settings.state), now=now, progress=show)
        write(outcome.findings, "rich", None, zone=settings.display_zone, top=3)
        if html is not None:
            write(outcome.findings, "html", html, zone=settings.display_zone, top=10)
    click.echo(f"\nWhat truly happened in the simulation: {scenario.story}")
    click.echo(f"The red herring: {scenario.red_herring}\n")
    click.echo("Try next:")
    for command, what in (
        (f"cali demo --seed {seed + 1}", "another night"),
        ("cali demo --html demo.html", "the same report as a page"),
        ("cali analyze app.log", "your own logs; a folder, a glob or - for stdin work too"),
        ("cali analyze today.log --baseline yesterday.log", "judge against known-good logs"),
        ("cali memory init", "remember incidents, and find similar ones"),
    ):
        click.echo(f"  {command:<48} {what}")
