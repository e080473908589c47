"""An answer to a question, as text for a terminal and as JSON (`cali.answer/1`)."""

from __future__ import annotations

import re
import textwrap
from datetime import datetime, tzinfo
from typing import Final

from pydantic import BaseModel, ConfigDict

from core.findings import Answer
from report.document import build
from report.models import Report
from report.rich_text import to_text as report_text
from report.text import printable, span

_MARK: Final = re.compile(r"(?:-|\d+\.) ")


class AnswerModel(BaseModel):
    """`cali.answer/1`. `window` is what the question named; `report` holds the incidents that the answer rests on."""

    model_config = ConfigDict(frozen=True)

    schema_: str = "cali.answer/1"
    question: str
    text: str
    services: tuple[str, ...]
    window_start: datetime | None
    window_end: datetime | None
    searched: str
    others: int
    session: str
    asked_at: datetime
    report: Report


def to_json(answer: Answer, *, timezone: tzinfo) -> str:
    """The answer as JSON that ends with a newline."""
    model = AnswerModel(
        question=answer.question,
        text=answer.text,
        services=answer.services,
        window_start=answer.window.start,
        window_end=answer.window.end,
        searched=answer.searched,
        others=answer.others,
        session=answer.session,
        asked_at=answer.asked_at,
        report=build(answer.findings, timezone=timezone),
    )
    text = model.model_dump_json(indent=2, by_alias=True)
    return text.replace('"schema_":', '"schema":', 1) + "\n"


def to_text(answer: Answer, *, width: int, color: bool, timezone: tzinfo, details: bool = False) -> str:
    """The answer, what was searched, and the first screen of the report behind it; with `details` all of it."""
    about = ", ".join(answer.services) or "all services"
    when = span(answer.window.start, answer.window.end, timezone)
    lines = [
        *(part for line in answer.text.split("\n") for part in _wrapped(printable(line), width)),
        "",
        f"About {printable(about)}, {when}. Searched: {printable(answer.searched)}. Session {answer.session}.",
        "",
    ]
    head = "\n".join(lines)
    if not answer.findings.findings:
        return head
    return head + report_text(
        build(answer.findings, timezone=timezone),
        width=width,
        color=color,
        timezone=timezone,
        top=2 if details else 1,
        details=details,
    )


def _wrapped(line: str, width: int) -> list[str]:
    """A line in the width of the terminal, that of a list hanging below its mark."""
    mark = _MARK.match(line)
    return textwrap.wrap(line, width, subsequent_indent=" " * mark.end() if mark else "") or [""]
