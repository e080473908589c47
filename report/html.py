"""The report as one HTML file: no script, no network, readable in light and dark, on paper and by keyboard.

Log text goes through `report.text.printable` and Jinja's autoescape. A content security policy in the page forbids
everything but its own style sheet, so that even a hole in the escaping could load and run nothing.
"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from typing import Final

from core import severity
from report import chart, text, view
from report.models import Report

_LINE_LENGTH: Final = 2000


def to_html(report: Report, *, timezone: tzinfo | None = None, top: int = 5) -> str:
    """The report as an HTML document.

    `timezone` defaults to the report's own. Every incident is in it, the first `top` unfolded; each shows at most
    4 times `top` anomalies and other items, the rest is counted.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    where = timezone or text.zone(report.timezone)
    environment = Environment(
        loader=PackageLoader("report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters.update(
        count=text.count,
        value=partial(text.value, cells=120),
        percent=text.percent,
        clock=lambda at: text.clock(at, where),
        moment=lambda at: text.moment(at, where),
        severity=severity.name,
        words=_words,
    )
    return environment.get_template("report.html.j2").render(
        report=report,
        view=view,
        chart=chart.chart(report, where),
        geometry=chart,
        span=lambda start, end: text.span(start, end, where),
        top=max(top, 1),
        most=max(top, 1) * 4,
    )


def _shown(content: object) -> object:
    """Every text that the template prints; what it made itself (`Markup`) stays."""
    return text.printable(content, _LINE_LENGTH) if type(content) is str else content


def _words(name: str) -> str:
    return name.replace("_", " ")
