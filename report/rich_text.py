"""The report for a terminal: one screen first, the details below it.

Log text is hostile: it is shown through `report.text.printable` and as `rich.text.Text`, so that neither rich markup
nor a terminal's escape sequences in it mean anything. Facts are lines of the log behind a bar; what is inferred says
so.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.text import Text

from core import severity
from core.severity import Level
from core.wording import times
from report import view
from report.excerpt import excerpt
from report.models import AnomalyModel, EvidenceModel, IncidentModel, Report
from report.text import (
    clip,
    clip_start,
    clock,
    compact,
    count,
    duration,
    moment,
    percent,
    printable,
    span,
    value,
    zone,
)
from report.timeline import ROWS, columns, sparkline

LEVEL_STYLE: Final[dict[Level, str]] = {
    "warning": "black on yellow",
    "high": "bold red",
    "disaster": "bold white on red",
}
_ROW_STYLE: Final = {"FATAL": "bold magenta", "ERROR": "red", "WARN": "yellow", "INFO": "cyan"}
_LABEL_WIDTH: Final = 10
_BRIEF: Final = 2  # what was ruled out, on the first screen


def render(
    report: Report, *, width: int, timezone: tzinfo | None = None, top: int = 5, details: bool = True
) -> RenderableType:
    """The report as a rich renderable for a console of `width` cells; without `details` its first screen alone.

    `timezone` defaults to the report's own. At most `top` incidents are shown in full, with at most `top` anomalies,
    suspects and other items each; the rest is counted.
    """
    page = _Page(max(width, 40), timezone or zone(report.timezone), max(top, 1))
    page.report(report, details)
    return Group(*page.parts)


def to_text(
    report: Report,
    *,
    width: int = 80,
    color: bool = False,
    timezone: tzinfo | None = None,
    top: int = 5,
    details: bool = True,
) -> str:
    """The rendered report as text that ends with a newline; `color` adds the ANSI colours of the terminal."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 40),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    console.print(render(report, width=width, timezone=timezone, top=top, details=details))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


