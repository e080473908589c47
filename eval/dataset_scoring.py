"""Scores that need the whole dataset: does a text find the case's own labelled cause? And templates of Loghub CSVs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from eval.datasets import Case, Dataset
from eval.labels import read_labels, read_templates
from eval.metrics_templates import fga, fta, grouping_accuracy, parsing_accuracy
from eval.scoring import Rows, ranked_suspects, score_case
from eval.similar import document_of
from eval.system import Outcome
from eval.text import cosine_ranks, inverse_document_frequency, terms

FEWEST_CAUSES: Final = 5
_LOG_BYTES: Final = 320_000
_SUSPECTS: Final = 5


def score_dataset(dataset: Dataset, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Rows]]:
    """Case id -> family -> rows, for the cases that have an outcome."""
    scores = {
        case.case_id: score_case(case, dataset, outcomes[case.case_id])
        for case in dataset.cases
        if case.case_id in outcomes
    }
    for case_id, rows in _cause_texts(dataset, outcomes).items():
        scores[case_id].update(rows)
    return scores


def score_templates(
    case: Case, dataset: Dataset, assigned: Sequence[tuple[str, str]] | None, seconds: float
) -> dict[str, Rows]:
    """Rows of one Loghub CSV; `assigned` None is a failure."""
    rows: dict[str, Rows] = {"failures": [[float(assigned is None)]], "seconds": [[seconds]]}
    _, templates = read_templates(case, dataset.root)
    if assigned is None or len(assigned) != len(templates):
        rows["failures"], rows["templates"] = [[1.0]], [[0.0, 0.0, 0.0, 0.0]]
        return rows
    ids, texts = [each for each, _ in assigned], [text for _, text in assigned]
    rows["templates"] = [
        [
            grouping_accuracy(ids, templates),
            fga(ids, templates),
            parsing_accuracy(texts, templates),
            fta(texts, templates),
        ]
    ]
    return rows


def _cause_texts(dataset: Dataset, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Rows]]:
    """Rank of each case's own labelled cause among all causes of the dataset, asked with the suspects and the document.

    The idf comes from the logs themselves, so that it is the same for every system.
    """
    chosen: list[Case] = []
    causes: list[str] = []
    for case in dataset.cases:
        labels = read_labels(case, dataset.root) if case.case_id in outcomes and case.input.logs else None
        if labels and labels.root_cause and labels.root_cause.text:
            chosen.append(case)
            causes.append(labels.root_cause.text)
    if len(chosen) < FEWEST_CAUSES:
        return {}
    texts = [terms(cause) for cause in causes]
    idf = _idf_of_logs(tuple(case.input.logs for case in chosen))
    found: dict[str, dict[str, Rows]] = {case.case_id: {} for case in chosen}
    queries = {
        "cause_text": [suspects_text(outcomes[case.case_id]) for case in chosen],
        "document_text": [document_of(case, outcomes[case.case_id]).text for case in chosen],
    }
    for family, asked in queries.items():
        for case, rank in zip(chosen, cosine_ranks([terms(q) for q in asked], texts, idf), strict=True):
            found[case.case_id][family] = [[float(rank)]]
    return found


def suspects_text(outcome: Outcome) -> str:
    """What the first five suspects say: cause, names and quoted lines."""
    parts: list[str] = []
    for suspect in ranked_suspects(outcome.prediction.incidents)[:_SUSPECTS]:
        named = (suspect.cause, suspect.service, suspect.component, suspect.function, suspect.fault_type)
        parts.extend(part.replace("_", " ") for part in named if part)
        parts.extend(evidence.text for evidence in suspect.evidence)
    return "\n".join(parts)


@lru_cache(maxsize=8)
def _idf_of_logs(logs: tuple[tuple[Path, ...], ...]) -> Mapping[str, float]:
    """idf of the words of some cases' logs (the start of each, which is enough for statistics). The same for every
    system, hence computed once."""
    return inverse_document_frequency(terms(_log_text(paths)).keys() for paths in logs)


def _log_text(paths: tuple[Path, ...]) -> str:
    parts = []
    for path in paths:
        with path.open("rb") as source:
            parts.append(source.read(_LOG_BYTES // len(paths)).decode("utf-8", errors="replace"))
    return "\n".join(parts)
