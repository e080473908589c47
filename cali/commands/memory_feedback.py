"""`cali memory confirm`, `reject` and `forget`: what people say about a remembered incident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

from cali.memory_access import FORMAT, STATE, known_document, opened_memory, print_json, settings_of
from cali.options import Words


@click.command()
@click.argument("document_id", metavar="ID")
@click.option("--cause", type=Words(), help="The cause, where the one on record is missing or imprecise.")
@click.option("--fix", type=Words(), help="What was done.")
@click.option("--worked/--did-not-work", default=None, help="Whether the fix helped.")
@click.option("--by", type=Words(), metavar="NAME", default="", help="Who says so.")
@click.option("--note", type=Words(), default="")
@FORMAT
@STATE
def confirm(document_id: str, chosen: str, state: Path | None, **said: Any) -> None:
    """Say that the cause on record is right, and how the fix worked. Confirmed incidents are found first."""
    _judge("confirm", document_id, chosen, state, said)


@click.command()
@click.argument("document_id", metavar="ID")
@click.option("--cause", type=Words(), help="The true cause, where it is known.")
@click.option("--fix", type=Words(), help="What was done.")
@click.option("--by", type=Words(), metavar="NAME", default="", help="Who says so.")
@click.option("--note", type=Words(), default="")
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
    from cali.memory_output import say

    with opened_memory(settings_of(state)) as held:
        ids = [known_document(held, document_id).id for document_id in document_ids]
        gone = held.forget(ids)
    say(f"forgot {gone} of {len(document_ids)}: {', '.join(ids)}")


def _judge(
    verdict: Literal["confirm", "reject"], document_id: str, chosen: str, state: Path | None, said: dict[str, Any]
) -> None:
    from cali.memory_output import say
    from core.memory import Feedback
    from rag.memory.codec import to_json

    with opened_memory(settings_of(state)) as held:
        document = held.feedback(Feedback(document_id, verdict, datetime.now(UTC), **said))
    if chosen == "json":
        print_json("cali.memory.show/1", document=to_json(document))
    else:
        say(
            f"{document.id}: confirmed {document.confirmed}, rejected {document.rejected}, "
            f"fix worked {document.worked}, failed {document.failed}; cause: {document.cause or 'unknown'}"
        )
