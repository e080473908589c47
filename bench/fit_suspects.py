"""Fits the constants of `rag/suspects/calibration.py`, and checks the weights of `rag/suspects/proposal.py`.

    python bench/fit_suspects.py DATASET... --check DATASET... [--weights]

Every case is detected and its candidate causes are weighed as `cali analyze` does; labels are read from the datasets
(right: service and fault type, as far as labelled). The constants are those of the greatest likelihood on
a grid; then accuracy, Brier score and expected calibration error are shown for them on the datasets to fit and on each
one to check. `--weights` also fits the weights of the facts, with a ridge towards those in the code, and says what
that would change.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.domain import Incident
from core.findings import Detection
from eval.datasets import Case, Dataset, load_dataset
from eval.labels import Labels, RootCause, read_labels
from eval.metrics_calibration import brier, expected_calibration_error
from eval.metrics_cause import MATCHERS
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner
from rag.suspects import propagation
from rag.suspects.calibration import OUTSIDE, SHARPNESS, probabilities
from rag.suspects.proposal import WEIGHTS, Facts, Proposal
from rag.suspects.ranking import candidates
from rag.suspects.scene import survey

MOST = 20
"""Candidates of an incident that are looked at, the strongest first."""
SHARPNESSES = np.arange(0.4, 3.05, 0.2)
OUTSIDES = np.arange(0.0, 16.0, 0.5)
SLACK = timedelta(seconds=60)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """One incident: the facts of its candidates (n, facts), what each says, and whether that is right (n,)."""

    facts: Floats
    answers: tuple[tuple[str | None, str | None], ...]
    right: Floats


def judged(dataset: Dataset) -> Iterator[Judged]:
    """Every incident that is found in a dataset, with its candidates."""
    for case in dataset.cases:
        if not case.input.logs:
            continue
        labels = read_labels(case, dataset.root)
        detection = _detected(case)
        for incident in detection.incidents:
            scene = survey(incident, detection)
            found = candidates(scene, propagation.blame(scene), case.input.symptom)[:MOST]
            if found:
                yield _judged(found, _causes(labels, incident))


def _detected(case: Case) -> Detection:
    given = case.input
    options = DetectionOptions(timezone=ZoneInfo(given.timezone), since=given.window_start, until=given.window_end)
    return detect(
        open_sources([str(path) for path in given.logs]).sources,
        miner=DrainMiner(),
        options=options,
        baseline=open_sources([str(path) for path in given.baseline_logs]).sources if given.baseline_logs else (),
        observed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _causes(labels: Labels, incident: Incident) -> list[RootCause]:
    """The labelled causes that an incident may have: of a stream, those at its time."""
    if labels.incidents is None:
        return [labels.root_cause] if labels.root_cause else []
    begin, end = incident.starts_at, incident.ends_at or incident.starts_at
    return [
        true.root_cause
        for true in labels.incidents
        if true.root_cause
        and (begin is None or end is None or true.starts_at <= end + SLACK)
        and (begin is None or true.ends_at is None or begin <= true.ends_at + SLACK)
    ]


def _judged(found: Sequence[Proposal], causes: Sequence[RootCause]) -> Judged:
    facts = np.array([astuple(item.facts) for item in found], dtype=np.float64)
    right = np.array([any(_right(item, cause) for cause in causes) for item in found], dtype=np.float64)
    return Judged(facts, tuple((item.service, item.fault_type) for item in found), right)


def _right(item: Proposal, cause: RootCause) -> bool:
    for name in ("service", "fault_type"):
        said = getattr(item, name)
        if name in cause.values and not (said and any(MATCHERS[name](said, true) for true in cause.values[name])):
            return False
    return bool(cause.values.keys() & {"service", "fault_type"})


def loss(weights: Floats, outside: float, data: Sequence[Judged]) -> tuple[float, Floats]:
    """Mean negative log-likelihood of the right answer (none, where no candidate is right) and its gradient: of the
    weights, then of `outside`."""
    total, gradient = 0.0, np.zeros(len(weights) + 1)
    for each in data:
        exponents = np.append(each.facts @ weights, outside)
        share = np.exp(exponents - exponents.max())
        share /= share.sum()
        target = share * np.append(each.right, 0.0 if each.right.any() else 1.0)
        total -= float(np.log(target.sum()))
        error = share - target / target.sum()
        gradient += np.append(error[:-1] @ each.facts, error[-1])
    return total / len(data), gradient / len(data)


def show(name: str, data: Sequence[Judged], weights: Floats, sharpness: float, outside: float) -> None:
    """One line: how often the first candidate is right, and how well its probability says so."""
    told, true = [], []
    for each in data:
        totals = each.facts @ weights
        order = np.argsort(-totals, kind="stable")
        answers = [each.answers[i] for i in order]
        told.append(probabilities(totals[order].tolist(), answers, sharpness=sharpness, outside=outside)[0])
        true.append(each.right[order[0]])
    confidence, correct = np.array(told), np.array(true)
    print(
        f"{name:28} {len(data):4} incidents  right {correct.mean():.3f}  mean score {confidence.mean():.3f}"
        f"  Brier {brier(confidence, correct):.3f}  ECE {expected_calibration_error(confidence, correct):.3f}"
    )


def fit_weights(data: Sequence[Judged], start: Floats, outside: float, ridge: float) -> tuple[Floats, float]:
    """Weights and outside option of the greatest penalised likelihood; `ridge` holds the weights near `start`."""

    def objective(theta: Floats) -> tuple[float, Floats]:
        value, gradient = loss(theta[:-1], float(theta[-1]), data)
        apart = np.append(theta[:-1] - start, 0.0)
        return value + ridge * float(apart @ apart), gradient + 2 * ridge * apart

    found = minimize(objective, np.append(start, outside), jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fit", nargs="+", type=Path)
    parser.add_argument("--check", nargs="*", type=Path, default=[])
    parser.add_argument("--weights", action="store_true")
    asked = parser.parse_args()
    fitted = [each for root in asked.fit for each in judged(load_dataset(root))]
    checks = {root.name: list(judged(load_dataset(root))) for root in asked.check}
    weights = np.array(astuple(WEIGHTS), dtype=np.float64)
    sharpness, outside = min(
        itertools.product(SHARPNESSES, OUTSIDES), key=lambda pair: loss(weights * pair[0], pair[1], fitted)[0]
    )
    print(f"greatest likelihood: sharpness {sharpness:.1f}, outside {outside:.1f}")
    print(f"in the code:         sharpness {SHARPNESS}, outside {OUTSIDE}")
    for name, data in {"fitted": fitted, **checks}.items():
        show(name, data, weights, SHARPNESS, OUTSIDE)
    if asked.weights:
        new, _ = fit_weights(fitted, weights * sharpness, outside, 0.01)
        print("\nweights fitted with a ridge (in the code):")
        for field, value, old in zip(fields(Facts), new / sharpness, weights, strict=True):
            print(f"  {field.name:12} {value:6.2f} ({old})")
        for name, data in {"fitted": fitted, **checks}.items():
            show(name, data, new / sharpness, SHARPNESS, OUTSIDE)


if __name__ == "__main__":
    main()
