"""Runs systems over datasets and scores what they say. The flow of `cali eval run`, readable from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from core.errors import InputError
from eval.bootstrap import Estimate, estimate_all
from eval.dataset_scoring import score_dataset, score_templates
from eval.datasets import TEMPLATES_KIND, Case, Dataset
from eval.labels import cause_to_remember, read_templates
from eval.memory import TextMemory
from eval.similar import MemoryFactory, with_similar
from eval.storage import Answered, RunFolder
from eval.system import Outcome, Prediction
from eval.workers import Answer, SystemFactory, Task, WorkerPool

Ability = Literal["judge", "retrieve", "templates"]

_RETRIEVAL: Final = frozenset({"retrieval", "retrieval_other_service", "known_item", "document_text"})
_ALWAYS: Final = frozenset({"failures", "seconds"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A system to measure. `abilities` says what it is measured at: judging cases, retrieving similar ones from
    `memory`, mining templates."""

    name: str
    factory: SystemFactory
    memory: MemoryFactory = TextMemory
    abilities: frozenset[Ability] = frozenset({"judge", "retrieve"})


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `timeout`: seconds per case. `only`: case ids (empty: all); then neighbours are not scored."""

    jobs: int = 1
    timeout: float = 600.0
    only: tuple[str, ...] = ()
    labelled_memory: bool = False
    seed: int = 20261121
    resamples: int = 1000


@dataclass(frozen=True, slots=True)
class SystemResult:
    """What one system reached on one dataset."""

    system: str
    outcomes: Mapping[str, Outcome]
    scores: Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class DatasetResult:
    """What all systems reached on one dataset; the measured one comes first."""

    dataset: Dataset
    systems: tuple[SystemResult, ...]


Progress = Callable[[int, int, str], None]
"""Called with cases done, cases in all, and the case just done."""


def run(
    candidates: Sequence[Candidate],
    datasets: Sequence[Dataset],
    options: Options,
    folder: RunFolder,
    progress: Progress = lambda done, total, case: None,
) -> list[DatasetResult]:
    """Runs every candidate on every case and scores it. Answers found in `folder` are not asked for again.

    Raises InputError for an unknown id in `options.only`, or for two datasets of one name.
    """
    names = [dataset.name for dataset in datasets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two datasets are named {name!r}: change the name in one dataset.toml")
    chosen = _choose(datasets, options.only)
    answered = _answers(candidates, chosen, options, folder, progress)
    return [
        DatasetResult(
            dataset,
            tuple(
                _result(candidate, dataset, answered[candidate.name, dataset.name], options)
                for candidate in candidates
                if _fits(candidate, dataset)
            ),
        )
        for dataset in chosen
    ]


def _choose(datasets: Sequence[Dataset], only: tuple[str, ...]) -> list[Dataset]:
    if not only:
        return list(datasets)
    wanted = set(only)
    chosen = [replace(each, cases=tuple(c for c in each.cases if c.case_id in wanted)) for each in datasets]
    missing = wanted - {case.case_id for dataset in chosen for case in dataset.cases}
    if missing:
        raise InputError(f"no case is named {', '.join(sorted(missing))}")
    return [dataset for dataset in chosen if dataset.cases]


def _fits(candidate: Candidate, dataset: Dataset) -> bool:
    if _is_templates(dataset):
        return "templates" in candidate.abilities
    return bool({"judge", "retrieve"} & candidate.abilities)


def _is_templates(dataset: Dataset) -> bool:
    return TEMPLATES_KIND in dataset.kinds and all("csv" in case.fields for case in dataset.cases)


def _answers(
    candidates: Sequence[Candidate],
    datasets: Sequence[Dataset],
    options: Options,
    folder: RunFolder,
    progress: Progress,
) -> dict[tuple[str, str], dict[str, Answered]]:
    found: dict[tuple[str, str], dict[str, Answered]] = {
        (candidate.name, dataset.name): {} for candidate in candidates for dataset in datasets
    }
    tasks: list[Task] = []
    for dataset in datasets:
        for case in dataset.cases:
            for candidate in candidates:
                if not _fits(candidate, dataset):
                    continue
                kept = folder.load(candidate.name, dataset.name, case.case_id)
                if kept is None and case.input.logs:
                    tasks.append(_task(candidate, dataset, case))
                else:
                    nothing = Answered(Outcome(case.case_id, 0.0, Prediction()))
                    found[candidate.name, dataset.name][case.case_id] = kept or nothing
    pool = WorkerPool({each.name: each.factory for each in candidates}, options.jobs, options.timeout)
    relative = {
        (dataset.name, case.case_id): case.relative(dataset.root) for dataset in datasets for case in dataset.cases
    }
    for done, answer in enumerate(pool.run(tasks), 1):
        dataset_name, case_id = answer.task.key.split("/", 1)
        answered = _answered(answer, relative[dataset_name, case_id])
        report = answered.outcome.prediction.report
        if report is not None and answer.task.system == candidates[0].name:
            folder.write(f"reports/{dataset_name}/{case_id}.html", report)
        folder.save(answer.task.system, dataset_name, answered)
        found[answer.task.system, dataset_name][case_id] = answered
        progress(done, len(tasks), f"{answer.task.system} {answer.task.key}")
    return found


def _task(candidate: Candidate, dataset: Dataset, case: Case) -> Task:
    messages = tuple(read_templates(case, dataset.root)[0]) if _is_templates(dataset) else None
    return Task(candidate.name, f"{dataset.name}/{case.case_id}", case.input, messages)


def _answered(answer: Answer, relative: Mapping[str, str]) -> Answered:
    case_id = answer.task.case.case_id
    if answer.error is not None:
        return Answered(Outcome(case_id, answer.seconds, Prediction(), error=answer.error))
    if answer.task.messages is not None:
        return Answered(Outcome(case_id, answer.seconds, Prediction()), tuple(answer.value))
    if not isinstance(answer.value, Prediction):
        error = f"predict() returned {type(answer.value).__name__}, not a Prediction"
        return Answered(Outcome(case_id, answer.seconds, Prediction(), error=error))
    return Answered(Outcome(case_id, answer.seconds, _cited_relatively(answer.value, relative)))


def _cited_relatively(prediction: Prediction, relative: Mapping[str, str]) -> Prediction:
    """Sources as the case names them, so that predictions mean the same on another machine."""
    return replace(
        prediction,
        incidents=tuple(
            replace(
                incident,
                suspects=tuple(
                    replace(
                        suspect,
                        evidence=tuple(replace(e, source=relative.get(e.source, e.source)) for e in suspect.evidence),
                    )
                    for suspect in incident.suspects
                ),
            )
            for incident in prediction.incidents
        ),
    )


def _measured(family: str, candidate: Candidate, options: Options) -> bool:
    if family in _RETRIEVAL:
        return "retrieve" in candidate.abilities and not options.only
    return family in _ALWAYS or "judge" in candidate.abilities


def _result(candidate: Candidate, dataset: Dataset, answered: Mapping[str, Answered], options: Options) -> SystemResult:
    outcomes = {case.case_id: answered[case.case_id].outcome for case in dataset.cases}
    if _is_templates(dataset):
        scores = {
            case.case_id: score_templates(
                case, dataset, answered[case.case_id].templates, outcomes[case.case_id].seconds
            )
            for case in dataset.cases
        }
    else:
        known = partial(cause_to_remember, root=dataset.root) if options.labelled_memory else None
        outcomes = with_similar(dataset, outcomes, candidate.memory, known)
        scores = {
            case_id: {family: each for family, each in rows.items() if _measured(family, candidate, options)}
            for case_id, rows in score_dataset(dataset, outcomes).items()
        }
    return SystemResult(candidate.name, outcomes, scores, estimate_all(scores, options.seed, options.resamples))
