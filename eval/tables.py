"""What a report of a run shows, before it has a form: tables of text, the worst cases, the failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval.bootstrap import Estimate
from eval.datasets import Case
from eval.labels import ATTRIBUTES, Labels, read_labels
from eval.metrics import METRICS, Rows
from eval.runner import DatasetResult, SystemResult
from eval.scoring import case_value, ranked_suspects
from eval.system import Outcome

WORST: Final = 20
_BREAKDOWN: Final = (
    "healthy_accuracy",
    "window_f1",
    "line_f1_macro",
    "stream_recall",
    "stream_clean",
    "service_accuracy@1",
    "fault_type_accuracy@1",
    "component_accuracy@1",
    "hit@1",
)
HEADLINES: Final = (
    "line_f1_macro",
    "session_f1",
    "window_f1",
    "stream_f1",
    "stream_clean",
    "healthy_accuracy",
    "service_accuracy@1",
    "component_accuracy@1",
    "function_accuracy@1",
    "fault_type_accuracy@1",
    "category_accuracy@1",
    "citations_resolved",
    "cause_text_hit@1",
    "hit@1",
    "hit@5",
    "other_service_hit@5",
    "known_item_hit@1",
    "grouping_accuracy",
    "fga",
    "parsing_accuracy",
    "fta",
)
"""The metrics that are drawn."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; the first column names the row."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A case of the measured system: what was expected and what came. `report` is a relative link, where there is
    one."""

    case_id: str
    value: float
    expected: str
    predicted: str
    report: str | None


def format_estimate(estimate: Estimate | None) -> str:
    """`0.812 [0.74, 0.88]`; a dash where nothing was measured."""
    if estimate is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def metric_table(result: DatasetResult) -> Table:
    """One row per metric, one column per system that has any, and how many cases it rests on."""
    systems = [each for each in result.systems if each.metrics]
    names = [name for name in METRICS if any(name in each.metrics for each in systems)]
    rows = []
    for name in names:
        held = [each.metrics.get(name) for each in systems]
        count = max(each.cases for each in held if each)
        rows.append((name, str(count), *map(format_estimate, held)))
    return Table(("metric", "cases", *(each.system for each in systems)), tuple(rows))


def summary_table(result: DatasetResult) -> Table:
    """The measured system and, per metric, the best of the others: narrow enough for a terminal."""
    first, *others = result.systems
    rows = []
    for name, estimate in first.metrics.items():
        direction = METRICS[name].higher_is_better
        held = [(each.metrics[name].value, each.system) for each in others if name in each.metrics]
        best = ""
        if held and direction is not None:
            value, system = max(held) if direction else min(held)
            best = f"{value:.3f} {system.removeprefix('baseline:')}"
        rows.append((name, str(estimate.cases), format_estimate(estimate), best))
    return Table(("metric", "cases", first.system, "best baseline"), tuple(rows))


def breakdown_table(result: DatasetResult) -> Table | None:
    """The measured system by kind of case: the labelled `traits` of a case, and its fault type. None where all cases
    are of one kind, or have no kind.
    """
    system = result.systems[0]
    groups: dict[str, list[str]] = {}
    for case in result.dataset.cases:
        for name in _kinds(case, result):
            groups.setdefault(name, []).append(case.case_id)
    if len(groups) < 2:
        return None
    names = [name for name in _BREAKDOWN if name in system.metrics]
    rows = []
    for group in sorted(groups):
        values = []
        for name in names:
            data = _group_rows(system, groups[group], METRICS[name].family)
            values.append(f"{METRICS[name].estimate(data):.3f}" if len(data) else "–")
        rows.append((group, str(len(groups[group])), *values))
    return Table(("kind of case", "cases", *names), tuple(rows))


def _kinds(case: Case, result: DatasetResult) -> list[str]:
    if "csv" in case.fields:
        return []
    traits = case.fields.get("traits")
    kinds = [f"trait {each}" for each in traits if isinstance(each, str)] if isinstance(traits, list) else []
    labels = read_labels(case, result.dataset.root)
    causes = [labels.root_cause, *(incident.root_cause for incident in labels.incidents or ())]
    faults = {fault for cause in causes if cause for fault in cause.values.get("fault_type", ())}
    # A case with several faults says little of each.
    return kinds + [f"fault {each}" for each in faults if len(faults) == 1]


def _group_rows(system: SystemResult, case_ids: Sequence[str], family: str) -> Rows:
    return np.asarray([row for case_id in case_ids for row in system.scores[case_id].get(family, ())], dtype=np.float64)


def definition_table(results: Sequence[DatasetResult]) -> Table:
    """What each metric of the report means."""
    used = {name for result in results for each in result.systems for name in each.metrics}
    better = {True: "higher", False: "lower", None: ""}
    return Table(
        ("metric", "better", "definition"),
        tuple((m.name, better[m.higher_is_better], m.definition) for m in METRICS.values() if m.name in used),
    )


def failures(result: DatasetResult) -> list[tuple[str, str, str]]:
    """System, case and error of every case that ended with one."""
    return [
        (each.system, outcome.case_id, outcome.error)
        for each in result.systems
        for outcome in each.outcomes.values()
        if outcome.error is not None
    ]


def worst_cases(result: DatasetResult, reports: frozenset[str]) -> list[WorstCase]:
    """The cases of the measured system that went worst, worst first. `reports`: relative links that exist."""
    system = result.systems[0]
    found = []
    for case in result.dataset.cases:
        value = case_value(
            {family: [list(row) for row in rows] for family, rows in system.scores[case.case_id].items()}
        )
        if value is None or value >= 1:
            continue
        link = f"reports/{result.dataset.name}/{case.case_id}.html"
        found.append(
            WorstCase(
                case.case_id,
                value,
                _expected(case, result, system),
                _predicted(system.outcomes[case.case_id]),
                link if link in reports else None,
            )
        )
    return sorted(found, key=lambda each: (each.value, each.case_id))[:WORST]


def _expected(case: Case, result: DatasetResult, system: SystemResult) -> str:
    if "csv" in case.fields:
        return "labelled templates"
    labels = read_labels(case, result.dataset.root)
    parts = []
    if labels.is_incident is False:
        parts.append("no incident")
    parts.extend(_causes(labels))
    if labels.incidents is not None:
        parts.append(f"{len(labels.incidents)} incident(s)")
    if labels.anomalous_lines is not None:
        parts.append(f"{len(labels.anomalous_lines)} lines")
    if labels.sessions:
        parts.append(f"{sum(labels.sessions.values())} of {len(labels.sessions)} sessions")
    if labels.related:
        parts.append(f"related: {', '.join(labels.related[:3])}")
    return "; ".join(parts)


def _causes(labels: Labels) -> list[str]:
    causes = [labels.root_cause, *(incident.root_cause for incident in labels.incidents or ())]
    named = (
        " / ".join("|".join(cause.values[name]) for name in ATTRIBUTES if name in cause.values)
        for cause in causes
        if cause
    )
    return [each for each in dict.fromkeys(named) if each]


def _predicted(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"failed: {outcome.error.strip().splitlines()[-1]}"
    prediction = outcome.prediction
    parts = [f"{len(prediction.incidents)} incident(s)"]
    for suspect in ranked_suspects(prediction.incidents)[:1]:
        named = [getattr(suspect, name) for name in ATTRIBUTES if getattr(suspect, name)]
        parts.append(f"{' / '.join(named)}: {suspect.cause[:120]}")
    if prediction.anomalous_lines:
        parts.append(f"{len(prediction.anomalous_lines)} lines")
    if prediction.anomalous_sessions:
        parts.append(f"{len(prediction.anomalous_sessions)} sessions")
    if outcome.similar:
        parts.append(f"similar: {', '.join(each.case_id for each in outcome.similar[:3])}")
    return "; ".join(parts)
