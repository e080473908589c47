"""`cali ask QUESTION`: an answer with citations."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from cali.options import Words


@click.command()
@click.argument("question", nargs=-1, required=True, type=Words())
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Learned state; default .cali.")
@click.option("--session", metavar="ID", help="Continue this conversation.")
@click.option("--new", "fresh", is_flag=True, help="Start a new conversation.")
@click.option("--details", is_flag=True, help="Show the whole report behind the answer, not its first screen.")
@click.option("--format", "chosen", type=click.Choice(["rich", "json"]), default="rich", show_default=True)
def ask(
    question: tuple[str, ...], state: Path | None, session: str | None, fresh: bool, details: bool, chosen: str
) -> None:
    """Answer a question about logs that `cali analyze` has seen.

    The service and the time are taken from the question; the logs of that time are read again. A question within 15
    minutes of the last one continues it: what it leaves out is taken from there.

    \b
    cali ask "why did checkout fail in the last 30 minutes?"
    cali ask "and payment?"
    cali ask "what changed before it?"
    cali ask "has this happened before?"
    cali ask "is inventory healthy?"
    cali ask "what happened between 02:00 and 03:00?"
    """
    from cali.asking import ask as run
    from cali.progress import progress
    from core.config import load
    from report.answer import to_json, to_text

    settings = load(state=state)
    with progress() as show:
        answer = run(" ".join(question), settings, session=session, fresh=fresh, now=datetime.now(UTC), watcher=show)
    if chosen == "json":
        click.echo(to_json(answer, timezone=settings.display_zone), nl=False)
        return
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size((100, 40)).columns, 140) if terminal else 100
    color = terminal and "NO_COLOR" not in os.environ
    text = to_text(answer, width=width, color=color, timezone=settings.display_zone, details=details)
    click.echo(text, nl=False, color=True)
