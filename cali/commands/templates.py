"""`cali templates`: what logs consist of."""

from __future__ import annotations

import shutil
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cali.template_runs import TemplateRun
    from ingest.templates.miner import DrainMiner

_FORMAT = click.option("--format", "chosen", type=click.Choice(("table", "json", "csv")), default="table")
_STATE = click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Learned state; default .cali.")


class _DefaultGroup(click.Group):
    """A group whose command `list` may be left out: `cali templates app.log`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]})
def templates() -> None:
    """What the logs consist of.

    \b
    cali templates app.log                      the templates, most frequent first (same as: templates list)
    cali templates app.csv --column message     of one column of a CSV file
    cali templates diff yesterday.log today.log what is new, gone, changed in rate
    cali templates explain 'a line'             which masks fired, which template it fits, and why
    """


@templates.command("list")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@_FORMAT
@click.option("--column", metavar="NAME", help="FILE is a CSV: mine this column, its values are messages.")
@click.option(
    "--assignments",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT.csv",
    help="Write line,template_id,template for every line, with the final templates.",
)
@_STATE
@click.option("--no-state", is_flag=True, help="Use no learned state and leave nothing behind.")
@click.option("--top", type=click.IntRange(1), help="Templates shown; default 50 in the table, all otherwise.")
def list_templates(
    paths: tuple[str, ...],
    chosen: str,
    column: str | None,
    assignments: Path | None,
    state: Path | None,
    no_state: bool,
    top: int | None,
) -> int:
    """The templates of logs by count, with the types and examples of their parameters.

    FILE is a file, a folder, a glob, or - for stdin; plain, gzip, zstd or bz2.
    """
    if state is not None and no_state:
        raise click.UsageError("--state and --no-state exclude each other")
    if len(paths) > 1 and (column or assignments):
        raise click.UsageError("--column and --assignments take one FILE: a line number needs one")
    from cali.progress import progress
    from cali.state import StateFolder
    from cali.template_forms import to_csv, to_json, to_table
    from cali.template_runs import found, mine_column, mine_logs
    from cali.wiring import miner_config
    from core.config import load as load_settings
    from ingest.templates import snapshots
    from ingest.templates.miner import DrainMiner

    settings = load_settings(state=state)
    folder = None if no_state else StateFolder(settings.state)
    with folder.locked("templates") if folder else nullcontext(), progress(True) as display:
        show = display.reading if display else None
        config = miner_config(settings)
        stands = folder is not None and folder.templates.exists()
        miner = snapshots.load(folder.templates, config) if folder and stands else DrainMiner(config)
        overflow = sum(miner.overflow.values())
        if column:
            run = mine_column(paths[0], column, miner, assignments, show)
        else:
            run = mine_logs(paths, settings.zone, datetime.now(UTC), miner, assignments, show)
        if folder:
            snapshots.save(miner, folder.templates)
    overflow = sum(miner.overflow.values()) - overflow
    listed = found(run, miner)
    if chosen == "json":
        click.echo(to_json(run, listed, overflow, top), nl=False)
    elif chosen == "csv":
        click.echo(to_csv(run, listed, top), nl=False)
    else:
        click.echo(to_table(run, listed, overflow, top or 50, _width()), nl=False)
    return _report_unreadable(run)


@templates.command()
@click.argument("before")
@click.argument("after")
@click.option("--format", "chosen", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.option("--factor", type=click.FloatRange(min=1), default=1.5, show_default=True, help="Least change of a share.")
@click.option("--top", type=click.IntRange(1), default=50, show_default=True, help="Changes shown in the table.")
def diff(before: str, after: str, chosen: str, factor: float, top: int) -> int:
    """What is new, gone, or changed in rate from the log BEFORE to the log AFTER.

    Rates are shares of all records. A change of rate is shown where it is significant among all templates (false
    discovery rate as configured for detection) and at least --factor.
    """
    from cali.template_forms import changes, diff_json, diff_table
    from cali.template_runs import mine_logs
    from cali.wiring import miner_config
    from core.config import load as load_settings
    from ingest.templates.miner import DrainMiner

    settings = load_settings()
    miner = DrainMiner(miner_config(settings))
    runs = [mine_logs((path,), settings.zone, datetime.now(UTC), miner) for path in (before, after)]
    for run in runs:  # the second log may have shown that templates of the first are one
        for template_id in list(run.counts):
            root = miner.resolve(template_id)
            if root != template_id:
                run.counts[root] += run.counts.pop(template_id)
    texts = {each: miner.text_of(each) for run in runs for each in run.counts}
    found = changes(runs[0], runs[1], texts, settings.detection_false_discovery_rate, factor)
    if chosen == "json":
        click.echo(diff_json(found, *runs), nl=False)
    else:
        click.echo(diff_table(found, runs[0], runs[1], top, _width()), nl=False)
    return max(_report_unreadable(run) for run in runs)


@templates.command()
@click.argument("template_id", metavar="ID")
@_STATE
def show(template_id: str, state: Path | None) -> None:
    """One template of the learned state: its text, count, parameters and examples. ID may be shortened."""
    from core.template_ids import template_hex
    from ingest.templates.parameters import examples

    miner = _learned(state)
    root = _find(miner, template_id)
    template = miner.store.templates[root]
    click.echo(f"{template_hex(root)}  {template.text}")
    click.echo(f"records   {template.count:,}")
    click.echo(f"service   {template.service or '-'}")
    click.echo(f"version   {template.version} (cali templates history {template_hex(root)})")
    aliases = sorted(each for each, under in miner.store.aliases.pairs().items() if under == root)
    if aliases:
        click.echo(f"aliases   {', '.join(template_hex(each) for each in aliases)}")
    for at, (kind, values) in enumerate(examples(template.text, template.examples), start=1):
        click.echo(f"parameter {at} {kind}: {', '.join(values) or '-'}")
    for each in template.examples:
        click.echo(f"example   {each}")


@templates.command()
@click.argument("template_id", metavar="ID")
@_STATE
def history(template_id: str, state: Path | None) -> None:
    """Every version of a template's text, the oldest first. ID may be shortened, and may be an alias."""
    from core.template_ids import template_hex

    miner = _learned(state)
    root = _find(miner, template_id)
    template = miner.store.templates[root]
    click.echo(template_hex(root))
    first = template.version - len(template.texts) + 1
    if first > 1:
        click.echo(f"versions before {first} are no longer kept")
    for version, text in enumerate(template.texts, start=first):
        click.echo(f"{version:>4}  {text}")


