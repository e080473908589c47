"""The answer to a question in sentences, each with the lines it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from cali.wish import Wish
from core.domain import AnomalyKind, ChangeEvent, Evidence, SimilarIncident, Verdict
from core.findings import Finding
from report.excerpt import excerpt
from report.text import clock, count, span

LEAD: Final = timedelta(minutes=30)
"""How far before an incident its changes and first signs are told."""
ROLLOUT: Final = timedelta(minutes=5)
"""Lines about one service and kind of change that stand no further apart tell of one change."""
MANY: Final = 6
"""Changes, or signs, that an answer lists."""
_BEGINS: Final = frozenset({AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE, AnomalyKind.NEW_VALUE})
"""Anomalies that begin when they are first seen; those of rates and values were there before."""


def answer_text(
    about: Sequence[Finding],
    elsewhere: Sequence[Finding],
    changes: Sequence[ChangeEvent],
    services: Sequence[str],
    wishes: frozenset[Wish],
    searched: str,
    zone: tzinfo,
) -> str:
    """One paragraph a line. `about` are the incidents that the question is about, `elsewhere` the others of that time;
    `changes` what changed in the logs that were searched."""
    lines = list(_health(about, services, wishes))
    if not about:
        whom = " and ".join(services) if services else "anything"
        lines.append(f"I found no incident of {whom} there. Searched: {searched}.")
        lines += _signs(elsewhere, services) if Wish.HEALTH in wishes and services else _others(elsewhere)
        if Wish.CHANGES in wishes:
            lines += _changes(changes, None, services, zone)
        return "\n".join(lines)
    first = about[0]
    if wishes & {Wish.CAUSE, Wish.HEALTH}:
        lines += _cause(first)
    if Wish.WHEN in wishes:
        lines.append(f"{span(first.incident.starts_at, first.incident.ends_at, zone)}, {first.incident.status}.")
    if Wish.CHANGES in wishes:
        lines += _changes(changes, first.incident.starts_at, (), zone)
    if Wish.LEAD_UP in wishes:
        lines += _lead_up(first, changes, zone)
    if Wish.SEEN_BEFORE in wishes:
        lines += _seen_before(first.similar)
    if Wish.NEXT in wishes:
        lines += [f"{number}. {step}" for number, step in enumerate(_steps(first)[:MANY], 1)] or ["No step is known."]
    if len(about) > 1:
        lines.append(f"There: {count(len(about) - 1, 'more incident')}.")
    if Wish.HEALTH not in wishes:
        lines += _others(elsewhere)
    return "\n".join(lines)


def _cause(finding: Finding) -> Iterator[str]:
    summary = finding.analysis.summary if finding.analysis else finding.incident.title
    evidence = _evidence(finding)
    analysis, lead = finding.analysis, next(iter(finding.suspects), None)
    if analysis and lead and analysis.verdict is Verdict.INCONCLUSIVE and not analysis.hypotheses:
        # Nothing that a model said stands: what code found still does.
        summary, evidence = f"{summary} The strongest lead: {lead.cause} (score {lead.score:.2f})", lead.evidence
    cited = list(dict.fromkeys(place(entry) for entry in evidence))[:3]
    yield f"{summary.rstrip('.')}." + (f" See {', '.join(cited)}." if cited else "")


def _health(about: Sequence[Finding], services: Sequence[str], wishes: frozenset[Wish]) -> Iterator[str]:
    if Wish.HEALTH in wishes and about:
        incident = about[0].incident
        whom = f"{' and '.join(services)} takes part in an incident" if services else "there is an incident"
        over = incident.status == "resolved"
        yield f"{'It is over' if over else 'No'}: {whom} of level {incident.level} ({incident.status})."


def _signs(elsewhere: Sequence[Finding], services: Sequence[str]) -> Iterator[str]:
    """What the incidents of others say of services that have none of their own."""
    for finding in elsewhere[:3]:
        weak = next((s for s in finding.suspects if s.service in services and s.evidence), None)
        if weak is not None:
            yield f"In an incident of {_services(finding)} it left a sign: {weak.cause} ({place(weak.evidence[0])})."
        else:
            yield f"An incident of {_services(finding)} does not touch it."


def _changes(
    changes: Sequence[ChangeEvent], onset: datetime | None, services: Sequence[str], zone: tzinfo
) -> list[str]:
    """The changes ahead of an onset, all of them where there is none; the last ones, in the order of the log."""
    near = [
        change
        for change in changes
        if (not services or change.service in services)
        and (
            onset is None
            or change.timestamp is None
            or onset - LEAD <= change.timestamp <= onset + timedelta(minutes=2)
        )
    ]
    when = f" in the {LEAD.seconds // 60} minutes before it began" if onset is not None else " there"
    if not near:
        return [f"The logs tell of no change{when}."]
    told = list(_once(near))
    more = f" {count(len(told) - MANY, 'more change')} not shown." if len(told) > MANY else ""
    return [
        f"{count(len(told), 'change')}{when}:{more}",
        *(
            f"- {clock(change.timestamp, zone)} {_named(change)}: {change.text} ({place(change.evidence)})"
            for change in told[-MANY:]
        ),
    ]


def _once(changes: Iterable[ChangeEvent]) -> Iterator[ChangeEvent]:
    """Of the many lines that one rollout writes, the first of each kind and service. Changes come in order of time."""
    last: dict[tuple[str, str | None], datetime | None] = {}
    for change in changes:
        key = (change.kind.value, change.service)
        before, now = last.get(key), change.timestamp
        if key not in last or (before is not None and now is not None and now - before > ROLLOUT):
            yield change
        last[key] = now


def _lead_up(finding: Finding, changes: Sequence[ChangeEvent], zone: tzinfo) -> list[str]:
    """Changes and first signs in the order in which they were told, as many of each as an answer lists."""
    onset = finding.incident.starts_at
    events: list[tuple[datetime, str]] = []
    for change in _once(changes):
        if change.timestamp is not None and (onset is None or onset - LEAD <= change.timestamp <= onset + LEAD):
            events.append((change.timestamp, f"{_named(change)}: {change.text} ({place(change.evidence)})"))
    listed = {change.evidence.citation for change in changes}
    signs: dict[int, tuple[datetime, str]] = {}
    for anomaly in finding.incident.anomalies:
        if anomaly.kind not in _BEGINS or anomaly.first_seen is None or not anomaly.examples:
            continue
        if anomaly.examples[0].citation not in listed:
            shown = anomaly.examples[0]
            whose = f"first sign of {anomaly.service}" if anomaly.service else "first sign"
            signs.setdefault(
                anomaly.template_id, (anomaly.first_seen, f"{whose}: {excerpt(shown.text, 160)} ({place(shown)})")
            )
    told = [*sorted(events)[-MANY:], *sorted(signs.values())[:MANY]]
    if not told:
        return ["The logs carry no times to put what happened into an order."]
    return ["In order:", *(f"- {clock(at, zone)} {text}" for at, text in sorted(told))]


def _seen_before(similar: Sequence[SimilarIncident]) -> list[str]:
    if not similar:
        return ["Nothing like it is in the memory (`cali memory init` makes one; `cali analyze` then fills it)."]
    lines = []
    for past in similar[:3]:
        seen = "once" if past.times_seen == 1 else f"{past.times_seen} times"
        last = f", last on {past.last_seen:%d %b %Y}" if past.last_seen else ""
        cause = f": {past.cause}" if past.cause else ""
        fix = f"; what was done: {past.fix}" if past.fix else ""
        lines.append(f"- {past.id}, similarity {past.score:.2f}, seen {seen}{last}{cause}{fix}")
    return ["Similar:", *lines]


def _steps(finding: Finding) -> Sequence[str]:
    return finding.analysis.next_steps if finding.analysis and finding.analysis.next_steps else finding.next_steps


def _others(elsewhere: Sequence[Finding]) -> list[str]:
    return [f"Other services: {count(len(elsewhere), 'incident')}."] if elsewhere else []


def _services(finding: Finding) -> str:
    named = finding.incident.services
    return " and ".join(named[:3]) + (" and others" if len(named) > 3 else "") if named else "no named service"


def _evidence(finding: Finding) -> Sequence[Evidence]:
    if finding.analysis is not None and finding.analysis.hypotheses:
        return finding.analysis.hypotheses[0].evidence
    return tuple(example for anomaly in finding.incident.anomalies for example in anomaly.examples[:1])


def place(entry: Evidence) -> str:
    """`app.log:12`."""
    return f"{entry.source}:{entry.position}"


def _named(change: ChangeEvent) -> str:
    return f"{change.kind.value} of {change.service}" if change.service else change.kind.value
