"""The change events of a run: where its logs report one, and what is quoted of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import polars as pl

from core.domain import ChangeEvent, ChangeKind, Citation, LogRecord
from ingest.axes import Axis
from ingest.changes import change_templates
from ingest.quotes import evidence

CHANGES_PER_TEMPLATE: Final = 20
"""Change events that one template of one service may report; the earliest are kept."""


def change_places(axes: Iterable[Axis]) -> dict[Citation, tuple[int, ChangeKind]]:
    """Places of records that report a change: template and kind."""
    found: dict[Citation, tuple[int, ChangeKind]] = {}
    for axis in axes:
        subject = axis.facts.subject
        kinds = change_templates(
            (key[0], message) for key, message in zip(subject.panel.series, axis.facts.messages, strict=True)
        )
        rows = (
            subject.table.filter(pl.col("template_id").is_in(list(kinds)))
            .sort("bucket", maintain_order=True)
            .group_by("template_id", "service", maintain_order=True)
            .head(CHANGES_PER_TEMPLATE)
            .select("template_id", pl.col("first_source").cast(pl.String), "first_position")
        )
        for template_id, source, position in rows.iter_rows():
            found[Citation(source, position)] = template_id, kinds[template_id]
    return found


def change_events(
    places: Mapping[Citation, tuple[int, ChangeKind]], records: Mapping[Citation, LogRecord], observed_at: datetime
) -> list[ChangeEvent]:
    """The change events of `change_places`, in order of time; those without one at the end of the input."""
    events = [
        ChangeEvent(
            kind,
            records[place].service,
            records[place].timestamp,
            " ".join(records[place].body.split("\n", 1)[0].split())[:300],
            evidence(records[place], template_id),
        )
        for place, (template_id, kind) in places.items()
        if place in records
    ]
    return sorted(events, key=lambda c: (c.timestamp is None, c.timestamp or observed_at, c.evidence.citation))
