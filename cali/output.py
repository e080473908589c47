"""Where a report goes: the terminal, or a file; in one of four forms."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Literal

import click

from core.errors import PermanentError
from core.findings import Findings

Format = Literal["rich", "json", "markdown", "html"]
Mask = Callable[[str], str]
FORMATS = ("rich", "json", "markdown", "html")


def form(
    findings: Findings,
    chosen: Format,
    *,
    zone: tzinfo,
    top: int,
    mask: Mask | None = None,
    width: int = 100,
    color: bool = False,
) -> str:
    """The report as text, every text in it through `mask` where one is given."""
    from report.document import build, to_json  # pydantic models: a run that writes no report does not wait for them

    report = build(findings, timezone=zone)
    if mask is not None:
        from report.masking import masked

        report = masked(report, mask)
    if chosen == "json":
        return to_json(report)
    if chosen == "markdown":
        from report.markdown import to_markdown

        return to_markdown(report, timezone=zone, top=top)
    if chosen == "html":
        from report.html import to_html

        return to_html(report, timezone=zone, top=top)
    from report.rich_text import to_text

    return to_text(report, width=width, color=color, timezone=zone, top=top)


def write(
    findings: Findings, chosen: Format, output: Path | None, *, zone: tzinfo, top: int, mask: Mask | None = None
) -> None:
    """Writes the report to a file (whole or not at all), or to stdout where `output` is None."""
    if output is not None:
        write_file(output, form(findings, chosen, zone=zone, top=top, mask=mask))
        return
    terminal = sys.stdout.isatty()
    color = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = min(shutil.get_terminal_size((100, 40)).columns, 140) if terminal else 100
    click.echo(form(findings, chosen, zone=zone, top=top, mask=mask, width=width, color=color), nl=False, color=True)


def write_file(path: Path, text: str) -> None:
    """Writes a file in one step. Raises PermanentError where it cannot; an old file is then intact."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False, newline=""
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as exc:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise PermanentError(f"{path} cannot be written: {exc.strerror}") from exc


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