class _Page:
    """Collects the parts of one rendering."""

    def __init__(self, width: int, zone: tzinfo, top: int) -> None:
        self.width = width
        self.zone = zone
        self.top = top
        self.parts: list[RenderableType] = []

    def report(self, report: Report, details: bool) -> None:
        self._line(("CALI", "bold"), "  ", (view.summary(report), "bold" if report.incidents else "bold green"))
        if not report.incidents:
            self._searched(report)
        for number, incident in enumerate(report.incidents[: self.top], start=1):
            self._brief(incident)
            if number == 1:
                self._others(report.incidents[1:])
                self._timeline(report)
            if details:
                self._details(incident)
        if not report.incidents:
            self._timeline(report)
        if details and len(report.incidents) > self.top:
            self._line((f"{count(len(report.incidents) - self.top, 'incident')} more: raise --top to see them", "dim"))
        self._footer(report)

    # -- one screen -------------------------------------------------------------------------------------------------

    def _brief(self, incident: IncidentModel) -> None:
        self.parts.append(Rule(style="dim"))
        badge = f" {incident.level.upper()} "
        self._line((badge, LEVEL_STYLE[incident.level]), " ", (printable(incident.title, 2 * self.width), "bold"))
        still = "still firing" if incident.status == "firing" else "resolved"
        self._field("When", f"{span(incident.starts_at, incident.ends_at, self.zone)}, {still}")
        meaning = view.LEVEL_MEANING[incident.level]
        self._field("How bad", f"{meaning}: {incident.level_reason}" if incident.level_reason else meaning)
        if incident.services:
            self._field("Services", ", ".join(incident.services))
        self._lead(incident)
        self._ruled_out(incident)

    def _lead(self, incident: IncidentModel) -> None:
        self._gap()
        lead = view.lead(incident)
        if lead is None:
            self._heading(
                "No cause found", "nothing in these logs points at one; the anomalies below are what is known"
            )
            return
        self._heading(lead.heading, f"inferred, {lead.certainty}")
        self._indented((clip(lead.cause, 2 * self.width), "bold"))
        place = clip(lead.place, self.width)
        self._indented(
            ("in " if place else "by ", "dim"), place, (f" ({lead.mechanism})" if place else lead.mechanism, "dim")
        )
        self._indented(("because ", "dim"), clip(lead.why, 2 * self.width))
        self._evidence(lead.evidence, limit=2 if self.width < 100 else 3)
        if lead.ids:
            self._indented(("evidence ", "dim"), clip(lead.ids, self.width))
        if lead.confirm_by:
            self._indented(("to confirm ", "dim"), clip(lead.confirm_by, 2 * self.width))

    def _ruled_out(self, incident: IncidentModel) -> None:
        items = view.ruled_out(incident)
        if not items:
            return
        self._heading("Ruled out")
        for item in items[:_BRIEF]:
            self._bullet(clip(item.what, self.width), (f": {clip(item.why, self.width)}", "dim"))
        if len(items) > _BRIEF:
            self._indented((f"{count(len(items) - _BRIEF)} more ruled out, see below", "dim"))

    def _rest_ruled_out(self, incident: IncidentModel) -> None:
        items = view.ruled_out(incident)[_BRIEF:]
        if not items:
            return
        self._gap()
        self._heading("Also ruled out")
        for item in items[: self.top]:
            self._bullet(clip(item.what, 2 * self.width), (f": {clip(item.why, 2 * self.width)}", "dim"))
        self._more(len(items), "more ruled out")

    def _others(self, others: Sequence[IncidentModel]) -> None:
        if not others:
            return
        self._gap()
        self._heading("Other incidents")
        for incident in others[: self.top]:
            line = Text.assemble(
                "  ",
                (f" {incident.level} ", LEVEL_STYLE[incident.level]),
                f" {clock(incident.starts_at, self.zone)} ",
            )
            self.parts.append(line.append(clip(incident.title, self.width - line.cell_len)))
        self._more(len(others), "more incidents")

    def _evidence(self, evidence: Sequence[EvidenceModel], limit: int) -> None:
        for item in evidence[:limit]:
            bar = Text("    │ ", "blue")
            where = clip_start(view.citation(item), max(self.width * 2 // 5, 30))
            masked = " (masked)" if item.redacted else ""
            text = excerpt(item.text, 2 * (self.width - bar.cell_len) - cell_len(where) - len(masked) - 8)
            self.parts.append(_Hanging(bar, bar, Text.assemble((where, "blue"), (masked, "dim"), "  ", text)))
        if len(evidence) > limit:
            self._indented((f"{count(len(evidence) - limit, 'more line')} of evidence", "dim"))

    # -- below the first screen -------------------------------------------------------------------------------------

    def _timeline(self, report: Report) -> None:
        room = self.width - _LABEL_WIDTH - 12
        strip = columns(report.timeline, room)
        if not strip:
            return
        repeat = max(1, min(4, room // len(strip)))
        first, last = strip[0].start, strip[-1].end
        note = "by line: the logs carry no times"
        if first and last:
            note = f"{span(first, last, self.zone)}, {duration((last - first) / (len(strip) * repeat))} a column"
        self._gap()
        self._heading("Timeline", note)
        for row in ROWS:
            numbers = [column.counts[row] for column in strip]
            if any(numbers):
                label = "INFO, rest" if row == "INFO" else row
                self._strip(label, sparkline(numbers, repeat), _ROW_STYLE[row], f" max {compact(max(numbers))}")
        for incident in report.incidents[: min(self.top, 3)]:
            starts, ends = incident.starts_at, incident.ends_at or incident.starts_at
            touched = [column.touches(starts, ends) for column in strip]
            if any(touched):
                self._strip(incident.level, "".join(("━" if hit else " ") * repeat for hit in touched), "red")
        changed = [any(column.touches(c.timestamp, c.timestamp) for c in report.changes) for column in strip]
        if any(changed):
            self._strip("changes", "".join(("▲" if hit else " ").ljust(repeat) for hit in changed), "blue")
        if first and last:
            left, center, right = (clock(at, self.zone) for at in (first, first + (last - first) / 2, last))
            cells = max(len(strip) * repeat - len(left) - len(right), len(center) + 2)
            self._strip("", left + center.center(cells) + right, "dim")

    def _strip(self, label: str, cells: str, style: str, note: str = "") -> None:
        parts = ((f"  {label:<{_LABEL_WIDTH}} ", "dim"), (cells, style), (note, "dim"))
        self.parts.append(Text.assemble(*parts, no_wrap=True))

    def _details(self, incident: IncidentModel) -> None:
        self._analysis(incident)
        self._anomalies(incident.anomalies)
        suspects = view.other_suspects(incident)
        if suspects:
            self._gap()
            self._heading("Other suspects", "inferred")
            for suspect in suspects[: self.top]:
                self._bullet(
                    (f"{suspect.rank}. ", "dim"),
                    clip(suspect.cause, 2 * self.width),
                    (f"  {view.certainty(suspect)}, {view.mechanism(suspect)}", "dim"),
                )
                self._indented((clip(suspect.why, 2 * self.width), "dim"))
                self._evidence(suspect.evidence, limit=1)
            self._more(len(suspects), "more suspects")
        self._rest_ruled_out(incident)
        self._similar(incident)
        steps = view.next_steps(incident)
        if steps:
            self._gap()
            self._heading("Next steps")
            for number, step in enumerate(steps, start=1):
                self._bullet((f"{number}. ", "dim"), clip(step, 3 * self.width))

    def _analysis(self, incident: IncidentModel) -> None:
        analysis = incident.analysis
        if analysis is None:
            return
        self._gap()
        self._heading(f"Analysis: {analysis.verdict.replace('_', ' ')}", view.author(analysis))
        if analysis.summary:
            self._indented(clip(analysis.summary, 6 * self.width))
        others = view.other_hypotheses(incident)
        for hypothesis in others[: self.top]:
            ids = view.ids(analysis, hypothesis)
            self._bullet(
                (f"guess {hypothesis.rank}, {percent(hypothesis.confidence)}: ", "dim"),
                clip(hypothesis.cause, 2 * self.width),
                (f"  evidence {clip(ids, self.width)}" if ids else "", "dim"),
            )
            self._evidence(hypothesis.evidence, limit=2)
        self._more(len(others), "more guesses")
        if analysis.dropped:
            self._indented((f"{view.dropped(analysis)}:", "yellow"))
            for claim in analysis.dropped[: self.top]:
                self._bullet((clip(claim, 2 * self.width), "dim"))
            self._more(len(analysis.dropped), "more dropped")

    def _anomalies(self, anomalies: Sequence[AnomalyModel]) -> None:
        if not anomalies:
            return
        self._gap()
        self._heading("Anomalies", f"{count(len(anomalies))}, observed against expected")
        for anomaly in anomalies[: self.top]:
            name = severity.name(anomaly.severity)
            self._bullet(
                (f"{name:<5} ", _ROW_STYLE.get(name, "dim")),
                (f"{anomaly.kind}", "bold"),
                f"  {value(anomaly.observed)}",
                (f" against {value(anomaly.expected)}" if anomaly.expected is not None else "", "dim"),
                f"  {clip(anomaly.service, 30)}" if anomaly.service else "",
                (f"  {clock(anomaly.first_seen, self.zone)}" if anomaly.first_seen else "", "dim"),
            )
            self._indented(clip(anomaly.template, self.width - 6))
            self._indented((clip(anomaly.why, 2 * self.width), "dim"))
            self._evidence(anomaly.examples, limit=1)
        self._more(len(anomalies), "more anomalies")

    def _similar(self, incident: IncidentModel) -> None:
        items = view.similar(incident)
        if not items:
            return
        self._gap()
        self._heading("Seen before")
        for item in items[: self.top]:
            last = f", last {moment(item.last_seen, self.zone)}" if item.last_seen else ""
            found = ", ".join(item.signals) or "unknown"
            self._bullet(
                clip(item.title, self.width),
                (f"  {times(item.times_seen)}{last}; similarity {item.score:.2f} by {found}", "dim"),
            )
            for label, text in (("cause ", item.cause), ("fix ", item.fix), ("outcome ", item.outcome)):
                if text:
                    self._indented((label, "dim"), clip(text, 2 * self.width))
        self._more(len(items), "more")

    def _searched(self, report: Report) -> None:
        self._field("Searched", view.sources(report.sources, limit=6))
        self._field("Window", span(report.window.start, report.window.end, self.zone))
        self._field("Lines", f"{view.lines_read(report)}, {count(report.stats.templates, 'template')}")
        self._field("Reference", report.reference or "none")
        if not report.stats.lines:
            self._indented(("The input holds no line: check the path, or --since and --until.", "yellow"))

    def _footer(self, report: Report) -> None:
        self.parts.append(Rule(style="dim"))
        stats = report.stats
        parts = [
            view.lines_read(report),
            count(stats.templates, "template"),
            f"formats: {view.formats(report)}",
            f"{stats.seconds:.1f} s",
        ]
        if report.incidents:
            parts.insert(0, view.sources(report.sources, limit=2))
            parts.append(f"judged against {report.reference or 'nothing'}")
        self.parts.append(Text(clip(" · ".join(parts), 4 * self.width), style="dim"))
        if report.quarantined:
            self._line((f"Quarantined: {count(len(report.quarantined), 'piece')} of input could not be used", "yellow"))
            for item in view.quarantine(report.quarantined)[: self.top]:
                where = f"first at {clip_start(item.first, self.width // 2)}"
                self._bullet(f"{count(item.number)} × {clip(item.reason, self.width)}", (f"  {where}", "dim"))

    # -- building blocks --------------------------------------------------------------------------------------------

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self.parts.append(_text(*parts))

    def _gap(self) -> None:
        self.parts.append(Text(""))

    def _heading(self, title: str, note: str = "") -> None:
        self._line((title, "bold underline"), (f"  {note}" if note else "", "dim"))

    def _field(self, name: str, text: str) -> None:
        self.parts.append(_Hanging(Text(f"{name:<9} ", "dim"), Text(" " * 10), Text(clip(text, 3 * self.width))))

    def _indented(self, *parts: str | tuple[str, str]) -> None:
        self.parts.append(_Hanging(Text("    "), Text("    "), _text(*parts)))

    def _bullet(self, *parts: str | tuple[str, str]) -> None:
        self.parts.append(_Hanging(Text("  · ", "dim"), Text("    "), _text(*parts)))

    def _more(self, number: int, what: str) -> None:
        if number > self.top:
            self._indented((f"{count(number - self.top)} {what}", "dim"))


def _text(*parts: str | tuple[str, str]) -> Text:
    """Parts with their styles, each made printable: nothing reaches the terminal by another way."""
    shown = (printable(part) if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts)
    return Text.assemble(*shown)


class _Hanging:
    """Text wrapped behind a prefix; the lines after the first have `rest` (as wide) in its place."""

    def __init__(self, first: Text, rest: Text, body: Text) -> None:
        self.first = first
        self.rest = rest
        self.body = body

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - self.first.cell_len, 1)
        for number, line in enumerate(self.body.wrap(console, width, overflow="fold")):
            line.rstrip()
            yield Text.assemble(self.rest if number else self.first, line)