@templates.command()
@click.argument("line")
@_STATE
def explain(line: str, state: Path | None) -> None:
    """Which masks fire on LINE, which template it fits, and why. LINE may have its header: it is parsed."""
    from cali.template_explanation import explain_line
    from core.config import load as load_settings

    settings = load_settings(state=state)
    miner = _learned(state, missing_ok=True)
    click.echo(explain_line(line, miner, settings.zone), nl=False)


def _learned(state: Path | None, missing_ok: bool = False) -> DrainMiner:
    from cali.state import StateFolder
    from cali.wiring import miner_config
    from core.config import load as load_settings
    from core.errors import InputError
    from ingest.templates import snapshots
    from ingest.templates.miner import DrainMiner

    settings = load_settings(state=state)
    path = StateFolder(settings.state).templates
    if not path.exists():
        if missing_ok:
            return DrainMiner(miner_config(settings))
        raise InputError(f"no templates are learned in {path.parent}: cali templates FILE learns them, or use --state")
    return snapshots.load(path, miner_config(settings))


def _find(miner: DrainMiner, text: str) -> int:
    """The template of an id, an alias, or a unique beginning of one. Raises InputError otherwise."""
    from core.errors import InputError
    from core.template_ids import template_hex

    known = {*miner.store.templates, *miner.store.aliases.pairs()}
    roots = {miner.resolve(each) for each in known if template_hex(each).startswith(text.lower())}
    roots &= set(miner.store.templates)
    if len(roots) == 1:
        return roots.pop()
    if not roots:
        raise InputError(f"no template {text!r} in the state; cali templates FILE lists them")
    names = ", ".join(template_hex(each) for each in sorted(roots)[:5])
    raise InputError(f"{text!r} is the beginning of {len(roots)} templates: {names}")


def _report_unreadable(run: TemplateRun) -> int:
    for item in run.unreadable:
        click.echo(f"not read: {item.source}: {item.reason}", err=True)
    return 2 if run.unreadable else 0


def _width() -> int:
    return min(shutil.get_terminal_size((120, 40)).columns, 160) if sys.stdout.isatty() else 120
