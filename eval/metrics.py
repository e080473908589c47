"""The table of metrics: name, definition, direction, and how each is estimated from the rows of `eval.scoring`.

A *family* is a matrix with one row per scored thing and case (a line count, a session, a labelled cause ...). A
metric is a function of the rows of its family, so that the bootstrap can draw rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eval import metrics_calibration as calibration
from eval.metrics_detection import f1, precision, recall

Rows = NDArray[np.float64]
Estimator = Callable[[Rows], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. `higher_is_better` None: a fact to read, not a score."""

    name: str
    family: str
    estimate: Estimator
    definition: str
    higher_is_better: bool | None = True


def _micro(value: Callable[[float, float, float], float]) -> Estimator:
    def estimate(rows: Rows) -> float:
        tp, fp, fn = rows.sum(axis=0)
        return value(tp, fp, fn)

    return estimate


def _macro(value: Callable[[float, float, float], float]) -> Estimator:
    def estimate(rows: Rows) -> float:
        return float(np.mean([value(tp, fp, fn) for tp, fp, fn in rows]))

    return estimate


def _macro_f1(rows: Rows) -> float:
    total = 2 * rows[:, 0] + rows[:, 1] + rows[:, 2]
    return float(np.mean(np.where(total > 0, 2 * rows[:, 0] / np.maximum(total, 1), 1.0)))


def _mean(column: int = 0) -> Estimator:
    return lambda rows: float(rows[:, column].mean())


def _median(rows: Rows) -> float:
    return float(np.median(rows[:, 0]))


def _share(part: int, whole: int, empty: float) -> Estimator:
    def estimate(rows: Rows) -> float:
        total = rows[:, whole].sum()
        return float(rows[:, part].sum() / total) if total else empty

    return estimate


def _accuracy_at(k: int) -> Estimator:
    return lambda rows: float(np.mean((rows[:, 0] >= 1) & (rows[:, 0] <= k)))


def _mrr(rows: Rows) -> float:
    return float(np.mean(np.where(rows[:, 0] >= 1, 1 / np.maximum(rows[:, 0], 1), 0.0)))


def _stream_f1(rows: Rows) -> float:
    true, found, predicted, false = rows[:, :4].sum(axis=0)
    right = found / true if true else float(predicted == 0)
    exact = 1 - false / predicted if predicted else float(true == 0)
    return 2 * right * exact / (right + exact) if right + exact else 0.0


def _calibrated(value: Callable[[Rows, Rows], float]) -> Estimator:
    return lambda rows: value(rows[:, 0], rows[:, 1])


def _detection(family: str, thing: str, macro: bool) -> list[Metric]:
    found = [
        Metric(f"{thing}_precision", family, _micro(precision), f"share of flagged {thing}s that are labelled (micro)"),
        Metric(f"{thing}_recall", family, _micro(recall), f"share of labelled {thing}s that are flagged (micro)"),
        Metric(f"{thing}_f1", family, _micro(f1), f"harmonic mean of the two (micro: over all {thing}s together)"),
    ]
    if macro:
        found += [
            Metric(
                f"{thing}_precision_macro", family, _macro(precision), f"{thing} precision of a case, mean over cases"
            ),
            Metric(f"{thing}_recall_macro", family, _macro(recall), f"{thing} recall of a case, mean over cases"),
            Metric(f"{thing}_f1_macro", family, _macro_f1, f"{thing} F1 of a case, mean over cases"),
        ]
    return found


def _cause(attribute: str) -> list[Metric]:
    family = f"cause_{attribute}"
    return [
        *(
            Metric(
                f"{attribute}_accuracy@{k}", family, _accuracy_at(k), f"{attribute} right in the first {k} suspect(s)"
            )
            for k in (1, 3, 5)
        ),
        Metric(f"{attribute}_mrr", family, _mrr, f"mean of 1 / rank of the first suspect with the right {attribute}"),
    ]


