"""`cali analyze PATH...`: files in, a report out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cali.options import Moment, SeveralValues, Words
from cali.output import FORMATS, Format


@click.command(cls=SeveralValues)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--baseline", multiple=True, metavar="PATH", help="Known-good logs to judge against; several in a row, or repeated."
)
@click.option("--since", type=Moment(), help="Judge from here: RFC 3339, or 30m, 2h before the last line.")
@click.option("--until", type=Moment(), help="Judge until here.")
@click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service (repeatable).")
@click.option("--symptom", type=Words(), help="What users or the alert saw; steers the ranking of causes only.")
@click.option("--format", "chosen", type=click.Choice(FORMATS), default="rich", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Learned state; default .cali.")
@click.option("--no-state", is_flag=True, help="Use no learned state and leave nothing behind.")
@click.option("--timezone", metavar="ZONE", help="IANA zone that times without one take; default UTC.")
@click.option("--top", type=click.IntRange(1, 1000), default=5, show_default=True, help="Items per section.")
@click.option(
    "--redact/--no-redact",
    default=None,
    help="Mask personal data and secrets; default: only in markdown, which goes to a channel.",
)
@click.option("--explain-prompt", is_flag=True, help="Print what a model would be sent; send and learn nothing.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when an incident was found.")
@click.option("--quiet", is_flag=True, help="Print no report and no progress (see --output, --exit-code).")
def analyze(
    paths: tuple[str, ...],
    baseline: tuple[str, ...],
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    services: tuple[str, ...],
    symptom: str | None,
    chosen: Format,
    output: Path | None,
    state: Path | None,
    no_state: bool,
    timezone: str | None,
    top: int,
    redact: bool | None,
    explain_prompt: bool,
    exit_code: bool,
    quiet: bool,
) -> int:
    """Find incidents and their causes in log files.

    PATH is a file, a folder, a glob, or - for stdin; plain, gzip, zstd or bz2. Formats are detected.

    \b
    cali analyze app.log
    cali analyze logs/ --since 2h --service checkout
    cali analyze today.log --baseline yesterday.log --format markdown
    kubectl logs deploy/checkout | cali analyze - --format json | jq .incidents
    """
    from cali.assistant import Request, prompts
    from cali.assistant import analyze as run
    from cali.output import write
    from cali.progress import progress
    from cali.state import StateFolder
    from cali.wiring import masking_session
    from core.config import load

    if state is not None and no_state:
        raise click.UsageError("--state and --no-state exclude each other")
    settings = load(state=state, timezone=timezone)
    request = Request(paths, baseline, since, until, services, symptom)
    folder = None if no_state else StateFolder(settings.state)
    if explain_prompt:
        for incident, prompt in prompts(request, settings, state=folder, now=datetime.now(UTC)):
            click.echo(f"=== incident {incident.id}\n--- system\n{prompt.system}\n--- user\n{prompt.user}")
            click.echo(f"--- schema of the reply ({prompt.name})\n{json.dumps(prompt.schema)}")
        return 0
    with progress(not quiet) as show:
        outcome = run(request, settings, state=folder, now=datetime.now(UTC), watcher=show)
    leaves = redact or (redact is None and chosen == "markdown")
    mask = masking_session(settings).mask if leaves else None
    if output is not None or not quiet:
        write(outcome.findings, chosen, output, zone=settings.display_zone, top=top, mask=mask)
    for item in outcome.unreadable:
        click.echo(f"not read: {item.source}: {item.reason}", err=True)
    stats, quarantined = outcome.findings.stats, outcome.findings.quarantined
    if not stats.lines and quarantined:
        click.echo(f"nothing could be read: {quarantined[0].source}: {quarantined[0].reason}", err=True)
    if outcome.unreadable or (not stats.lines and quarantined):
        return 2
    return 1 if exit_code and outcome.findings.findings else 0
