"""Symptoms of parameters: `new_value` and `numeric_shift`, with their places, words and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core import severity
from core.domain import Anomaly, AnomalyKind
from ingest.activity import to_datetime
from ingest.anomalies import new_value, numeric_shift
from ingest.anomalies.meaning import is_amount, is_costly, is_duration
from ingest.anomalies.pooling import regrouped
from ingest.anomalies.statistics import score_of
from ingest.anomalies.subject import Subject, mentions, places
from ingest.anomalies.symptom import Symptom
from ingest.anomalies.symptoms import alarm, words
from ingest.anomalies.values import Column, columns
from ingest.anomalies.weight import weigh
from ingest.counts import SECOND

AWAY: Final = 10
"""Least number of buckets without a value after which its return is another event."""

MOST_RUNS: Final = 6
"""Events of one value that are reported."""

NOTICED: Final = 1000.0
"""Milliseconds from which people notice a delay."""

EMPTIED: Final = 0.5
"""Alarm of an amount that has become nothing."""

_TRACES: Final = 20


def parameter_symptoms(subject: Subject) -> list[Symptom]:
    """Unseen values and moved numbers of the run's sampled parameters."""
    panel = subject.panel
    found = columns(subject.table, panel, subject.templates, subject.known, subject.learned)
    symptoms = _shifted(subject, regrouped(found))
    # In proportion to the input, as far as people mean by "the same incident".
    longest = 1200 * SECOND // panel.width if panel.timed else panel.buckets
    away = max(AWAY, min((panel.buckets - panel.start) // 10, longest))
    for value in new_value.unseen(found, panel.start, subject.rate):
        column = found[value.column]
        alike = np.array([word == value.value for word in column.words])
        for inside in _runs(column, alike, away):
            symptoms.append(
                _symptom(
                    subject,
                    column,
                    AnomalyKind.NEW_VALUE,
                    column.rows[inside],
                    telling=column.rows[inside],
                    observed=value.value,
                    expected=", ".join(value.known),
                    p_value=value.p_value,
                    why=new_value.why(column, value),
                    alarming=None,
                    active=len(set(column.buckets[inside].tolist())),
                    effect=0.5,
                )
            )
    return symptoms


def _shifted(subject: Subject, found: Sequence[Column]) -> list[Symptom]:
    """Moved numbers, of single parameters and of pooled ones."""
    panel = subject.panel
    symptoms = []
    for shift in numeric_shift.shifts(found, panel.buckets, panel.start, subject.rate):
        column = found[shift.column]
        inside = (column.buckets >= shift.first) & (column.buckets <= shift.last) & (column.rows >= 0)
        if not inside.any():
            continue
        symptoms.append(
            _symptom(
                subject,
                column,
                AnomalyKind.NUMERIC_SHIFT,
                column.rows[inside],
                telling=_telling(column, inside, shift.ratio > 1),
                observed=round(shift.during, 4),
                expected=round(shift.before, 4),
                p_value=shift.p_value,
                why=numeric_shift.why(column, shift),
                alarming=_strain(column, shift),
                active=shift.last - shift.first + 1,
                effect=min(1.0, abs(float(np.log2(max(shift.ratio, 1e-6)))) / 4),
            )
        )
    return symptoms


def _runs(column: Column, alike: NDArray[np.bool_], away: int) -> list[NDArray[np.bool_]]:
    """The samples of a value, apart where it stayed away for `away` buckets; the `MOST_RUNS` largest, in order.

    A value that comes back an hour later is another event: one span over both would hide that all was well between.
    """
    at = np.flatnonzero(alike)
    at = at[np.argsort(column.buckets[at], kind="stable")]
    parts = np.split(at, np.flatnonzero(np.diff(column.buckets[at]) > away) + 1)
    chosen = sorted(parts, key=len, reverse=True)[:MOST_RUNS]
    masks = []
    for part in sorted(chosen, key=lambda part: int(column.buckets[part[0]])):
        mask = np.zeros(len(alike), dtype=np.bool_)
        mask[part] = True
        masks.append(mask)
    return masks


def _strain(column: Column, shift: numeric_shift.Shift) -> float:
    """How alarming a shift is: what grew of what hurts, and how far; what is delivered no longer.

    People notice a delay of a second (Nielsen 1993, chapter 5); below that a duration that grew is a strain.
    """
    if shift.ratio > 1:
        if not column.unit and not is_costly(column.name):
            return 0.0
        grown = min(1.0, float(np.log2(shift.ratio)) / 3.0)
        noticed = _noticed(column, shift) if column.unit else not is_duration(column.name)
        return (0.4 if noticed else 0.25) + 0.2 * grown
    return EMPTIED if shift.during == 0 < shift.before and is_amount(column.name) else 0.0


def _noticed(column: Column, shift: numeric_shift.Shift) -> bool:
    if column.milliseconds is None:
        return shift.during >= NOTICED
    inside = (column.buckets >= shift.first) & (column.buckets <= shift.last)
    return bool(np.nanquantile(column.milliseconds[inside], shift.quantile) >= NOTICED)


def _telling(column: Column, inside: NDArray[np.bool_], up: bool) -> NDArray[np.int64]:
    """Rows of the values that moved most, a third of those inside, in order."""
    assert column.numbers is not None
    at = np.flatnonzero(inside & ~np.isnan(column.numbers))
    order = np.argsort(column.numbers[at], kind="stable")
    chosen = at[order[::-1] if up else order][: max(3, len(at) // 3)]
    return column.rows[np.sort(chosen)]


def _symptom(
    subject: Subject,
    column: Column,
    kind: AnomalyKind,
    at: NDArray[np.int64],
    *,
    telling: NDArray[np.int64],
    observed: float | str,
    expected: float | str,
    p_value: float,
    why: str,
    alarming: float | None,
    active: int,
    effect: float,
) -> Symptom:
    panel = subject.panel
    rows = subject.table[at].sort("bucket", maintain_order=True)
    level = int(rows["severity"].max())  # type: ignore[arg-type]  # UInt8
    first, last = ("first_time", "last_time") if panel.timed else ("bucket", "bucket")
    start, end = int(rows[first].min()), int(rows[last].max())  # type: ignore[arg-type]  # Int64
    told = subject.table[telling].sort("bucket", maintain_order=True)
    message = str(told["sample"][0])
    if alarming is None:
        alarming = _alarm_of(column.name, str(observed), level)
    seconds = min(active * panel.width, end - start) / SECOND if panel.timed else 30.0 * active
    # The template that most of the telling records have: pooled durations are of several.
    template_id = int(told["template_id"].mode().min())  # type: ignore[arg-type]  # Int64
    template = subject.templates.get(template_id)
    anomaly = Anomaly(
        kind=kind,
        template_id=template_id,
        template=template.text if template else "",
        service=column.service,
        severity=level,
        observed=observed,
        expected=expected,
        score=score_of(p_value, 0.5 * alarming + 0.5 * effect),
        p_value=p_value,
        why=why,
        count=int(rows["count"].sum()),
        first_seen=to_datetime(start) if panel.timed else None,
        last_seen=to_datetime(end) if panel.timed else None,
    )
    return Symptom(
        anomaly=anomaly,
        alarm=alarming,
        weight=weigh(kind, alarming, p_value, float(len(rows)), seconds),
        timed=panel.timed,
        start=start,
        end=end,
        message=message,
        examples=places(told),
        trace_ids=frozenset(rows["trace_id"].drop_nulls().head(_TRACES).to_list()),
        mentions=mentions(message, subject.services, column.service),
    )


def _alarm_of(name: str, value: str, level: int) -> float:
    """How alarming a value is: its words, or what it says as a status code."""
    if new_value.is_status(name) and value.isdigit() and 100 <= int(value) <= 599:
        return alarm("", severity.of_http_status(int(value))) if int(value) >= 400 else 0.0
    return alarm(value, level) if words(value) else 0.0
