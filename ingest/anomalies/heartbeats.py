"""Symptoms of missed heartbeats: series that keep a rhythm, and then do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from core.domain import Anomaly, AnomalyKind
from ingest.activity import to_datetime
from ingest.anomalies.missing_template import LEAST_BEATS, silence, why_silent
from ingest.anomalies.panel import began_within
from ingest.anomalies.statistics import score_of
from ingest.anomalies.subject import EXAMPLES, Facts, duration, mentions, places
from ingest.anomalies.symptom import Symptom
from ingest.anomalies.weight import weigh
from ingest.counts import SECOND

MOST_BEATS: Final = 2000
"""Rows of one series above which it is no heartbeat but traffic, which `rate_drop` watches."""

LEAST_PERIODS: Final = 4.0
"""Periods that a silence lasts before it counts."""


def heartbeats(facts: Facts) -> list[Symptom]:
    """Silences in the judged window of harmless series that kept a rhythm; none where the log has no times."""
    subject, panel = facts.subject, facts.subject.panel
    if not panel.timed or subject.table.is_empty():
        return []
    since = int(panel.starts[panel.start]) if panel.start < panel.buckets else 0
    groups = (
        subject.table.with_columns(pl.col("service").cast(pl.String))
        .group_by("template_id", "service", maintain_order=True)
        .agg(pl.col("first_time"), pl.col("severity").max(), pl.len().alias("rows"))
        .filter(pl.col("rows").is_between(LEAST_BEATS, MOST_BEATS))
    )
    end = float(subject.table["last_time"].max())  # type: ignore[arg-type]  # Int64
    # Messages of restarts keep the rhythm of a crash loop, and debug messages that of what is debugged.
    always = {(t, s) for (t, s, _), young in zip(panel.series, began_within(panel), strict=True) if not young}
    alarms: dict[tuple[int, str | None], float] = {}
    for (template_id, service, _), alarm in zip(panel.series, facts.alarms.tolist(), strict=True):
        alarms[template_id, service] = max(alarm, alarms.get((template_id, service), 0.0))
    found = []
    for template_id, service, times, level, _ in groups.iter_rows():
        if alarms.get((template_id, service), 0.0) >= 0.35:
            continue
        missed = silence(np.sort(np.array(times, dtype=np.float64)), end)
        if missed is None or missed.end < since or missed.end - missed.start < LEAST_PERIODS * missed.period:
            continue
        if missed.period < 2 * SECOND or (template_id, service) not in always:
            continue
        start, last = int(missed.start + missed.period), int(missed.end)
        rows = subject.table.filter(
            (pl.col("template_id") == template_id)
            & pl.col("service").cast(pl.String).eq_missing(pl.lit(service, dtype=pl.String))
            & (pl.col("first_time") <= missed.start)
        ).sort("bucket", maintain_order=True)
        expected = (missed.end - missed.start) / missed.period
        span = duration(timedelta(seconds=round((missed.end - missed.start) / SECOND)))
        period = duration(timedelta(seconds=round(missed.period / SECOND)))
        message = str(rows["sample"][-1])
        anomaly = Anomaly(
            kind=AnomalyKind.MISSING_TEMPLATE,
            template_id=template_id,
            template=facts.text(template_id),
            service=service,
            severity=level,
            observed=0.0,
            expected=round(expected, 1),
            score=score_of(missed.p_value, 1.0),
            p_value=missed.p_value,
            why=why_silent(period, missed.beats, span),
            count=0,
            first_seen=to_datetime(start),
            last_seen=to_datetime(last),
        )
        weight = weigh(AnomalyKind.MISSING_TEMPLATE, 0.0, missed.p_value, expected, (last - start) / SECOND)
        found.append(
            Symptom(
                anomaly=anomaly,
                alarm=0.0,
                weight=weight,
                timed=True,
                start=start,
                end=last,
                message=message,
                examples=places(rows.tail(EXAMPLES)),
                mentions=mentions(message, subject.services, service),
            )
        )
    return found
