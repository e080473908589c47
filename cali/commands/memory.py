"""`cali memory`: past incidents, runbooks and postmortems."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cali.commands.memory_feedback import confirm, forget, reject
from cali.memory_access import FORMAT, STATE, known_document, opened_memory, print_json, settings_of
from cali.options import Moment, Words, read_stdin

if TYPE_CHECKING:
    from core.config import Settings
    from core.memory import MemoryFilter

F = TypeVar("F", bound=Callable[..., Any])
_KINDS = click.Choice(["incident", "runbook", "postmortem"])
_OUTCOMES = click.Choice(["open", "resolved", "unresolved", "false_alarm"])
_LEVELS = click.Choice(["warning", "high", "disaster"])


def _filters(command: F) -> F:
    """The options that say what to look at."""
    options: tuple[Callable[[F], F], ...] = (
        click.option("--tenant", metavar="NAME", help="Whose; default: the configured tenant; * for all."),
        click.option("--until", type=Moment(), metavar="TIME", help="Started until here."),
        click.option("--since", type=Moment(), metavar="TIME", help="Started since: RFC 3339, or a span such as 30d."),
        click.option("--outcome", "outcomes", type=_OUTCOMES, multiple=True, help="Ended so (repeatable)."),
        click.option("--level", "levels", type=_LEVELS, multiple=True, help="Only this level (repeatable)."),
        click.option("--service", "services", multiple=True, metavar="NAME", help="Only this service (repeatable)."),
        click.option("--kind", "kinds", type=_KINDS, multiple=True, help="Only this kind (repeatable)."),
    )
    for option in options:
        command = option(command)
    return command


@click.group()
def memory() -> None:
    """Past incidents, runbooks and postmortems, found again by meaning, words and templates.

    \b
    cali memory init                          once per state folder
    cali memory import runbooks/ old.jsonl    what is written down already
    cali memory search "pool exhausted"       has this happened before?
    """


@memory.command()
@STATE
def init(state: Path | None) -> None:
    """Make the memory, and prepare the model that reads it (once; takes some seconds). Running it again is harmless."""
    from cali.recall import initialise

    settings = settings_of(state)
    done = initialise(settings)
    if done.cosine is not None:
        click.echo(f"exported {done.model} to ONNX (lowest cosine against the original {done.cosine:.6f})")
    where = settings.memory_uri or settings.state
    click.echo(f"{'made' if done.made else 'there is already'} a memory in {where}, model {done.model}")


@memory.command()
@click.option("--id", "document_id", metavar="ID", help="Adding the same id again replaces it; default: from the text.")
@click.option("--title", required=True, type=Words(), help="What happened, in one line.")
@click.option("--text", type=Words(), help="Symptoms and log lines; - reads stdin.")
@click.option(
    "--service", "services", multiple=True, type=Words(), metavar="NAME", help="What it concerned (repeatable)."
)
@click.option("--level", type=_LEVELS)
@click.option("--started", type=Moment(), metavar="TIME", help="When it began; default now.")
@click.option("--cause", type=Words())
@click.option("--fix", type=Words())
@FORMAT
@STATE
def add(
    document_id: str | None,
    title: str,
    text: str | None,
    services: tuple[str, ...],
    level: Any,
    started: datetime | timedelta | None,
    cause: str | None,
    fix: str | None,
    chosen: str,
    state: Path | None,
) -> None:
    """Remember an incident that someone describes."""
    import hashlib

    from core.memory import MemoryDocument, MemoryKind, Outcome

    if not title.strip():
        raise click.BadParameter("what happened, in one line", param_hint="--title")
    if text == "-":
        text = read_stdin()
    settings = settings_of(state)
    now = datetime.now(UTC)
    digest = hashlib.sha256(f"{title}\0{text or ''}\0{services}".encode()).hexdigest()[:16]
    document = MemoryDocument(
        id=document_id or f"note-{digest}",
        kind=MemoryKind.INCIDENT,
        title=title,
        text=text or title,
        services=services,
        level=level,
        starts_at=_moment(started, now) or now.replace(microsecond=0),
        tenant=settings.memory_tenant,
        outcome=Outcome.RESOLVED if fix else Outcome.OPEN,
        cause=cause,
        fix=fix,
        source="cali memory add",
    )
    with opened_memory(settings) as held:
        result = held.add([document])
    _print_added(document.id, result, chosen)


@memory.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path))
@click.option("--kind", type=_KINDS, help="What Markdown files are; default: seen from the text.")
@FORMAT
@STATE
def import_(paths: tuple[Path, ...], kind: str | None, chosen: str, state: Path | None) -> int:
    """Remember Markdown runbooks and postmortems, incidents as JSON lines, and labelled datasets.

    PATH is a file, a folder, or a dataset (a folder with dataset.toml). Importing again replaces what a file gave
    before; passages that are gone from it are forgotten.
    """
    from cali.memory_import import import_paths
    from cali.memory_output import say
    from core.memory import MemoryKind

    settings = settings_of(state)
    with opened_memory(settings) as held:
        result = import_paths(
            paths, held, settings, kind=MemoryKind(kind) if kind else None, now=datetime.now(UTC), report=_tell
        )
    if chosen == "json":
        print_json("cali.memory.import/1", **result.to_json())
    else:
        click.echo(
            f"{result.files:,} files: {result.added:,} documents added, {result.updated:,} updated, "
            f"{result.unchanged:,} unchanged, {result.forgotten:,} forgotten, {len(result.quarantined):,} not usable"
        )
        for item in result.quarantined[:20]:
            say(f"  {item.source}{f':{item.position}' if item.position else ''}: {item.reason}", err=True)
        if len(result.quarantined) > 20:
            click.echo(f"  {len(result.quarantined) - 20:,} more", err=True)
    return 2 if result.quarantined else 0


@memory.command()
@click.argument("query", nargs=-1, required=True, type=Words(), metavar="TEXT...")
@click.option("-k", "k", type=click.IntRange(1, 100), default=5, show_default=True, help="How many.")
@_filters
@FORMAT
@STATE
def search(query: tuple[str, ...], k: int, chosen: str, state: Path | None, **filters: Any) -> None:
    """Find what resembles TEXT: a symptom, an error line, a cause. TEXT - reads stdin."""
    text = read_stdin() if query == ("-",) else " ".join(query)
    settings = settings_of(state)
    with opened_memory(settings) as held:
        where = _where(settings, **filters)
        matches = held.search(text, k, where)
    from cali.memory_output import matches_json, print_matches

    if chosen == "json":
        print_json(
            "cali.memory.search/1",
            query=text,
            location=str(settings.memory_uri or settings.state),
            **matches_json(matches),
        )
    else:
        print_matches(matches, text, settings.display_zone)


@memory.command()
@click.argument("document_id", metavar="ID")
@FORMAT
@STATE
def show(document_id: str, chosen: str, state: Path | None) -> None:
    """Show one document; the start of its id is enough."""
    from cali.memory_output import print_document
    from rag.memory.codec import to_json

    settings = settings_of(state)
    with opened_memory(settings) as held:
        document = known_document(held, document_id)
    if chosen == "json":
        print_json("cali.memory.show/1", document=to_json(document))
    else:
        print_document(document, settings.display_zone)


@memory.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@_filters
@FORMAT
@STATE
def list_(limit: int, chosen: str, state: Path | None, **filters: Any) -> None:
    """List what is remembered, newest first."""
    from cali.memory_output import print_documents
    from rag.memory.codec import to_json

    settings = settings_of(state)
    with opened_memory(settings) as held:
        documents = held.list(_where(settings, **filters), limit)
    if chosen == "json":
        print_json("cali.memory.list/1", documents=[to_json(document) for document in documents])
    else:
        print_documents(documents, settings.display_zone)


@memory.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: stdout.")
@_filters
@STATE
def export(output: Path | None, state: Path | None, **filters: Any) -> None:
    """Write documents as JSON lines (`cali.memory/1`), which `cali memory import` reads."""
    from rag.memory.codec import dumps

    settings = settings_of(state)
    with opened_memory(settings) as held:
        lines = (dumps(document) for document in held.export(_where(settings, **filters)))
        if output is None:
            for line in lines:
                click.echo(line)
            return
        from cali.output import write_file

        count = 0
        text = []
        for line in lines:
            count += 1
            text.append(line + "\n")
    write_file(output, "".join(text))
    click.echo(f"wrote {count:,} documents to {output}", err=True)


@memory.command()
@FORMAT
@STATE
def stats(chosen: str, state: Path | None) -> None:
    """Say what the memory holds, where, and which model made its vectors."""
    from cali.memory_output import print_stats, stats_json

    settings = settings_of(state)
    with opened_memory(settings) as held:
        counts = held.stats()
    if chosen == "json":
        print_json("cali.memory.stats/1", **stats_json(counts))
    else:
        print_stats(counts, settings.display_zone)


@memory.command()
@STATE
def reembed(state: Path | None) -> None:
    """Move the memory to the model that is configured now (setting memory_model).

    The old vectors serve until the new ones are complete. After an interruption, run it again: it goes on.
    """
    from cali.recall import embedder_of, prepare_model
    from rag.memory.reembedding import reembed as run

    settings = settings_of(state)
    prepare_model(settings)
    done = run(
        settings.state,
        embedder_of(settings),
        uri=settings.memory_uri,
        token=settings.memory_token.get_secret_value() if settings.memory_token else None,
        progress=lambda count, total: _tell(f"{count:,} of {total:,}"),
    )
    if done.embedded == done.kept == 0 and done.old_model == done.new_model:
        click.echo(f"the memory is of {done.new_model} already")
    else:
        click.echo(f"{done.old_model} -> {done.new_model}: {done.embedded:,} embedded, {done.kept:,} were done before")


for _command in (confirm, reject, forget):
    memory.add_command(_command)


def _where(
    settings: Settings,
    *,
    kinds: tuple[str, ...],
    services: tuple[str, ...],
    levels: tuple[Any, ...],
    outcomes: tuple[str, ...],
    since: datetime | timedelta | None,
    until: datetime | timedelta | None,
    tenant: str | None,
) -> MemoryFilter:
    from core.memory import MemoryFilter, MemoryKind, Outcome

    now = datetime.now(UTC)
    return MemoryFilter(
        kinds=tuple(MemoryKind(kind) for kind in kinds),
        services=services,
        levels=levels,
        outcomes=tuple(Outcome(outcome) for outcome in outcomes),
        start=_moment(since, now),
        end=_moment(until, now),
        tenant=None if tenant == "*" else tenant or settings.memory_tenant,
    )


def _moment(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    return now - given if isinstance(given, timedelta) else given


def _print_added(document_id: str, result: Any, chosen: str) -> None:
    from cali.memory_output import say

    if chosen == "json":
        print_json(
            "cali.memory.add/1", id=document_id, added=result.added, updated=result.updated, unchanged=result.unchanged
        )
    else:
        what = "added" if result.added else "updated" if result.updated else "unchanged"
        say(f"{what} {document_id}")


def _tell(text: str) -> None:
    click.echo(text, err=True)
