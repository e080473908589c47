"""Symptoms and columns made by hand, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Anomaly, AnomalyKind
from ingest.anomalies.symptom import Symptom
from ingest.anomalies.values import Column
from ingest.counts import SECOND

MINUTE = 60 * SECOND


def symptom(
    start: float,
    end: float,
    service: str | None = "api",
    *,
    weight: float = 0.8,
    alarm: float = 0.8,
    template: int = 1,
    severity: int = 17,
    kind: AnomalyKind = AnomalyKind.NEW_TEMPLATE,
    message: str = "it failed",
    mentions: Sequence[str] = (),
) -> Symptom:
    """A symptom from `start` to `end`, in minutes."""
    anomaly = Anomaly(
        kind=kind,
        template_id=template,
        template=message,
        service=service,
        severity=severity,
        observed=3.0,
        expected=0.0,
        score=weight,
        p_value=1e-9,
        why="",
        count=3,
        first_seen=None,
        last_seen=None,
    )
    return Symptom(
        anomaly=anomaly,
        alarm=alarm,
        weight=weight,
        timed=True,
        start=int(start * MINUTE),
        end=int(end * MINUTE),
        message=message,
        mentions=frozenset(mentions),
    )


def column(
    numbers: Sequence[float],
    *,
    name: str = "took_ms",
    unit: str = "ms",
    buckets: Sequence[int] | None = None,
    template: int = 1,
    service: str | None = "api",
    requests: Sequence[str | None] = (),
) -> Column:
    """A column of numbers, one in each bucket unless `buckets` says otherwise."""
    at = np.asarray(range(len(numbers)) if buckets is None else buckets, dtype=np.int64)
    return Column(
        template_id=template,
        service=service,
        name=name,
        rows=np.arange(len(numbers), dtype=np.int64),
        buckets=at,
        numbers=np.asarray(numbers, dtype=np.float64),
        words=[str(each) for each in numbers],
        unit=unit,
        requests=tuple(requests),
    )
