"""`report.html` of a run: one self-contained file with tables and plots (inline SVG), readable without network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from eval.markdown import introduction
from eval.plots import intervals_plot, risk_coverage_plot
from eval.runner import DatasetResult, Options
from eval.tables import HEADLINES, Table, breakdown_table, definition_table, failures, metric_table, worst_cases

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-size: 13px; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .2rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { position: sticky; top: 0; background: Canvas; }
td:nth-child(n+2) { font-variant-numeric: tabular-nums; }
td:nth-child(3) { font-weight: 600; }
.worst td:nth-child(3), .definitions td { font-weight: 400; }
.failed { border-left: 4px solid #c33; background: var(--soft); padding: .4rem 1rem; }
svg text { fill: CanvasText; font: 12px system-ui, sans-serif; }
"""


def report_html(results: Sequence[DatasetResult], options: Options, reports: frozenset[str]) -> str:
    """The report as one HTML file; links to cases are relative to the folder of the run."""
    parts = ["<h1>Evaluation</h1>", f"<p>{escape(introduction(options))}</p>"]
    parts.append("<p>" + " · ".join(_link(result) for result in results) + "</p>")
    for result in results:
        parts.append(_dataset(result, reports))
    parts += ["<h2>Definitions</h2>", _table(definition_table(results), "definitions")]
    head = f'<meta charset="utf-8"><title>CALI evaluation</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{"".join(parts)}\n</body></html>\n'


def _link(result: DatasetResult) -> str:
    name = escape(result.dataset.name)
    return f'<a href="#{name}">{name}</a>'


def _dataset(result: DatasetResult, reports: frozenset[str]) -> str:
    dataset = result.dataset
    parts = [
        f'<h2 id="{escape(dataset.name)}">{escape(dataset.name)}</h2>',
        f"<p>{escape(dataset.title)} ({len(dataset.cases)} cases, {escape(dataset.source)})</p>",
    ]
    failed = failures(result)
    if failed:
        items = "".join(
            f"<li>{escape(system)}, {escape(case)}: <code>{escape(error.strip().splitlines()[-1])}</code></li>"
            for system, case, error in failed
        )
        parts.append(
            f'<div class="failed">{len(failed)} answer(s) ended with an error and count as wrong:<ul>{items}</ul></div>'
        )
    headlines = [name for name in HEADLINES if any(name in each.metrics for each in result.systems)]
    parts.append(intervals_plot(headlines, [(each.system, each.metrics) for each in result.systems]))
    parts.append(_table(metric_table(result), "metrics"))
    breakdown = breakdown_table(result)
    if breakdown:
        parts.append(f"<h3>{escape(result.systems[0].system)} by kind of case</h3>{_table(breakdown, 'metrics')}")
    answers = [row for rows in result.systems[0].scores.values() for row in rows.get("calibration", ())]
    parts.append(risk_coverage_plot(result.systems[0].system, answers))
    worst = worst_cases(result, reports)
    if worst:
        rows = "".join(
            f"<tr><td>{_case(each.case_id, each.report)}</td><td>{each.value:.2f}</td><td>{escape(each.expected)}</td>"
            f"<td>{escape(each.predicted)}</td></tr>"
            for each in worst
        )
        parts.append(
            f"<h3>Worst cases of {escape(result.systems[0].system)}</h3>"
            '<table class="worst"><tr><th>case</th><th>value</th><th>expected</th><th>predicted</th></tr>'
            f"{rows}</table>"
        )
    return "".join(parts)


def _case(case_id: str, report: str | None) -> str:
    return f'<a href="{escape(report)}">{escape(case_id)}</a>' if report else escape(case_id)


def _table(table: Table, kind: str) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in table.headings)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<table class="{kind}"><tr>{head}</tr>{rows}</table>'
