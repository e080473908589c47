"""`cali memory confirm`, `reject` and `forget`: what people say about a remembered incident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

from cali.memory_access import FORMAT, STATE, known_document, opened_memory, print_json, settings_of


@click.command()
@click.argument("document_id", metavar="ID")
@click.option("--cause", metavar="TEXT", help="The cause, where the one on record is missing or imprecise.")
@click.option("--fix", metavar="TEXT", help="What was done.")
@click.option("--worked/--did-not-work", default=None, help="Whether the fix helped.")
@click.option("--by", metavar="NAME", default="", help="Who says so.")
@click.option("--note", metavar="TEXT", default="")
@FORMAT
@STATE
def confirm(document_id: str, chosen: str, state: Path | None, **said: Any) -> None:
    """Say that the cause on record is right, and how the fix worked. Confirmed incidents are found first."""
    _judge("confirm", document_id, chosen, state, said)


@click.command()
@click.argument("document_id", metavar="ID")
@click.option("--cause", metavar="TEXT", help="The true cause, where it is known.")
@click.option("--fix", metavar="TEXT", help="What was done.")
@click.option("--by", metavar="NAME", default="", help="Who says so.")
@click.option("--note", metavar="TEXT", default="")
@FORMAT
@STATE
def reject(document_id: str, chosen: str, state: Path | None, **said: Any) -> None:
    """Say that the cause on record is wrong."""
    _judge("reject", document_id, chosen, state, said)


@click.command()
@click.argument("document_ids", nargs=-1, required=True, metavar="ID...")
@STATE
def forget(document_ids: tuple[str, ...], state: Path | None) -> None:
    """Delete documents for good. The start of an id is enough where only one document starts so."""
    with opened_memory(settings_of(state)) as held:
        ids = [known_document(held, document_id).id for document_id in document_ids]
        gone = held.forget(ids)
    click.echo(f"forgot {gone} of {len(document_ids)}: {', '.join(ids)}")


def _judge(
    verdict: Literal["confirm", "reject"], document_id: str, chosen: str, state: Path | None, said: dict[str, Any]
) -> None:
    from core.memory import Feedback
    from rag.memory.codec import to_json

    with opened_memory(settings_of(state)) as held:
        document = held.feedback(Feedback(document_id, verdict, datetime.now(UTC), **said))
    if chosen == "json":
        print_json("cali.memory.show/1", document=to_json(document))
    else:
        click.echo(
            f"{document.id}: confirmed {document.confirmed}, rejected {document.rejected}, "
            f"fix worked {document.worked}, failed {document.failed}; cause: {document.cause or 'unknown'}"
        )
