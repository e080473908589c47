"""What the subcommands of `cali memory` share: their common options, the open memory, JSON on the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from core.config import Settings
    from core.memory import MemoryDocument
    from core.ports import IncidentMemory

STATE = click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Learned state; default .cali.")
FORMAT = click.option("--format", "chosen", type=click.Choice(["rich", "json"]), default="rich", show_default=True)


def settings_of(state: Path | None) -> Settings:
    """The settings, with the state folder that was asked for."""
    from core.config import load

    return load(state=state)


@contextmanager
def opened_memory(settings: Settings) -> Iterator[IncidentMemory]:
    """The memory of the settings. Raises InputError where `cali memory init` did not run."""
    from cali.recall import opened
    from core.errors import InputError

    with opened(settings) as held:
        if held is None:
            raise InputError(f"no memory in {settings.state}; `cali memory init` makes one")
        yield held


def known_document(held: IncidentMemory, document_id: str) -> MemoryDocument:
    """The document of an id, or of the start of one. Raises InputError where there is none."""
    from core.errors import InputError

    document = held.get(document_id)
    if document is None:
        raise InputError(f"memory has no document {document_id!r}; `cali memory list` shows those there are")
    return document


def print_json(schema: str, /, **fields: Any) -> None:
    """One JSON object on standard output, with its `schema`."""
    import orjson

    click.echo(orjson.dumps({**fields, "schema": schema}, option=orjson.OPT_INDENT_2))