def _retrieval(family: str, prefix: str, what: str) -> list[Metric]:
    return [
        Metric(f"{prefix}hit@1", family, _mean(0), f"share of cases whose first neighbour is {what}"),
        Metric(f"{prefix}hit@5", family, _mean(1), f"share of cases with one of 5 neighbours that is {what}"),
        Metric(f"{prefix}recall@5", family, _mean(2), f"share of all that are {what} found in 5 neighbours"),
        Metric(f"{prefix}recall@10", family, _mean(3), f"share of all that are {what} found in 10 neighbours"),
        Metric(f"{prefix}mrr", family, _mean(4), f"mean of 1 / rank of the first neighbour that is {what}"),
        Metric(f"{prefix}ndcg@10", family, _mean(5), "normalised discounted cumulative gain of 10 neighbours"),
    ]


def _ranked_text(family: str, what: str) -> list[Metric]:
    definition = f"the case's own labelled cause text is among the first {{}} of all causes by TF-IDF cosine to {what}"
    return [Metric(f"{family}_hit@{k}", family, _accuracy_at(k), definition.format(k)) for k in (1, 5)]


_ALL: Final[tuple[Metric, ...]] = (
    *_detection("lines", "line", macro=True),
    Metric(
        "line_average_precision", "line_ranking", _mean(), "area under precision-recall of line_scores, mean over cases"
    ),
    Metric(
        "line_f1_macro_second_annotator",
        "lines_annotator2",
        _macro_f1,
        "line F1 of a second person against the first: what a reader agrees on",
        None,
    ),
    *_detection("sessions", "session", macro=False),
    *_detection("windows", "window", macro=False),
    Metric("stream_recall", "streams", _share(1, 0, 1.0), "share of labelled incidents that are found"),
    Metric("stream_false_share", "streams", _share(3, 2, 0.0), "share of predicted incidents that are false", False),
    Metric("stream_f1", "streams", _stream_f1, "harmonic mean of stream recall and 1 - false share"),
    Metric("stream_split", "streams", _mean(4), "split incidents per stream", False),
    Metric("stream_merged", "streams", _mean(5), "merged incidents per stream", False),
    Metric("stream_clean", "streams", _mean(6), "share of streams with no split and no merged incident"),
    Metric("stream_exact", "streams", _mean(7), "share of streams with all found, none split, merged or false"),
    Metric(
        "time_to_detect_seconds", "delay", _median, "median seconds from the labelled start to the found start", False
    ),
    Metric("onset_error_seconds", "onset", _median, "median distance of the first incident's start to onset", False),
    Metric(
        "incidents_per_fault",
        "fragments",
        _mean(),
        "incidents predicted where there is one fault and one was found",
        False,
    ),
    *(metric for name in ("service", "component", "function", "fault_type", "category") for metric in _cause(name)),
    Metric(
        "brier", "calibration", _calibrated(calibration.brier), "mean squared error of the first suspect's score", False
    ),
    Metric(
        "ece",
        "calibration",
        _calibrated(calibration.expected_calibration_error),
        "expected calibration error of the first suspect's score, 10 bins",
        False,
    ),
    Metric(
        "aurc",
        "calibration",
        _calibrated(calibration.aurc),
        "area under risk-coverage by the first suspect's score",
        False,
    ),
    Metric("healthy_accuracy", "healthy", _mean(), "share of healthy cases with no incident"),
    Metric("citations_resolved", "citations", _share(0, 1, 1.0), "share of citations that resolve to that line"),
    *_retrieval("retrieval", "", "related"),
    *_retrieval("retrieval_other_service", "other_service_", "the same cause on another service"),
    *_ranked_text("cause_text", "the suspects' text"),
    *_ranked_text("document_text", "the case's document"),
    Metric("known_item_hit@1", "known_item", _accuracy_at(1), "share of documents that their own symptom finds first"),
    Metric("known_item_mrr", "known_item", _mrr, "mean of 1 / rank of a document for its own symptom"),
    Metric("grouping_accuracy", "templates", _mean(0), "GA: messages grouped exactly as labelled, mean over systems"),
    Metric("fga", "templates", _mean(1), "F1 of exactly right groups, mean over systems"),
    Metric("parsing_accuracy", "templates", _mean(2), "PA: messages with the labelled template, mean over systems"),
    Metric("fta", "templates", _mean(3), "F1 of exactly right templates, mean over systems"),
    Metric("failed", "failures", _mean(), "share of cases that ended with an error", False),
    Metric("seconds", "seconds", _mean(), "mean seconds per case", None),
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _ALL}
"""Every metric by name, in the order of reports."""
