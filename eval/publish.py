"""Writes the results of a run into its folder: predictions, metrics, reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.markdown import report_markdown
from eval.page import report_html
from eval.predictions import write_predictions
from eval.results import metrics_json, scores_json
from eval.runner import DatasetResult, Options
from eval.storage import RunFolder, slug


def publish(results: Sequence[DatasetResult], options: Options, folder: RunFolder) -> list[Path]:
    """Writes predictions.jsonl (all datasets, in order), metrics.json, scores.json, report.md and report.html.

    Predictions of the other systems go to `systems/<name>/`.
    """
    written = []
    for system in dict.fromkeys(each.system for result in results for each in result.systems):
        outcomes = [
            outcome
            for result in results
            for each in result.systems
            if each.system == system
            for outcome in each.outcomes.values()
        ]
        first = system == results[0].systems[0].system
        path = folder.root / ("predictions.jsonl" if first else f"systems/{slug(system)}/predictions.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(path, outcomes)
        if first:
            written.append(path)
    reports = frozenset(
        f"reports/{result.dataset.name}/{case.case_id}.html"
        for result in results
        for case in result.dataset.cases
        if (folder.root / f"reports/{result.dataset.name}/{case.case_id}.html").exists()
    )
    written += [
        folder.write("metrics.json", metrics_json(results, options)),
        folder.write("scores.json", scores_json(results)),
        folder.write("report.md", report_markdown(results, options, reports)),
        folder.write("report.html", report_html(results, options, reports)),
    ]
    return written
