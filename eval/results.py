"""`metrics.json` and `scores.json` (both `cali.eval/1`): what a run measured, for machines.

metrics.json  {schema, seed, resamples, systems[], datasets[{name, title, licence, source, kind[], cases,
               results[{system, metrics{name: {value, low, high, cases, rows}}, failed[{case_id, error}]}]}]}
scores.json   {schema, datasets{name: {system: {case_id: {family: rows}}}}}: the rows that metrics are estimated from
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from core.errors import InputError
from eval.bootstrap import Estimate
from eval.metrics import METRICS
from eval.runner import DatasetResult, Options

SCHEMA: Final = "cali.eval/1"


def metrics_json(results: Sequence[DatasetResult], options: Options) -> str:
    """The text of `metrics.json`."""
    systems = dict.fromkeys(each.system for result in results for each in result.systems)
    value = {
        "schema": SCHEMA,
        "seed": options.seed,
        "resamples": options.resamples,
        "systems": list(systems),
        "datasets": [_dataset(result) for result in results],
    }
    return json.dumps(value, indent=1)


def scores_json(results: Sequence[DatasetResult]) -> str:
    """The text of `scores.json`."""
    datasets = {result.dataset.name: {each.system: each.scores for each in result.systems} for result in results}
    return json.dumps({"schema": SCHEMA, "datasets": datasets})


def read_scores(folder: Path) -> dict[str, dict[str, dict[str, dict[str, list[list[float]]]]]]:
    """dataset -> system -> case id -> family -> rows. Raises InputError where the folder holds no finished run."""
    path = folder / "scores.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror}; `cali eval run --output {folder}` writes it") from exc
    except ValueError as exc:
        raise InputError(f"{path} is not JSON: {exc}") from exc
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise InputError(f"{path} is not of schema {SCHEMA}")
    datasets: dict[str, dict[str, dict[str, dict[str, list[list[float]]]]]] = value["datasets"]
    return datasets


def missed_thresholds(results: Sequence[DatasetResult], thresholds: Sequence[str]) -> list[str]:
    """What misses `[DATASET:]METRIC=VALUE`, in words, for the first system.

    For a metric where lower is better the value is the most that is allowed. A threshold holds in every dataset that
    has the metric. Raises InputError where it is malformed, or no dataset has it (an unmeasured threshold is not met).
    """
    missed: list[str] = []
    for threshold in thresholds:
        place, equals, limit_text = threshold.rpartition("=")
        dataset, _, name = place.rpartition(":")
        metric = METRICS.get(name)
        try:
            limit = float(limit_text)
        except ValueError:
            metric = None
        if metric is None or not equals:
            raise InputError(
                f"--fail-under {threshold!r}: expected [DATASET:]METRIC=VALUE; metrics: {', '.join(METRICS)}"
            )
        found = [
            (result.dataset.name, result.systems[0].metrics[name])
            for result in results
            if (not dataset or result.dataset.name == dataset) and result.systems and name in result.systems[0].metrics
        ]
        if not found:
            raise InputError(
                f"--fail-under {threshold!r}: {name} was not measured{f' on {dataset}' if dataset else ''}"
            )
        for where, estimate in found:
            if metric.higher_is_better is False:
                if estimate.value > limit:
                    missed.append(f"{where}: {name} is {estimate.value:.4f}, above {limit:g}")
            elif estimate.value < limit:
                missed.append(f"{where}: {name} is {estimate.value:.4f}, below {limit:g}")
    return missed


def _dataset(result: DatasetResult) -> dict[str, Any]:
    dataset = result.dataset
    return {
        "name": dataset.name,
        "title": dataset.title,
        "licence": dataset.licence,
        "source": dataset.source,
        "kind": list(dataset.kinds),
        "cases": len(dataset.cases),
        "results": [
            {
                "system": each.system,
                "metrics": _estimates(each.metrics),
                "failed": [
                    {"case_id": outcome.case_id, "error": outcome.error}
                    for outcome in each.outcomes.values()
                    if outcome.error is not None
                ],
            }
            for each in result.systems
        ],
    }


def _estimates(metrics: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {
        name: {
            "value": round(each.value, 6),
            "low": None if each.low is None else round(each.low, 6),
            "high": None if each.high is None else round(each.high, 6),
            "cases": each.cases,
            "rows": each.rows,
        }
        for name, each in metrics.items()
    }
