"""Memory on the terminal and as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any, Final

import click

from core.memory import MemoryDocument, MemoryMatch, MemoryStats
from rag.memory.codec import to_json
from report.text import printable

MAX_LINE: Final = 20_000
"""Characters of a line that are shown: more than a document may have."""


def say(text: str, *, err: bool = False) -> None:
    """Prints text that others wrote: its line ends are kept, everything else that a terminal would obey is shown."""
    click.echo("\n".join(printable(line, limit=MAX_LINE) for line in text.split("\n")), err=err)


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
        say(f"nothing in memory resembles {_short(query, 80)!r} under these filters")
        return
    for rank, match in enumerate(matches, 1):
        document = match.document
        seen = f"seen {match.times_seen} times, last on" if match.times_seen > 1 else ""
        when = f"{seen} {_day(match.last_seen, zone)}".strip() if match.last_seen else ""
        facts = ", ".join(part for part in (document.kind.value, ", ".join(document.services[:3]), when) if part)
        say(f"{rank}. {_short(document.title, 100)}  [{match.score:.2f}]")
        say(f"   {document.id}  ({facts})")
        for name, text in (("cause", document.cause), ("fix", document.fix)):
            if text:
                say(f"   {name}: {_short(text, 150)}")
        if not document.cause and not document.fix:
            say(f"   {_short(document.text, 150)}")
        if judged := _judged(document):
            say(f"   {judged}")
        say("   found by " + ", ".join(f"{s.name} #{s.rank} ({s.score:.2f})" for s in match.signals))


def print_documents(documents: Sequence[MemoryDocument], zone: tzinfo) -> None:
    """Documents, two lines each: when, what, and the id by which the other commands know it."""
    if not documents:
        say("nothing in memory under these filters")
        return
    width = max(shutil.get_terminal_size((120, 40)).columns, 60)
    for document in documents:
        head = f"{_day(document.starts_at, zone):<11}  {document.kind.value:<10}  {document.outcome.value:<11}  "
        say(head + _short(document.title, width - len(head)))
        facts = [document.id, ", ".join(document.services[:3]), f"cause: {document.cause}" if document.cause else ""]
        say(" " * 13 + _short("  ".join(fact for fact in facts if fact), width - 13))


def print_document(document: MemoryDocument, zone: tzinfo) -> None:
    """Everything about one document."""
    say(f"{document.title}\n{document.id}")
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
            say(f"  {name:<9} {text}")
    say(f"\n{document.text}")


def print_stats(stats: MemoryStats, zone: tzinfo) -> None:
    """What a memory holds."""
    size = f", {stats.bytes / 1e6:,.1f} MB" if stats.bytes is not None else ""
    say(f"{stats.location} (schema {stats.schema}{size})")
    say(f"  model      {stats.model}, {stats.dimension} dimensions")
    say(f"  incidents  {stats.incidents:,}; confirmed {stats.confirmed:,}, rejected {stats.rejected:,} times")
    say(f"  documents  {stats.documents:,} passages")
    say(f"  templates  {stats.templates:,}")
    if stats.oldest and stats.newest:
        say(f"  from       {_day(stats.oldest, zone)} to {_day(stats.newest, zone)}")


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
