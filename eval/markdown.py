"""`report.md` of a run, and the text of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from eval.comparison import CaseChange, DatasetComparison
from eval.runner import DatasetResult, Options
from eval.tables import Table, WorstCase, breakdown_table, definition_table, failures, metric_table, worst_cases


def report_markdown(results: Sequence[DatasetResult], options: Options, reports: frozenset[str]) -> str:
    """The report as Markdown; links are relative to the folder of the run."""
    parts = ["# Evaluation", "", introduction(options), ""]
    for result in results:
        dataset = result.dataset
        parts += [f"## {dataset.name}", "", f"{dataset.title} ({len(dataset.cases)} cases, {dataset.source})", ""]
        failed = failures(result)
        if failed:
            parts += [f"{len(failed)} answer(s) ended with an error and count as wrong:", ""]
            parts += [f"- {system}, {case_id}: {_cell(_last(error))}" for system, case_id, error in failed]
            parts.append("")
        parts += [table_markdown(metric_table(result)), ""]
        breakdown = breakdown_table(result)
        if breakdown:
            parts += [f"### {result.systems[0].system} by kind of case", "", table_markdown(breakdown), ""]
        worst = worst_cases(result, reports)
        if worst:
            parts += [f"### Worst cases of {result.systems[0].system}", "", _worst(worst), ""]
    parts += ["## Definitions", "", table_markdown(definition_table(results)), ""]
    return "\n".join(parts)


def introduction(options: Options) -> str:
    """How the numbers were made, in two sentences."""
    return (
        "Values come with 95 % intervals of a bootstrap over cases "
        f"({options.resamples} resamples, seed {options.seed}; rows are drawn where there are fewer than five cases). "
        "The first system is the measured one; the others are baselines."
    )


def table_markdown(table: Table) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(table.headings)} |", f"| {' | '.join('---' for _ in table.headings)} |"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in table.rows]
    return "\n".join(lines)


def comparison_markdown(comparisons: Sequence[DatasetComparison], cases: int = 10) -> str:
    """What got better and worse, per metric and per case."""
    parts = ["# Comparison", ""]
    for each in comparisons:
        parts += [f"## {each.dataset}: {each.system_a} (A) against {each.system_b} (B)", ""]
        rows = []
        for d in sorted(each.differences, key=lambda d: d.verdict == "no clear change"):
            interval = "–" if d.low is None or d.high is None else f"[{d.low:+.3f}, {d.high:+.3f}]"
            rows.append((d.metric, f"{d.a:.3f}", f"{d.b:.3f}", f"{d.value:+.3f}", interval, str(d.cases), d.verdict))
        headings = ("metric", "A", "B", "B - A", "95 % interval", "cases", "verdict")
        parts += [table_markdown(Table(headings, tuple(rows))), ""]
        parts += _changes("Better", each.better, cases)
        parts += _changes("Worse", each.worse, cases)
        for name, only in (("A", each.only_a), ("B", each.only_b)):
            if only:
                parts += [
                    f"Only in {name} (left out): {', '.join(only[:cases])}{' ...' if len(only) > cases else ''}",
                    "",
                ]
    return "\n".join(parts)


def _changes(title: str, changes: Sequence[CaseChange], limit: int) -> list[str]:
    if not changes:
        return [f"{title} cases: none", ""]
    shown = [f"- {each.case_id}: {each.a:.3f} -> {each.b:.3f}" for each in changes[:limit]]
    more = [f"- and {len(changes) - limit} more"] if len(changes) > limit else []
    return [f"{title} cases ({len(changes)}):", "", *shown, *more, ""]


def _worst(worst: Sequence[WorstCase]) -> str:
    rows = tuple(
        (
            f"[{each.case_id}]({each.report})" if each.report else each.case_id,
            f"{each.value:.2f}",
            each.expected,
            each.predicted,
        )
        for each in worst
    )
    return table_markdown(Table(("case", "value", "expected", "predicted"), rows))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _last(error: str) -> str:
    return error.strip().splitlines()[-1]
