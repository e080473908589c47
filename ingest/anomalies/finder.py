"""Anomalies of one axis of a run: panel -> flags -> episodes -> symptoms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from core import severity
from core.domain import Anomaly, AnomalyKind, Citation, LogTemplate
from ingest.activity import to_datetime
from ingest.anomalies import missing_template, new_template, rare_template, rate_drop, rate_spike
from ingest.anomalies.episodes import Episode, episodes
from ingest.anomalies.judge import ALARMING, ERRORS, judge
from ingest.anomalies.panel import Panel
from ingest.anomalies.statistics import Floats, score_of
from ingest.anomalies.symptom import Symptom
from ingest.anomalies.symptoms import alarm
from ingest.counts import SECOND

LASTING: Final = 300.0
"""Seconds out of the normal from which a warning, or a fall, is no passing thing."""

_EXAMPLES = 3
_TRACES = 20


@dataclass(frozen=True)
class Subject:
    """What is looked at: the run's table of one axis, its panel, the templates, and the reference in words."""

    table: pl.DataFrame
    panel: Panel
    templates: Mapping[int, LogTemplate]
    services: frozenset[str]
    reference: str
    rate: float


class Facts:
    """Rows of the table by series, and what its messages say; read once, for all kinds of anomaly."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        panel = subject.panel
        grouped = (
            subject.table.lazy()
            .group_by("template_id", pl.col("service").cast(pl.String), "severity")
            .agg(pl.col("sample").drop_nulls().first())
            .collect()
        )
        samples = {(t, s, v): text or "" for t, s, v, text in grouped.iter_rows()}
        self.messages = [samples.get(key, "") for key in panel.series]
        self.alarms: Floats = np.array(
            [alarm(m or self.text(k[0]), k[2]) for m, k in zip(self.messages, panel.series, strict=True)]
        )

    @property
    def records(self) -> float:
        """Records in the judged window."""
        return float(self.subject.panel.counts[:, self.subject.panel.start :].sum())

    def text(self, template_id: int) -> str:
        template = self.subject.templates.get(template_id)
        return template.text if template else ""

    def rows(self, row: int, low: int, high: int) -> pl.DataFrame:
        """The table's rows of a series whose bucket starts in [low, high)."""
        template_id, service, level = self.subject.panel.series[row]
        same = pl.col("service").is_null() if service is None else pl.col("service") == service
        bucket = pl.col("bucket")
        return self.subject.table.filter(
            (pl.col("template_id") == template_id)
            & same
            & (pl.col("severity") == level)
            & (bucket >= low)
            & (bucket < high)
        ).sort("bucket", maintain_order=True)


def find(subject: Subject) -> tuple[list[Symptom], Facts]:
    """The symptoms of new, rare, more, fewer and missing templates, in order of start."""
    facts = Facts(subject)
    flags = judge(subject.panel, facts.alarms, subject.rate)
    return [_symptom(episode, facts) for episode in episodes(flags, subject.panel)], facts


def _symptom(episode: Episode, facts: Facts) -> Symptom:
    panel = facts.subject.panel
    template_id, service, level = panel.series[episode.row]
    low = int(panel.starts[episode.first])
    high = int(panel.starts[episode.last]) + panel.width
    rows = facts.rows(episode.row, low, high)
    start, end = low, high - 1
    down = episode.kind in (AnomalyKind.RATE_DROP, AnomalyKind.MISSING_TEMPLATE)
    message = facts.messages[episode.row]
    if not rows.is_empty() and not down:
        first, last = ("first_time", "last_time") if panel.timed else ("bucket", "bucket")
        start, end = int(rows[first].min()), int(rows[last].max())  # type: ignore[arg-type]  # Int64
        message = str(rows["sample"][0] or message)
    elif down:
        # Quoted is what is missing: the last records before it stopped.
        rows = facts.rows(episode.row, -(1 << 62), low).tail(_EXAMPLES)
    alarming = float(facts.alarms[episode.row])
    span = _span((episode.last - episode.first + 1) * panel.width, panel.timed)
    why, score = _words(episode, facts, span, severity.name(level), alarming)
    seen = (to_datetime(start), to_datetime(end)) if panel.timed else (None, None)
    anomaly = Anomaly(
        kind=episode.kind,
        template_id=template_id,
        template=facts.text(template_id),
        service=service,
        severity=level,
        observed=episode.observed,
        expected=round(episode.expected, 2),
        score=score,
        p_value=episode.p_value,
        why=why,
        count=int(episode.observed),
        first_seen=seen[0],
        last_seen=seen[1],
    )
    return Symptom(
        anomaly=anomaly,
        alarm=0.0 if down else alarming,
        weight=weigh(
            episode.kind,
            alarming,
            episode.p_value,
            abs(episode.observed - episode.expected),
            _lasted(episode, start, end, panel),
        ),
        timed=panel.timed,
        start=start,
        end=end,
        message=message,
        examples=places(rows),
        trace_ids=frozenset(rows["trace_id"].drop_nulls().head(_TRACES).to_list()),
        mentions=mentions(message, facts.subject.services, service),
    )


