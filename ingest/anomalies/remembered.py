"""Values of parameters that earlier runs left behind: how they are written, and how they are found again.

A row of the learned state carries the parameters of some of its messages as JSON: the version of this form, then for
each message the request it was about (or null) and its values by the name of the parameter. A form of another version
is read as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson

from ingest.anomalies.panel import Slot
from ingest.counts import HistoryRow

VERSION: Final = 1

MOST_RECALLED: Final = 1000
"""Messages of one template of one service that are recalled; the latest."""


class Past(NamedTuple):
    """One remembered message: the panel's column that it stands in, its request, and its parameters' values."""

    column: int
    request: str | None
    values: Mapping[str, str]


def encode(messages: Sequence[tuple[str | None, Mapping[str, str]]]) -> str:
    """Requests and values of some messages as the text of a row; empty where no message has a value."""
    kept = [[request, values] for request, values in messages if values]
    return orjson.dumps([VERSION, *kept]).decode() if kept else ""


def decode(text: str) -> list[tuple[str | None, Mapping[str, str]]]:
    """What `encode` wrote; empty for what it did not write."""
    try:
        form = orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return []
    if not isinstance(form, list) or form[:1] != [VERSION]:
        return []
    return [(request, values) for request, values in form[1:]]


class Memory:
    """The remembered messages of learned rows, by template and service; `columns` says where their slots stand."""

    def __init__(self, rows: Sequence[HistoryRow], columns: Mapping[Slot, int]) -> None:
        self._columns = columns
        self._rows: dict[tuple[int, str | None], list[HistoryRow]] = {}
        for row in rows:
            if row.samples and (row.source, row.bucket, row.width) in columns:
                self._rows.setdefault((row.template_id, row.service or None), []).append(row)

    def of(self, template_id: int, service: str | None) -> list[Past]:
        """The remembered messages of a template of a service, in order of column."""
        rows = self._rows.get((template_id, service), ())
        found = [
            Past(self._columns[row.source, row.bucket, row.width], request, values)
            for row in rows
            for request, values in decode(row.samples)
        ]
        return sorted(found, key=lambda past: past.column)[-MOST_RECALLED:]
