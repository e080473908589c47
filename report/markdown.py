"""The report for an incident channel: GitHub-flavoured Markdown that also reads well in Slack. Short: facts and places.

Log text cannot break out. Outside code the marks of Markdown are escaped where they would act (only there: Slack shows
the backslash), and mentions, links and issue numbers are cut by a zero-width space. Inside code, back-ticks are
replaced by a look-alike (U+02CB), and what Slack expands even there (`<!channel>`) is cut the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from report import view
from report.excerpt import excerpt
from report.models import AnalysisModel, EvidenceModel, IncidentModel, Report
from report.text import clip, clip_start, clock, count, moment, percent, printable, span, value, zone

_BADGE: Final = {"warning": "🟡", "high": "🟠", "disaster": "🔴"}
_CUT: Final = "\u200b"
_MARKS: Final = re.compile(
    r"([\\`*\[\]<~$]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))"  # marks that mean something wherever they stand
    r"|^([#+\-=|>]|\d{1,9}(?=[.)]))"  # and those that do at the start
)
_LINKS: Final = re.compile(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=<)(?=[!@#]|https?:)", re.IGNORECASE)
_CODE_LINKS: Final = re.compile(r"(?<=<)(?=[!@#]|https?:)|(?<=@)(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
_LINE_LENGTH: Final = 300


def to_markdown(report: Report, *, timezone: tzinfo | None = None, top: int = 3) -> str:
    """The report as Markdown that ends with a newline.

    `timezone` defaults to the report's own. At most `top` incidents are shown in full, with at most `top` anomalies and
    other items each; the rest is counted.
    """
    where = timezone or zone(report.timezone)
    top = max(top, 1)
    lines = [f"**CALI: {view.summary(report)}**", ""]
    if not report.incidents:
        lines += _searched(report, where)
    for incident in report.incidents[:top]:
        lines += _incident(incident, where, top)
    rest = report.incidents[top:]
    if rest:
        lines += [f"**{count(len(rest), 'more incident')}**", ""]
        lines += [f"- {_BADGE[i.level]} {clock(i.starts_at, where)} {text(i.title, 160)}" for i in rest[:10]]
        lines += [f"- {count(len(rest) - 10)} more not listed"] if len(rest) > 10 else []
        lines.append("")
    lines += _footer(report)
    return "\n".join(lines).rstrip() + "\n"


def text(raw: str, limit: int = 400) -> str:
    """`raw` as Markdown text that shows exactly that: one line, nothing in it is markup, a mention or a link."""
    return _MARKS.sub(_escaped, _LINKS.sub(_CUT, clip(raw, limit).strip()))


def _escaped(match: re.Match[str]) -> str:
    found = match.group()
    return f"{found}{_CUT}" if found.isdigit() else f"\\{found}"


def code(raw: str, limit: int = _LINE_LENGTH) -> str:
    """`raw` as a code span."""
    inner = _code(raw, limit)
    return f"`{inner}`" if inner.strip() else "` `"


def _place(item: EvidenceModel) -> str:
    """A citation; of a long path only its end."""
    return _code(clip_start(view.citation(item), 60), 120)


def _code(raw: str, limit: int) -> str:
    return _CODE_LINKS.sub(_CUT, clip(raw, limit).replace("`", "ˋ"))


def _quoted(evidence: Sequence[EvidenceModel], limit: int) -> list[str]:
    """A fenced block of cited lines; the citation comes first, so that no line of a log can close the fence."""
    if not evidence:
        return []
    lines = ["```text"]
    for item in evidence[:limit]:
        masked = "(masked) " if item.redacted else ""
        lines.append(f"{_place(item)}  {masked}{_code(excerpt(item.text, _LINE_LENGTH), _LINE_LENGTH)}")
    return [*lines, "```"]


def _incident(incident: IncidentModel, where: tzinfo, top: int) -> list[str]:
    still = "still firing" if incident.status == "firing" else "resolved"
    meaning = view.LEVEL_MEANING[incident.level]
    lines = [
        f"{_BADGE[incident.level]} **{incident.level.upper()}: {text(incident.title, 200)}**",
        "",
        f"- **When:** {text(span(incident.starts_at, incident.ends_at, where))}, {still}",
        f"- **How bad:** {meaning}" + (f", {text(incident.level_reason)}" if incident.level_reason else ""),
    ]
    if incident.services:
        shown = ", ".join(code(name, 60) for name in incident.services[:8])
        more = f" and {count(len(incident.services) - 8)} more" if len(incident.services) > 8 else ""
        lines.append(f"- **Services:** {shown}{more}")
    lines.append("")
    lines += _lead(incident)
    if incident.analysis is not None:
        lines += _analysis(incident, incident.analysis)
    lines += _thoughts(incident, where, top)
    return lines


def _lead(incident: IncidentModel) -> list[str]:
    lead = view.lead(incident)
    if lead is None:
        return ["**No cause found:** nothing in these logs points at one", ""]
    place = f" (in {text(lead.place, 200)})" if lead.place else ""
    lines = [
        f"**{lead.heading}:** {text(lead.cause)}{place}",
        f"_inferred, {text(lead.certainty)}, {text(lead.mechanism)}_: {text(lead.why)}",
        "",
        *_quoted(lead.evidence, 3),
        "",
    ]
    lines += [f"Evidence {text(lead.ids)}", ""] if lead.ids else []
    return [*lines, f"To confirm: {text(lead.confirm_by)}", ""] if lead.confirm_by else lines


def _analysis(incident: IncidentModel, analysis: AnalysisModel) -> list[str]:
    lines = [
        f"**Analysis:** {text(analysis.verdict.replace('_', ' '))} _({text(view.author(analysis))})_",
        text(analysis.summary, 800),
        "",
    ]
    for hypothesis in view.other_hypotheses(incident)[:2]:
        ids = view.ids(analysis, hypothesis)
        cited = f" (evidence {text(ids, 100)})" if ids else ""
        lines.append(f"- guess, {percent(hypothesis.confidence)}: {text(hypothesis.cause)}{cited}")
    if analysis.dropped:
        why = f": {text(analysis.dropped[0])}" if analysis.model is None else ""
        lines.append(f"- {view.dropped(analysis)}{why}")
    return [*lines, ""]


def _thoughts(incident: IncidentModel, where: tzinfo, top: int) -> list[str]:
    lines: list[str] = []
    ruled_out = view.ruled_out(incident)
    if ruled_out:
        lines += ["**Ruled out:**", ""]
        lines += [f"- {text(item.what, 200)}: {text(item.why)}" for item in ruled_out[:top]]
        lines += [*_more(len(ruled_out), top), ""]
    if incident.anomalies:
        lines += [f"**Observed ({count(len(incident.anomalies), 'anomaly', 'anomalies')}):**", ""]
        for anomaly in incident.anomalies[:top]:
            against = f" against {value(anomaly.expected)}" if anomaly.expected is not None else ""
            service = f" {code(anomaly.service, 60)}" if anomaly.service else ""
            place = f", first `{_place(anomaly.examples[0])}`" if anomaly.examples else ""
            lines.append(
                f"- {anomaly.kind.replace('_', ' ')}{service}: {text(value(anomaly.observed) + against, 120)}, "
                f"{code(anomaly.template, 160)}{place}"
            )
        lines += [*_more(len(incident.anomalies), top), ""]
    similar = view.similar(incident)
    if similar:
        lines += ["**Seen before:**", ""]
        for item in similar[:top]:
            last = f", last {moment(item.last_seen, where)}" if item.last_seen else ""
            parts = [f"{text(item.title, 200)} ({count(item.times_seen, 'time')}{text(last)})"]
            parts += [f"cause: {text(item.cause)}"] if item.cause else []
            parts += [f"fix: {text(item.fix)}"] if item.fix else []
            lines.append("- " + "; ".join(parts))
        lines += [*_more(len(similar), top), ""]
    steps = view.next_steps(incident)
    if steps:
        lines += ["**Next steps:**", ""]
        lines += [f"{number}. {_step(step)}" for number, step in enumerate(steps, start=1)]
        lines.append("")
    return lines


def _step(step: str) -> str:
    """A step with its commands as code."""
    parts = (code(part) if is_code else text(part) for is_code, part in view.code_parts(step) if part.strip())
    return " ".join(parts)


def _more(number: int, top: int) -> list[str]:
    return [f"- {count(number - top)} more"] if number > top else []


def _searched(report: Report, where: tzinfo) -> list[str]:
    shown = ", ".join(code(name, 120) for name in report.sources[:6])
    more = f" and {count(len(report.sources) - 6)} more" if len(report.sources) > 6 else ""
    lines = [
        f"- **Searched:** {count(len(report.sources), 'source')} {shown}{more}".rstrip(),
        f"- **Window:** {text(span(report.window.start, report.window.end, where))}",
        f"- **Lines:** {text(view.lines_read(report))}, {count(report.stats.templates, 'template')}",
        f"- **Reference:** {text(report.reference) or 'none'}",
    ]
    if not report.stats.lines:
        lines.append("- The input holds no line: check the path, or `--since` and `--until`")
    return [*lines, ""]


def _footer(report: Report) -> list[str]:
    lines: list[str] = []
    if report.quarantined:
        reasons = "; ".join(
            f"{count(item.number)} × {text(item.reason, 120)} (first {code(item.first, 120)})"
            for item in view.quarantine(report.quarantined)[:5]
        )
        lines += [f"**Quarantined:** {reasons}", ""]
    if report.incidents:
        reference = f", judged against {printable(report.reference)}" if report.reference else ""
        seconds = f"{report.stats.seconds:.1f} s"
        lines.append(
            f"_{text(f'{view.sources(report.sources)}; {view.lines_read(report)}; {seconds}{reference}', 600)}_"
        )
    return lines