def _lasted(episode: Episode, start: int, end: int, panel: Panel) -> float:
    """Seconds out of the normal; on the order axis a bucket stands for half a minute."""
    if not panel.timed:
        return 30.0 * episode.active
    return min(episode.active * panel.width, end - start) / SECOND


def _words(episode: Episode, facts: Facts, span: str, level: str, alarming: float) -> tuple[str, float]:
    reference = facts.subject.reference
    observed, expected = episode.observed, episode.expected
    ratio = observed / expected if expected > 0 else 10.0
    match episode.kind:
        case AnomalyKind.NEW_TEMPLATE:
            return new_template.why(observed, reference, level), score_of(episode.p_value, 0.3 + 0.7 * alarming)
        case AnomalyKind.RARE_TEMPLATE:
            return rare_template.why(observed, episode.before, reference), score_of(
                episode.p_value, 0.2 + 0.7 * alarming
            )
        case AnomalyKind.RATE_SPIKE:
            return rate_spike.why(observed, expected, episode.p_value, span), score_of(
                episode.p_value, 0.5 * alarming + 0.5 * min(1.0, np.log2(max(1.0, ratio)) / 5)
            )
        case AnomalyKind.MISSING_TEMPLATE:
            return missing_template.why(expected, episode.p_value, span), score_of(episode.p_value, 1.0)
        case _:
            return rate_drop.why(observed, expected, episode.p_value, span), score_of(episode.p_value, 1.0 - ratio)


def weigh(kind: AnomalyKind, alarming: float, p_value: float, records: float, seconds: float) -> float:
    """How much an anomaly speaks for trouble, in [0, 1]: what the message says, how sure, how many, how long.

    `records` beyond the expected; `seconds` out of the normal. One error may be noise; warnings count when they last.
    """
    sure = min(1.0, -float(np.log10(max(p_value, 1e-12))) / 8.0)
    lasting = min(1.0, seconds / LASTING)
    if kind in (AnomalyKind.RATE_DROP, AnomalyKind.MISSING_TEMPLATE):
        if alarming >= ALARMING:
            return 0.0  # fewer complaints are no complaint
        return (0.55 if kind is AnomalyKind.MISSING_TEMPLATE else 0.4) * lasting * (0.4 + 0.6 * sure)
    if alarming < ALARMING:
        return 0.15 * (0.3 + 0.7 * sure)
    if alarming >= ERRORS:
        extent = min(1.0, 0.45 + 0.15 * float(np.log2(max(1.0, records))) + 0.3 * lasting)
    else:
        extent = 0.25 + 0.75 * lasting
    base = {AnomalyKind.NEW_TEMPLATE: 1.0, AnomalyKind.RARE_TEMPLATE: 0.9}.get(kind, 0.85)
    return base * alarming * (0.6 + 0.4 * sure) * extent


def places(rows: pl.DataFrame, limit: int = _EXAMPLES) -> tuple[Citation, ...]:
    """Some places of records in rows of the table: the first, and others spread over the rest."""
    if rows.is_empty():
        return ()
    picked = sorted({round(i * (len(rows) - 1) / max(1, limit - 1)) for i in range(limit)})
    chosen = rows[picked].select(pl.col("first_source").cast(pl.String), "first_position")
    found = [Citation(source, position) for source, position in chosen.iter_rows()]
    if len(found) < limit:
        last = rows[len(rows) - 1].select(pl.col("last_source").cast(pl.String), "last_position")
        found += [Citation(source, position) for source, position in last.iter_rows()]
    return tuple(dict.fromkeys(found))[:limit]


def mentions(message: str, services: frozenset[str], own: str | None) -> frozenset[str]:
    """Services that a message names, other than its own."""
    lower = message.lower()
    return frozenset(s for s in services if s != own and len(s) >= 3 and s.lower() in lower)


def _span(length: int, timed: bool) -> str:
    if not timed:
        return f"{length} records"
    return duration(timedelta(microseconds=length))


def duration(span: timedelta) -> str:
    """A span in words: `45 s`, `12 min`, `3.5 h`, `2 d`."""
    seconds = span.total_seconds()
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            value = seconds / unit
            return f"{value:.0f} {name}" if value >= 10 or value == round(value) else f"{value:.1f} {name}"
    return f"{seconds:g} s"


def strongest(symptoms: Sequence[Symptom]) -> float:
    """The largest weight, 0 where there are none."""
    return max((s.weight for s in symptoms), default=0.0)
