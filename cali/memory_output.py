"""Memory on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any

import click

from core.memory import MemoryDocument, MemoryMatch, MemoryStats
from rag.memory.codec import to_json


def matches_json(matches: Sequence[MemoryMatch]) -> dict[str, Any]:
    """Matches as JSON: score, the searches that found each, how often it was seen, and the document."""
    return {
        "matches": [
            {
                "score": round(match.score, 6),
                "signals": [asdict(signal) for signal in match.signals],
                "times_seen": match.times_seen,
                "last_seen": match.last_seen.isoformat().replace("+00:00", "Z") if match.last_seen else None,
                "document": to_json(match.document),
            }
            for match in matches
        ]
    }


def stats_json(stats: MemoryStats) -> dict[str, Any]:
    """What a memory holds as JSON."""
    value = asdict(stats)
    value["schema_version"] = value.pop("schema")
    for name in ("oldest", "newest"):
        value[name] = value[name].isoformat().replace("+00:00", "Z") if value[name] else None
    return value


def print_matches(matches: Sequence[MemoryMatch], query: str, zone: tzinfo) -> None:
    """Matches, one short block each."""
    if not matches:
        click.echo(f"nothing in memory resembles {_short(query, 80)!r} under these filters")
        return
    for rank, match in enumerate(matches, 1):
        document = match.document
        seen = f"seen {match.times_seen} times, last on" if match.times_seen > 1 else ""
        when = f"{seen} {_day(match.last_seen, zone)}".strip() if match.last_seen else ""
        facts = ", ".join(part for part in (document.kind.value, ", ".join(document.services[:3]), when) if part)
        click.echo(f"{rank}. {_short(document.title, 100)}  [{match.score:.2f}]")
        click.echo(f"   {document.id}  ({facts})")
        for name, text in (("cause", document.cause), ("fix", document.fix)):
            if text:
                click.echo(f"   {name}: {_short(text, 150)}")
        if not document.cause and not document.fix:
            click.echo(f"   {_short(document.text, 150)}")
        if judged := _judged(document):
            click.echo(f"   {judged}")
        click.echo("   found by " + ", ".join(f"{s.name} #{s.rank} ({s.score:.2f})" for s in match.signals))


def print_documents(documents: Sequence[MemoryDocument], zone: tzinfo) -> None:
    """A table of documents."""
    if not documents:
        click.echo("nothing in memory under these filters")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("id", "kind", "when", "services", "title", "cause", "outcome"):
        table.add_column(name, overflow="ellipsis", no_wrap=name in ("id", "kind", "when", "outcome"))
    for document in documents:
        table.add_row(
            *(
                Text(value)
                for value in (
                    document.id,
                    document.kind.value,
                    _day(document.starts_at, zone),
                    ", ".join(document.services[:3]),
                    _short(document.title, 60),
                    _short(document.cause or "", 60),
                    document.outcome.value,
                )
            )
        )
    Console().print(table)


def print_document(document: MemoryDocument, zone: tzinfo) -> None:
    """Everything about one document."""
    click.echo(f"{document.title}\n{document.id}")
    for name, text in (
        ("kind", document.kind.value),
        ("level", document.level or ""),
        ("services", ", ".join(document.services)),
        ("started", _time(document.starts_at, zone)),
        ("ended", _time(document.ends_at, zone)),
        ("tenant", document.tenant),
        ("outcome", document.outcome.value),
        ("cause", document.cause or ""),
        ("fix", document.fix or ""),
        ("source", document.source or ""),
        ("feedback", _judged(document)),
        *sorted(document.labels.items()),
    ):
        if text:
            click.echo(f"  {name:<9} {text}")
    click.echo(f"\n{document.text}")


def print_stats(stats: MemoryStats, zone: tzinfo) -> None:
    """What a memory holds."""
    size = f", {stats.bytes / 1e6:,.1f} MB" if stats.bytes is not None else ""
    click.echo(f"{stats.location} (schema {stats.schema}{size})")
    click.echo(f"  model      {stats.model}, {stats.dimension} dimensions")
    click.echo(f"  incidents  {stats.incidents:,}; confirmed {stats.confirmed:,}, rejected {stats.rejected:,} times")
    click.echo(f"  documents  {stats.documents:,} passages")
    click.echo(f"  templates  {stats.templates:,}")
    if stats.oldest and stats.newest:
        click.echo(f"  from       {_day(stats.oldest, zone)} to {_day(stats.newest, zone)}")


def _judged(document: MemoryDocument) -> str:
    if not document.feedback:
        return ""
    return (
        f"confirmed {document.confirmed}, rejected {document.rejected}, "
        f"fix worked {document.worked}, failed {document.failed}"
    )


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _day(time: datetime | None, zone: tzinfo) -> str:
    return f"{time.astimezone(zone):%d %b %Y}" if time else ""


def _time(time: datetime | None, zone: tzinfo) -> str:
    return f"{time.astimezone(zone):%d %b %Y %H:%M:%S %Z}" if time else ""
