"""What a run teaches of values: for each row of the learned state the parameters of a few of its messages.

Kept are numbers whose moves may tell of trouble (durations, what hurts when it grows, what is delivered) and words of
parameters that have few: what `numeric_shift` and `new_value` compare. Ids, names and free text are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from core.domain import LogTemplate
from ingest.anomalies.new_value import is_categorical
from ingest.anomalies.numeric_shift import tells
from ingest.anomalies.remembered import encode
from ingest.anomalies.requests import requests_of
from ingest.anomalies.values import LEAST_SAMPLES, column_of, parameters_of

PER_BUCKET: Final = 3
"""Messages of one row of the learned state whose values are kept, spread over its bucket."""

PER_RUN: Final = 48
"""The same of a row without times, which stands for a whole run."""

Key = tuple[int, str | None, int, int]
"""Template, service, severity and bucket of a row of the learned state."""


def sampled(table: pl.DataFrame, templates: Mapping[int, LogTemplate], most: int) -> dict[Key, str]:
    """The samples (`ingest.anomalies.remembered`) of each row that `table` (`ingest.counts.TABLE`, its buckets already
    those of the learned state) teaches, `most` messages of each; rows without values are absent."""
    keys = ["template_id", "service", "severity", "bucket"]
    ordinal, length = pl.int_range(pl.len()).over(keys), pl.len().over(keys)
    share = pl.min_horizontal(most, length)
    chosen = (
        table.filter(pl.col("sample").is_not_null())
        .with_columns(pl.col("service").cast(pl.String))
        # Evenly spread: where the next part of `share` equal parts begins.
        .filter((ordinal * share) // length != ((ordinal - 1) * share) // length)
        .group_by("template_id", "service", maintain_order=True)
        .agg("severity", "bucket", "sample", "attributes")
        .filter(pl.col("sample").list.len() >= LEAST_SAMPLES)
    )
    found: dict[Key, list[tuple[str | None, Mapping[str, str]]]] = {}
    for template_id, service, severities, buckets, bodies, attributes in chosen.iter_rows():
        values = _telling(parameters_of(templates.get(template_id), bodies, attributes))
        if not values:
            continue
        requests = requests_of(bodies, attributes)
        for i, (severity, bucket) in enumerate(zip(severities, buckets, strict=True)):
            each = {name: text for name, texts in values.items() if (text := texts[i]) is not None}
            found.setdefault((template_id, service, severity, bucket), []).append((requests[i], each))
    return {key: text for key, messages in found.items() if (text := encode(messages))}


def _telling(parameters: Sequence[tuple[str, Sequence[str | None]]]) -> dict[str, Sequence[str | None]]:
    """The parameters worth keeping, by name."""
    kept = {}
    for name, texts in parameters:
        nowhere = np.zeros(len(texts), dtype=np.int64)
        column = column_of(0, None, name, nowhere, nowhere, texts, [None] * len(texts))
        if column is not None and (tells(column) if column.numbers is not None else is_categorical(column)):
            kept[name] = texts
    return kept
