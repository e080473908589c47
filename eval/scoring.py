"""Outcomes against labels: the rows that metrics are estimated from. Nothing here runs a system.

A case that ended with an error has an empty prediction and counts as wrong in every family that its labels allow: a
healthy case as alarmed, an unflagged line as missed, a citation as broken. It is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from core.domain import Category
from eval import metrics_retrieval as retrieval
from eval.datasets import Case, Dataset
from eval.labels import Labels, RootCause, TrueIncident, read_labels
from eval.metrics_cause import normal_service, normal_word, rank_of
from eval.metrics_citations import resolved
from eval.metrics_detection import average_precision, count, window_numbers
from eval.metrics_streams import Span, StreamMatch, match_stream
from eval.system import Outcome, PredictedIncident, PredictedSuspect, Prediction

WINDOW: Final = timedelta(minutes=5)
"""Width of the windows in which streams are judged."""

Rows = list[list[float]]
_CATEGORIES: Final = frozenset(category.value for category in Category)
"""A category outside this vocabulary cannot be predicted and is not scored."""
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def score_case(case: Case, dataset: Dataset, outcome: Outcome) -> dict[str, Rows]:
    """Family -> rows of one case. Families without a label are absent."""
    labels = read_labels(case, dataset.root)
    crashed = outcome.error is not None
    rows: dict[str, Rows] = {"failures": [[float(crashed)]], "seconds": [[outcome.seconds]]}
    rows.update(_retrieval(case, dataset, labels, outcome))
    if outcome.known_item_rank is not None:
        rows["known_item"] = [[float(outcome.known_item_rank)]]
    if not case.input.logs:
        return rows
    prediction = outcome.prediction
    rows.update(_lines(labels, prediction, crashed))
    rows.update(_sessions(labels, prediction, crashed))
    if labels.is_incident is False:
        rows["healthy"] = [[float(not prediction.incidents and not crashed)]]
    if labels.incidents is None:
        rows.update(_single(labels, prediction, crashed))
    else:
        rows.update(_stream(case, labels, prediction, crashed))
    citations = _citations(case, dataset, prediction)
    if crashed:
        rows["citations"] = [[0.0, 1.0]]
    elif citations:
        rows["citations"] = [[float(sum(citations)), float(len(citations))]]
    return rows


def ranked_suspects(incidents: Sequence[PredictedIncident]) -> list[PredictedSuspect]:
    """The suspects of some incidents in one list: by score, then by the order of incidents, then by rank."""
    return [
        suspect
        for _, _, _, suspect in sorted(
            (
                (-suspect.score, number, suspect.rank, suspect)
                for number, incident in enumerate(incidents)
                for suspect in incident.suspects
            ),
            key=lambda each: each[:3],
        )
    ]


def case_value(rows: Mapping[str, Rows]) -> float | None:
    """How well a case went, in [0, 1]: the mean of what was scored. Orders reports by the worst case; not a metric."""
    values: list[float] = []
    for family in ("lines", "sessions", "windows"):
        for tp, fp, fn in [[sum(column) for column in zip(*rows[family], strict=True)]] if family in rows else []:
            values.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0)
    for family in ("cause_service", "cause_component", "cause_function", "cause_fault_type", "cause_category"):
        for row in rows.get(family, []):
            values.append(1 / row[0] if row[0] else 0.0)
    for row in rows.get("streams", []):
        values.append(row[7])
        values.append(row[1] / row[0] if row[0] else float(row[2] == 0))
    values.extend(row[4] for row in rows.get("retrieval", []))
    values.extend(
        1 / row[0] if row[0] else 0.0 for family in ("cause_text", "known_item") for row in rows.get(family, [])
    )
    values.extend(row[0] for family in ("healthy", "templates") for row in rows.get(family, []))
    return sum(values) / len(values) if values else None


def _lines(labels: Labels, prediction: Prediction, crashed: bool) -> Iterator[tuple[str, Rows]]:
    if labels.anomalous_lines is None:
        return
    tp, fp, fn = count(prediction.anomalous_lines, labels.anomalous_lines)
    # A crash on a log without labelled lines must not look like a correct silence.
    yield "lines", [[tp, fp, fn or 1] if crashed else [tp, fp, fn]]
    scores = prediction.line_scores or dict.fromkeys(prediction.anomalous_lines, 1.0)
    yield "line_ranking", [[0.0 if crashed else average_precision(scores, labels.anomalous_lines)]]
    if labels.annotator2 is not None:
        yield "lines_annotator2", [list(map(float, count(labels.annotator2, labels.anomalous_lines)))]


def _sessions(labels: Labels, prediction: Prediction, crashed: bool) -> Iterator[tuple[str, Rows]]:
    if not labels.sessions:
        return
    flagged = set(prediction.anomalous_sessions)
    rows = []
    for key, anomalous in labels.sessions.items():
        said = not anomalous if crashed else key in flagged
        rows.append([float(said and anomalous), float(said and not anomalous), float(anomalous and not said)])
    yield "sessions", rows


def _single(labels: Labels, prediction: Prediction, crashed: bool) -> Iterator[tuple[str, Rows]]:
    """A case that is one window: is there an incident, when did it start, and what caused it?"""
    if labels.is_incident is not None:
        said = not labels.is_incident if crashed else bool(prediction.incidents)
        yield "windows", [_outcome(said, labels.is_incident)]
    if labels.is_incident and prediction.incidents:
        yield "fragments", [[float(len(prediction.incidents))]]
        starts = [incident.starts_at for incident in prediction.incidents if incident.starts_at]
        if labels.onset and starts:
            yield "onset", [[abs((min(starts) - labels.onset).total_seconds())]]
    if labels.root_cause and labels.is_incident is not False:
        suspects = ranked_suspects(prediction.incidents)
        for family, row in _cause(labels.root_cause, suspects):
            yield family, [row]


def _outcome(said: bool, true: bool) -> list[float]:
    return [float(said and true), float(said and not true), float(true and not said)]


def _cause(cause: RootCause, suspects: Sequence[PredictedSuspect]) -> Iterator[tuple[str, list[float]]]:
    ranks = {
        name: rank_of(name, [getattr(suspect, name) for suspect in suspects], values)
        for name, values in cause.values.items()
        if name != "category" or any(normal_word(value) in _CATEGORIES for value in values)
    }
    for name, rank in ranks.items():
        yield f"cause_{name}", [float(rank)]
    judged = [ranks[name] for name in ("service", "fault_type") if name in ranks] or list(ranks.values())[:1]
    if judged:
        confidence = min(1.0, max(0.0, suspects[0].score)) if suspects else 0.0
        yield "calibration", [confidence, float(all(rank == 1 for rank in judged))]


def _stream(case: Case, labels: Labels, prediction: Prediction, crashed: bool) -> dict[str, Rows]:
    """A case with labelled incidents in time."""
    true = labels.incidents or ()
    start, end = case.input.window_start or _EARLIEST, case.input.window_end or _LATEST
    spans = [_true_span(incident, end) for incident in true]
    found = [_predicted_span(incident, start, end) for incident in prediction.incidents]
    grey = [Span(low, high) for low, high in labels.grey]
    match = match_stream(spans, found, grey)
    counted = len(found) - match.ignored
    complete = match.clean and match.missed == 0 and match.false == 0 and not crashed
    rows: dict[str, Rows] = {
        "streams": [
            [
                len(true),
                match.found,
                counted,
                match.false,
                match.split,
                match.merged,
                match.clean and not crashed,
                complete,
            ]
        ]
    }
    if crashed and not true:
        rows["streams"] = [[0, 0, 1, 1, 0, 0, 0, 0]]
    rows["streams"] = [[float(value) for value in row] for row in rows["streams"]]
    if match.delays:
        rows["delay"] = [[delay] for delay in match.delays]
    if case.input.window_start and case.input.window_end:
        rows["windows"] = _windows(case.input.window_start, case.input.window_end, spans, found, grey, crashed)
    for family, row in _stream_causes(labels, true, prediction, match):
        rows.setdefault(family, []).append(row)
    return rows


def _stream_causes(
    labels: Labels, true: Sequence[TrueIncident], prediction: Prediction, match: StreamMatch
) -> Iterator[tuple[str, list[float]]]:
    causes = [incident.root_cause for incident in true]
    if not any(causes) and labels.root_cause and labels.is_incident is not False:
        yield from _cause(labels.root_cause, ranked_suspects(prediction.incidents))
        return
    for number, cause in enumerate(causes):
        if cause is None:
            continue
        chosen = [match.pairs[number]] if number in match.pairs else match.touching[number]
        yield from _cause(cause, ranked_suspects([prediction.incidents[p] for p in chosen]))


def _true_span(incident: TrueIncident, end: datetime) -> Span:
    services = incident.root_cause.values.get("service", ()) if incident.root_cause else ()
    return Span(incident.starts_at, incident.ends_at or end, frozenset(map(normal_service, services)))


def _predicted_span(incident: PredictedIncident, start: datetime, end: datetime) -> Span:
    """An incident without times spans the whole window."""
    services = frozenset(map(normal_service, incident.services))
    if incident.starts_at is None:
        return Span(start, end, services)
    return Span(incident.starts_at, max(incident.starts_at, incident.ends_at or incident.starts_at), services)


def _windows(
    start: datetime, end: datetime, true: Sequence[Span], found: Sequence[Span], grey: Sequence[Span], crashed: bool
) -> Rows:
    def numbers(spans: Sequence[Span]) -> set[int]:
        return window_numbers([(span.start, span.end) for span in spans], start, end, WINDOW)

    labelled, flagged = numbers(true), numbers(found)
    scored = set(range(max(1, -(-(end - start) // WINDOW)))) - (numbers(grey) - labelled)
    if crashed:
        flagged = scored - labelled
    return [_outcome(number in flagged, number in labelled) for number in sorted(scored)]


def _citations(case: Case, dataset: Dataset, prediction: Prediction) -> list[bool]:
    files = {entry: dataset.root / entry for entry in case.relative(dataset.root).values()}
    evidence = [each for incident in prediction.incidents for suspect in incident.suspects for each in suspect.evidence]
    return resolved(evidence, files)


def _retrieval(case: Case, dataset: Dataset, labels: Labels, outcome: Outcome) -> Iterator[tuple[str, Rows]]:
    reachable = {
        other.case_id
        for other in dataset.cases
        if other is not case and other.pool == case.pool and (case.group is None or other.group != case.group)
    }
    ranked = [] if outcome.error is not None else [similar.case_id for similar in outcome.similar]
    for family, ids in (("retrieval", labels.related), ("retrieval_other_service", labels.related_other_service)):
        relevant = reachable & set(ids)
        if relevant:
            yield (
                family,
                [
                    [
                        retrieval.hit_at_k(ranked, relevant, 1),
                        retrieval.hit_at_k(ranked, relevant, 5),
                        retrieval.recall_at_k(ranked, relevant, 5),
                        retrieval.recall_at_k(ranked, relevant, 10),
                        retrieval.reciprocal_rank(ranked, relevant),
                        retrieval.ndcg_at_k(ranked, relevant, 10),
                    ]
                ],
            )
