"""Sampled parameters over the buckets of a panel: what `new_value` and `numeric_shift` judge.

A parameter is a wildcard of a template or an attribute of its records (`took_ms`). The table keeps one message per
template, service, severity and fine bucket, so memory is bounded and rare templates are seen whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from core.domain import LogTemplate
from ingest.anomalies import remembered
from ingest.anomalies.meaning import scale_of
from ingest.anomalies.panel import Panel
from ingest.anomalies.quantities import numbers_of
from ingest.anomalies.requests import requests_of
from ingest.counts import HistoryRow
from ingest.templates import parameters

LEAST_SAMPLES: Final = 12
MOST_SAMPLES: Final = 4000
"""Samples of one template that are looked at; more are thinned evenly."""

MOST_TEMPLATES: Final = 300
"""Templates, of one service each, that are looked at; those with the most samples."""

_WILDCARD: Final = re.compile(r"<(?:[A-Z]+|\*)>")
_SKIPPED: Final = frozenset({"pid", "thread", "thread_id", "tid", "port", "line", "lineno", "seq", "time", "timestamp"})


@dataclass(frozen=True)
class Column:
    """One parameter of one template of one service. `rows` index the table, `buckets` are the panel's columns.

    Samples of the baseline and of earlier runs have row -1 and stand in their columns. `requests` are what durations
    are of, where any of their messages is about a request; `milliseconds` are the durations themselves where `numbers`
    are proportions.
    """

    template_id: int
    service: str | None
    name: str
    rows: NDArray[np.int64]
    buckets: NDArray[np.int64]
    numbers: NDArray[np.float64] | None
    words: Sequence[str]
    unit: str = ""
    requests: Sequence[str | None] = ()
    milliseconds: NDArray[np.float64] | None = None


def columns(
    table: pl.DataFrame,
    panel: Panel,
    templates: Mapping[int, LogTemplate],
    known: pl.DataFrame | None = None,
    learned: Sequence[HistoryRow] = (),
) -> list[Column]:
    """The parameters of the samples of a run (`table`), of its baseline (`known`) and of earlier runs (`learned`)."""
    low = int(panel.starts[panel.own])
    indexed = _placed(table, low, panel.width, panel.own, panel.buckets).with_row_index("row")
    indexed = indexed.with_columns(pl.col("row").cast(pl.Int64))
    if known is not None and panel.known < panel.own:
        low = int(panel.starts[panel.known])
        reference = _placed(known, low, panel.width, panel.known, panel.own).with_columns(row=pl.lit(-1, pl.Int64))
        indexed = pl.concat([reference.select(indexed.columns), indexed])
    groups = (
        indexed.filter(pl.col("sample").is_not_null())
        .group_by("template_id", "service", maintain_order=True)
        .agg(pl.len().alias("samples"), "row", "column", "sample", "attributes")
        .filter(pl.col("row").list.last() >= 0)
        .sort("samples", descending=True, maintain_order=True)
        .head(MOST_TEMPLATES)
    )
    memory = remembered.Memory(learned, panel.learned)
    found: list[Column] = []
    for template_id, service, samples, rows, buckets, bodies, attributes in groups.iter_rows():
        past = memory.of(template_id, service)
        if samples + len(past) < LEAST_SAMPLES:
            continue
        step = -(-samples // MOST_SAMPLES)
        at = np.asarray([-1] * len(past) + rows[::step], dtype=np.int64)
        where = np.asarray([each.column for each in past] + buckets[::step], dtype=np.int64)
        requests = [each.request for each in past] + requests_of(bodies[::step], attributes[::step])
        found += [
            column
            for name, each in parameters_of(templates.get(template_id), bodies[::step], attributes[::step])
            if (
                column := column_of(
                    template_id, service, name, at, where, [*(p.values.get(name) for p in past), *each], requests
                )
            )
            is not None
        ]
    return found


def parameters_of(
    template: LogTemplate | None, bodies: Sequence[str], attributes: Sequence[str | None]
) -> list[tuple[str, Sequence[str | None]]]:
    """Name and values of each parameter of some messages of a template: its wildcards, and the messages' fields."""
    return [*(_of_body(template.text, bodies) if template is not None else ()), *_of_attributes(attributes)]


def _placed(table: pl.DataFrame, low: int, width: int, first: int, end: int) -> pl.DataFrame:
    """The samples of a table with the panel's `column`, from `first` up to `end`."""
    column = ((pl.col("bucket") - low) // width).clip(0, end - first - 1) + first
    return table.select("template_id", pl.col("service").cast(pl.String), "sample", "attributes", column=column)


def _of_body(template: str, bodies: Sequence[str]) -> list[tuple[str, Sequence[str | None]]]:
    names = _names(template)
    if not names:
        return []
    extracted = parameters.extract(template, pl.Series(bodies, dtype=pl.String))
    return [(name, extracted[column].to_list()) for name, column in zip(names, extracted.columns, strict=True)]


def _names(template: str) -> list[str]:
    """A name for each wildcard: its key (`rt=<NUM>`), or the words around it (`took _ ms`)."""
    names = []
    for match in _WILDCARD.finditer(template):
        before, after = template[: match.start()], template[match.end() :]
        if before.endswith(">.") or after.startswith(".<"):
            names.append("")  # half a number
            continue
        key = re.search(r"([A-Za-z_][\w.\-]*)[\"']?[=:]\s?[\"']?$", before)
        if key:
            names.append(key[1])
            continue
        last = re.search(r"([A-Za-z][\w\-]*)\W*$", before)
        first = re.match(r"\W?([A-Za-zµ%]+)", after)
        names.append(f"{last[1] if last else ''} _ {first[1] if first else ''}".strip())
    return names


def _of_attributes(attributes: Iterable[str | None]) -> list[tuple[str, Sequence[str | None]]]:
    parsed: list[dict[str, object]] = []
    for text in attributes:
        value = orjson.loads(text) if text else {}
        parsed.append(_flat(value) if isinstance(value, dict) else {})
    keys = list(dict.fromkeys(key for each in parsed for key in each))
    return [(key, [_scalar(each.get(key)) for each in parsed]) for key in keys if key.lower() not in _SKIPPED]


def _flat(fields: dict[str, object]) -> dict[str, object]:
    """Fields with those of the objects among them, two levels deep: MongoDB's `attr.durationMillis`."""
    if not any(isinstance(value, dict) for value in fields.values()):
        return fields
    flat: dict[str, object] = {}
    for key, value in fields.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def _scalar(value: object) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    return str(value)


def column_of(
    template_id: int,
    service: str | None,
    name: str,
    rows: NDArray[np.int64],
    buckets: NDArray[np.int64],
    values: Sequence[str | None],
    requests: Sequence[str | None],
) -> Column | None:
    """The column of a parameter's values (of equal length with `rows`, `buckets`); None where they are too few."""
    if not name or name.lower() in _SKIPPED:
        return None
    present = [i for i, value in enumerate(values) if value is not None and value not in ("", "-")]
    if len(present) < LEAST_SAMPLES:
        return None
    words = [str(values[i]) for i in present]
    numbers, unit = numbers_of(words)
    if numbers is not None and not unit:
        factor, unit = scale_of(name)
        numbers = numbers * factor
    of = tuple(requests[i] for i in present) if unit == "ms" else ()
    return Column(
        template_id, service, name, rows[present], buckets[present], numbers, words, unit, of if any(of) else ()
    )
