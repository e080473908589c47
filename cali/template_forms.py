"""The forms in which `cali templates` shows what it found: a table, JSON (`cali.templates/1`) and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cali.template_runs import TemplateRun
from core.domain import LogTemplate
from core.template_ids import template_hex
from ingest.templates.parameters import examples

SCHEMA: Final = "cali.templates/1"
DIFF_SCHEMA: Final = "cali.templates.diff/1"


def to_json(run: TemplateRun, templates: Sequence[LogTemplate], overflow: int, top: int | None) -> str:
    """The run as JSON; `records` counts log records, `lines` physical lines."""
    shown = templates if top is None else templates[:top]
    document = {
        "schema": SCHEMA,
        "sources": list(run.sources),
        "lines": run.lines,
        "records": run.records,
        "templates_found": len(templates),
        "overflow_records": overflow,
        "templates": [_entry(each, run) for each in shown],
        "unreadable": [{"source": item.source, "reason": item.reason} for item in run.unreadable],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def _entry(template: LogTemplate, run: TemplateRun) -> dict[str, Any]:
    samples = run.samples.get(template.template_id, [])
    return {
        "template_id": template_hex(template.template_id),
        "template": template.text,
        "count": template.count,
        "share": template.count / run.records if run.records else 0.0,
        "version": template.version,
        "service": template.service,
        "parameters": [{"type": kind, "examples": list(values)} for kind, values in examples(template.text, samples)],
    }


def to_csv(run: TemplateRun, templates: Sequence[LogTemplate], top: int | None) -> str:
    """One row per template: id, count, share, template, parameters as `TYPE=example|example` joined by `; `.

    For people and their spreadsheets: a text that one of those would take for a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("template_id", "count", "share", "template", "parameters"))
    for each in templates if top is None else templates[:top]:
        found = examples(each.text, run.samples.get(each.template_id, []))
        writer.writerow(
            (
                template_hex(each.template_id),
                each.count,
                f"{each.count / run.records:.6f}",
                _inert(each.text),
                _inert("; ".join(f"{kind}={'|'.join(values)}" for kind, values in found)),
            )
        )
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def to_table(run: TemplateRun, templates: Sequence[LogTemplate], overflow: int, top: int, width: int) -> str:
    """The table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("count", justify="right")
    table.add_column("share", justify="right")
    table.add_column("id", no_wrap=True)
    table.add_column("template and parameters", overflow="fold")
    for each in templates[:top]:
        cell = Text(each.text)
        found = examples(each.text, run.samples.get(each.template_id, []))
        for kind, values in found[:8]:
            if values:
                cell.append(f"\n  {kind}: {', '.join(value[:60] for value in values)}", style="dim")
        share = each.count / run.records if run.records else 0.0
        table.add_row(f"{each.count:,}", f"{share:.1%}", template_hex(each.template_id), cell)
    lines = [f"{run.lines:,} lines, {run.records:,} records, {len(templates):,} templates"]
    if len(templates) > top:
        lines.append(f"the {top} most frequent are shown; --top N shows more")
    if overflow:
        lines.append(f"{overflow:,} records were too many never seen before at once and count under overflow templates")
    return _render(table, width) + "\n".join(lines) + "\n"


def _render(renderable: Any, width: int) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=width, no_color=True, highlight=False).print(renderable)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Change:
    """One template in two logs. `kind`: `new`, `gone`, `more`, `less`. `ratio` is that of its shares, None for new
    and gone ones; `p_value` is of the test that both shares are equal."""

    kind: str
    template_id: int
    template: str
    before: int
    after: int
    ratio: float | None
    p_value: float


def changes(
    before: TemplateRun, after: TemplateRun, texts: dict[int, str], false_discovery_rate: float, factor: float
) -> list[Change]:
    """What differs between two logs: templates of one of them only, and shares that changed by `factor` or more with
    a false discovery rate under `false_discovery_rate` (two-proportion test with pooled variance; Benjamini and
    Hochberg 1995)."""
    tested: list[Change] = []
    for template_id in sorted({*before.counts, *after.counts}):
        a, b = before.counts[template_id], after.counts[template_id]
        p_value = _two_proportions(a, before.records, b, after.records)
        kind = "new" if not a else "gone" if not b else "more" if b * before.records > a * after.records else "less"
        ratio = None if not a or not b else (b / after.records) / (a / before.records)
        tested.append(Change(kind, template_id, texts[template_id], a, b, ratio, p_value))
    rates = sorted(each.p_value for each in tested if each.ratio is not None)
    limit = max(
        (p for rank, p in enumerate(rates, start=1) if p <= false_discovery_rate * rank / len(rates)), default=-1.0
    )
    kept = [
        each
        for each in tested
        if each.ratio is None or (each.p_value <= limit and max(each.ratio, 1 / each.ratio) >= factor)
    ]
    order = {"new": 0, "gone": 1, "more": 2, "less": 3}
    return sorted(kept, key=lambda each: (order[each.kind], -max(each.before, each.after), each.template_id))


def _two_proportions(a: int, total_a: int, b: int, total_b: int) -> float:
    """The p-value (two-sided) of equal shares."""
    if not total_a or not total_b:
        return 1.0
    pooled = (a + b) / (total_a + total_b)
    variance = pooled * (1 - pooled) * (1 / total_a + 1 / total_b)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(a / total_a - b / total_b) / math.sqrt(2 * variance))


def diff_json(found: Sequence[Change], before: TemplateRun, after: TemplateRun) -> str:
    """The differences as JSON (`cali.templates.diff/1`)."""
    document = {
        "schema": DIFF_SCHEMA,
        "before": {"sources": list(before.sources), "records": before.records},
        "after": {"sources": list(after.sources), "records": after.records},
        "changes": [
            {
                "kind": each.kind,
                "template_id": template_hex(each.template_id),
                "template": each.template,
                "before": each.before,
                "after": each.after,
                "ratio": each.ratio,
                "p_value": each.p_value,
            }
            for each in found
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def diff_table(found: Sequence[Change], before: TemplateRun, after: TemplateRun, top: int, width: int) -> str:
    """The differences for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("change", "before", "after"):
        table.add_column(name, justify="right")
    table.add_column("id", no_wrap=True)
    table.add_column("template", overflow="fold")
    for each in found[:top]:
        name = each.kind if each.ratio is None else f"{each.kind} x{each.ratio:.2g}"
        table.add_row(name, f"{each.before:,}", f"{each.after:,}", template_hex(each.template_id), Text(each.template))
    kinds = [each.kind for each in found]
    summary = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("new", "gone", "more", "less"))
    return _render(table, width) + f"{before.records:,} records before, {after.records:,} after: {summary}\n"
