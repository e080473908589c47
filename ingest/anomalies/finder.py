"""Anomalies of one axis of a run: panel -> flags -> episodes -> symptoms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np

from core import severity
from core.domain import Anomaly, AnomalyKind
from ingest.activity import to_datetime
from ingest.anomalies import missing_template, new_template, rare_template, rate_drop, rate_spike
from ingest.anomalies.episodes import Episode, episodes
from ingest.anomalies.heartbeats import heartbeats
from ingest.anomalies.judge import judge
from ingest.anomalies.panel import Panel, Series, began_within, coarser
from ingest.anomalies.parameters import parameter_symptoms
from ingest.anomalies.statistics import score_of
from ingest.anomalies.subject import EXAMPLES, Facts, Subject, duration, mentions, places
from ingest.anomalies.symptom import Symptom
from ingest.anomalies.weight import weigh
from ingest.counts import SECOND

TROUBLE: Final = 0.3
"""Weight from which a symptom shows trouble, and wider buckets need not be asked."""

SCALES: Final = (1, 5, 20)
"""Widths that are judged, in the panel's buckets."""

WIDEST: Final = 300 * SECOND
"""Microseconds above which the widest view would hide where an incident begins and ends."""

LEAST_BUCKETS: Final = 8
"""Buckets of the window below which a wider view is none."""

AFTERMATH: Final = 0.1
"""Weight of what only shows that something is over."""

_DOWN: Final = (AnomalyKind.RATE_DROP, AnomalyKind.MISSING_TEMPLATE)
_TRACES = 20


def find(subject: Subject) -> tuple[list[Symptom], Facts]:
    """The symptoms of all kinds of anomaly, in order of start."""
    facts = Facts(subject)
    panel = subject.panel
    found = _of_counts(facts)
    missed = {
        s.anomaly.template_id for s in found if s.anomaly.kind is AnomalyKind.MISSING_TEMPLATE and s.weight >= TROUBLE
    }
    found += [s for s in heartbeats(facts) if s.anomaly.template_id not in missed]
    found += parameter_symptoms(subject)
    return sorted(_without_aftermath(found, panel), key=lambda s: (s.start, s.anomaly.template_id)), facts


def _of_counts(facts: Facts) -> list[Symptom]:
    """Symptoms of changed rates, at several widths: of each series those at the narrowest that shows trouble."""
    panel = facts.subject.panel
    best: dict[Series, list[Symptom]] = {}
    for factor in SCALES:
        view = panel if factor == 1 else coarser(panel, factor)
        if view.buckets - view.start < LEAST_BUCKETS or (factor > 5 and view.timed and view.width > WIDEST):
            break
        of_series: dict[Series, list[Symptom]] = {}
        for episode in episodes(judge(view, facts.alarms, facts.subject.rate), view, facts.alarms):
            of_series.setdefault(view.series[episode.row], []).append(_symptom(episode, facts, view))
        for series, symptoms in of_series.items():
            shown = max((s.weight for s in best.get(series, ())), default=-1.0)
            # A wide bucket has more to say of what is sparse, and nothing new of what a narrow one has shown.
            if shown < TROUBLE and max(s.weight for s in symptoms) > shown:
                best[series] = symptoms
    return [symptom for symptoms in best.values() for symptom in symptoms]


def _without_aftermath(found: list[Symptom], panel: Panel) -> list[Symptom]:
    """The symptoms; the end of a message that began in the midst of the input is the end of an episode, not news."""
    # A template that has several severities is old where one of them is.
    young: dict[tuple[int, str | None], bool] = {}
    for (template_id, service, _), born in zip(panel.series, began_within(panel).tolist(), strict=True):
        young[template_id, service] = young.get((template_id, service), True) and born

    def ends(symptom: Symptom) -> bool:
        key = symptom.anomaly.template_id, symptom.anomaly.service
        return symptom.anomaly.kind in _DOWN and young.get(key, False)

    return [replace(s, weight=min(s.weight, AFTERMATH)) if ends(s) else s for s in found]


def _symptom(episode: Episode, facts: Facts, panel: Panel) -> Symptom:
    template_id, service, level = panel.series[episode.row]
    low = int(panel.starts[episode.first])
    high = int(panel.starts[episode.last]) + panel.width
    rows = facts.rows(episode.row, low, high)
    start, end = low, high - 1
    down = episode.kind in _DOWN
    message = facts.messages[episode.row]
    if not rows.is_empty() and not down:
        first, last = ("first_time", "last_time") if panel.timed else ("bucket", "bucket")
        start, end = int(rows[first].min()), int(rows[last].max())  # type: ignore[arg-type]  # Int64
        message = str(rows["sample"][0] or message)
    elif down:
        # Quoted is what is missing: the last records before it stopped.
        rows = facts.rows(episode.row, -(1 << 62), low).tail(EXAMPLES)
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
        weight=_on_its_own(episode, panel)
        * weigh(
            episode.kind,
            alarming,
            episode.p_value,
            abs(episode.observed - episode.expected),
            _lasted(episode, start, end, panel),
            episode.observed / max(episode.expected, 0.5),
        ),
        timed=panel.timed,
        start=start,
        end=end,
        message=message,
        examples=places(rows),
        trace_ids=frozenset(rows["trace_id"].drop_nulls().head(_TRACES).to_list()),
        mentions=mentions(message, facts.subject.services, service),
    )


def _on_its_own(episode: Episode, panel: Panel) -> float:
    """A factor: how far an episode can speak for trouble by its place alone.

    What begins in the first tenth of a log without reference, and lasts, is how the system works. Where records are
    the clock, as in a job's log without times, a message that stops says no more than that others go on.
    """
    if not panel.timed and episode.kind in _DOWN:
        return AFTERMATH
    length = panel.buckets - panel.own
    early = episode.first - panel.own < 0.12 * length and panel.own == 0
    return 0.3 if early and episode.last - episode.first > 0.6 * length else 1.0


def _lasted(episode: Episode, start: int, end: int, panel: Panel) -> float:
    """Seconds out of the normal; on the order axis a bucket stands for half a minute.

    A record speaks for its bucket and those beside it: what fails once a minute fails all the while.
    """
    if not panel.timed:
        return 30.0 * episode.active
    return min(3 * episode.active * panel.width, end - start) / SECOND


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


def _span(length: int, timed: bool) -> str:
    if not timed:
        return f"{length} records"
    return duration(timedelta(microseconds=length))
