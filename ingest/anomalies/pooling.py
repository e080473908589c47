"""Durations of one service, compared like with like, and pooled.

Durations of messages about requests are regrouped by request (`GET /api/orders/*`), whatever their templates. And all
durations of a service are one more parameter: a slow database makes each of twenty kinds of request slow, and a rare
kind has too few samples to show it alone. Each value stands there in proportion to the median of its own kind, which
makes a report of seconds and a lookup of milliseconds comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.anomalies.values import LEAST_SAMPLES, Column

LEAST_KINDS: Final = 2

LEAST_OF_KIND: Final = 6
"""Samples of a kind from which its median is one."""

UNIT: Final = "times the usual"
"""Unit of pooled durations."""


def regrouped(columns: Sequence[Column]) -> list[Column]:
    """`columns` with durations by request where messages are about requests, and each service's durations pooled."""
    kept: list[Column] = []
    kinds: dict[str | None, list[Column]] = {}
    by_request: dict[tuple[str | None, str, str], list[tuple[Column, NDArray[np.int64]]]] = {}
    for column in _longest(columns):
        if column.unit != "ms":
            kept.append(column)
        elif not column.requests:
            kept.append(column)
            kinds.setdefault(column.service, []).append(column)
        else:
            of: dict[str | None, list[int]] = {}
            for i, request in enumerate(column.requests):
                of.setdefault(request, []).append(i)
            for request, at in of.items():
                key = (column.service, column.name, request or "")
                by_request.setdefault(key, []).append((column, np.array(at, dtype=np.int64)))
    for (service, name, request), parts in by_request.items():
        joined = _joined(parts, service, f"{name} of {request}" if request else name)
        kinds.setdefault(service, []).append(joined)
        if len(joined.rows) >= LEAST_SAMPLES:
            kept.append(joined)
    return kept + [whole for service, each in kinds.items() if (whole := _pooled(service, each)) is not None]


def _longest(columns: Sequence[Column]) -> list[Column]:
    """Of several durations of one message only the longest, which holds the others; all that are no durations."""
    longest: dict[tuple[int, str | None], Column] = {}
    for column in columns:
        if column.unit == "ms":
            key = column.template_id, column.service
            if key not in longest or _median(column) > _median(longest[key]):
                longest[key] = column
    return [c for c in columns if c.unit != "ms" or c is longest[c.template_id, c.service]]


def _joined(parts: Sequence[tuple[Column, NDArray[np.int64]]], service: str | None, name: str) -> Column:
    numbers = [column.numbers[at] for column, at in parts if column.numbers is not None]
    return _ordered(
        max(parts, key=lambda part: len(part[1]))[0].template_id,
        service,
        name,
        np.concatenate([column.rows[at] for column, at in parts]),
        np.concatenate([column.buckets[at] for column, at in parts]),
        np.concatenate(numbers),
        "ms",
    )


def _pooled(service: str | None, kinds: Sequence[Column]) -> Column | None:
    parts = [column for column in kinds if len(column.rows) >= LEAST_OF_KIND and _median(column) > 0]
    if len(parts) < LEAST_KINDS:
        return None
    durations = np.concatenate([column.numbers for column in parts if column.numbers is not None])
    buckets = np.concatenate([column.buckets for column in parts])
    pooled = _ordered(
        max(parts, key=lambda column: len(column.rows)).template_id,
        service,
        f"durations of {len(parts)} kinds of {'request' if any(' /' in c.name for c in parts) else 'message'}",
        np.concatenate([column.rows for column in parts]),
        buckets,
        np.concatenate([_proportions(column) for column in parts]),
        UNIT,
    )
    return replace(pooled, milliseconds=durations[np.argsort(buckets, kind="stable")])


def _ordered(
    template_id: int,
    service: str | None,
    name: str,
    rows: NDArray[np.int64],
    buckets: NDArray[np.int64],
    numbers: NDArray[np.float64],
    unit: str,
) -> Column:
    order = np.argsort(buckets, kind="stable")
    return Column(template_id, service, name, rows[order], buckets[order], numbers[order], (), unit)


def _median(column: Column) -> float:
    assert column.numbers is not None
    return float(np.nanmedian(column.numbers))


def _proportions(column: Column) -> NDArray[np.float64]:
    assert column.numbers is not None
    return np.asarray(column.numbers / _median(column))
