"""`cali ask`: a question in words, answered from the logs that were analysed and the incidents on record."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cali import recall
from cali.assistant import Learned, Request, Watcher, explain, explainer_of, learning, run_detection
from cali.question import Window, services_of, window_of
from cali.state import StateFolder
from catalog import runs, sessions
from catalog.incidents import CatalogIncidents
from core.config import Settings
from core.domain import Evidence, Incident, Stats, TimeWindow
from core.errors import InputError
from core.findings import Answer, Finding, Findings
from core.ports import IncidentMemory
from ingest.sources.files import OpenedSources, open_sources

FOLLOW_UP = timedelta(minutes=15)
"""How long after a question the next one belongs to the same session, where none is named."""


@dataclass(frozen=True, slots=True)
class _Understood:
    """A question: its session, what it is about, and the words that say when."""

    session: str
    number: int
    services: tuple[str, ...]
    window: Window | None
    note: str


def ask(
    question: str,
    settings: Settings,
    *,
    session: str | None,
    fresh: bool,
    now: datetime,
    watcher: Watcher | None = None,
) -> Answer:
    """Answers a question from the state folder.

    `session` continues a named conversation; without one, a question within 15 minutes of the last belongs to it,
    unless `fresh`. Raises InputError where nothing was analysed yet, or the session is unknown.
    """
    if not question.strip():
        raise InputError("the question is empty")
    state = StateFolder(settings.state)
    if not state.path.is_dir():
        raise InputError(f"nothing was analysed into {state.path} yet; run `cali analyze PATH` first")
    with learning(state, settings, "ask") as learned, recall.opened(settings) as memory:
        with learned.catalog.transaction() as connection:
            known = runs.covering(connection, None, None)
        if not known:
            raise InputError(f"nothing was analysed into {state.path} yet; run `cali analyze PATH` first")
        understood = _understand(question, known, learned, settings, session, fresh, now)
        findings, searched = _search(understood, learned, settings, question, memory, now, watcher)
        answer = _answer(question, understood, findings, searched, now)
        with learned.catalog.transaction() as connection:
            window = understood.window
            sessions.save(
                connection,
                sessions.Question(
                    understood.session,
                    understood.number,
                    now,
                    question,
                    ",".join(understood.services) or None,
                    window.start if window else None,
                    window.end if window else None,
                    answer.text,
                ),
            )
    return answer


def _understand(
    question: str,
    known: Sequence[runs.Run],
    learned: Learned,
    settings: Settings,
    session: str | None,
    fresh: bool,
    now: datetime,
) -> _Understood:
    with learned.catalog.transaction() as connection:
        if session is None and not fresh:
            session = sessions.newest(connection, now - FOLLOW_UP)
        before = sessions.load(connection, session) if session is not None else ()
    newest = max((run.ends_at for run in known if run.ends_at is not None), default=None)
    names = sorted({service for run in known for service in run.services})
    services = services_of(question, names)
    window = window_of(question, now=now, zone=settings.display_zone)
    note = ""
    if window is not None and newest is not None and window.start is not None and window.start > newest:
        # "The last 30 minutes" of logs that ended hours ago: the last 30 minutes that they have.
        moved = window_of(question, now=newest, zone=settings.display_zone)
        if moved is not None and moved != window:
            window, note = (
                moved,
                f"the newest line on record is of {newest:%Y-%m-%d %H:%M} UTC: counted back from there",
            )
    if before:
        last = before[-1]
        if not services and last.service:
            services = tuple(last.service.split(","))
        if window is None and (last.starts_at is not None or last.ends_at is not None):
            window = Window(last.starts_at, last.ends_at, "the time of the question before")
    if session is None:
        session = secrets.token_hex(4)
    return _Understood(session, len(before) + 1, services, window, note)


def _search(
    asked: _Understood,
    learned: Learned,
    settings: Settings,
    question: str,
    memory: IncidentMemory | None,
    now: datetime,
    watcher: Watcher | None,
) -> tuple[Findings, str]:
    """Reads the logs of that time again and runs detection there; where they are gone, takes what is on record."""
    start, end = (asked.window.start, asked.window.end) if asked.window else (None, None)
    with learned.catalog.transaction() as connection:
        covering = runs.covering(connection, start, end)
    paths = _newest_inputs(covering, everything=asked.window is not None)
    present = tuple(path for path in paths if Path(path).exists())
    if present:
        opened = open_sources(present)
    if present and opened.sources:
        # The whole of the logs is judged, not the window alone: an incident that began before the window is explained
        # from its beginning.
        request = Request(present, until=end)
        nothing = OpenedSources((), ())
        detection = run_detection(request, settings, opened, nothing, learned.miner, learned.history, now, watcher)
        explainer = explainer_of(settings, learned, memory, watcher)
        touching = tuple(incident for incident in detection.incidents if _touches(incident, start, end))
        detection = replace(detection, incidents=touching)
        findings = explain(detection, opened.unreadable, question=question, now=now, explainer=explainer)
        searched = f"{detection.stats.lines:,} lines of {_count(len(opened.sources), 'file')}"
    else:
        stored = CatalogIncidents(learned.catalog).list(start, end, None, 50)
        findings = _on_record(stored, TimeWindow(start, end), now)
        gone = "the files they came from are gone" if paths else "no file covers that time"
        searched = f"{_count(len(stored), 'incident')} on record ({gone})"
    return findings, f"{searched}; {asked.note}" if asked.note else searched


def _newest_inputs(covering: Sequence[runs.Run], *, everything: bool) -> tuple[str, ...]:
    """Paths to read: of every run that covers the window; where no window was named, of the newest run."""
    chosen = covering if everything else covering[:1]
    return tuple(dict.fromkeys(path for run in chosen for path in run.paths))


def _on_record(stored: Sequence[Incident], window: TimeWindow, now: datetime) -> Findings:
    return Findings(
        generated_at=now,
        sources=(),
        window=window,
        reference="incidents on record",
        stats=Stats(),
        findings=tuple(Finding(incident) for incident in stored),
    )


def _answer(question: str, asked: _Understood, findings: Findings, searched: str, now: datetime) -> Answer:
    about = [finding for finding in findings.findings if _concerns(finding, asked.services)]
    others = len(findings.findings) - len(about)
    window = asked.window
    return Answer(
        question=question,
        text=_text(about, others, asked, searched),
        services=asked.services,
        window=TimeWindow(window.start, window.end) if window else findings.window,
        searched=searched,
        findings=replace(findings, findings=tuple(about)),
        others=others,
        session=asked.session,
        asked_at=now,
    )


def _concerns(finding: Finding, services: Sequence[str]) -> bool:
    if not services:
        return True
    named = {*finding.incident.services, *(suspect.service for suspect in finding.suspects)}
    return any(service in named for service in services)


def _text(about: Sequence[Finding], others: int, asked: _Understood, searched: str) -> str:
    whom = " and ".join(asked.services) if asked.services else "anything"
    elsewhere = f" Other services: {_count(others, 'incident')}." if others else ""
    if not about:
        return f"I found no incident of {whom} there. Searched: {searched}.{elsewhere}"
    first = about[0]
    summary = first.analysis.summary if first.analysis else first.incident.title
    cited = [str(e.citation) for e in _evidence(first)[:3]]
    text = f"{summary.rstrip('.')}." + (f" See {', '.join(cited)}." if cited else "")
    if len(about) > 1:
        text += f" There: {_count(len(about) - 1, 'more incident')}."
    return text + elsewhere


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _touches(incident: Incident, start: datetime | None, end: datetime | None) -> bool:
    first, last = incident.starts_at, incident.ends_at or incident.starts_at
    if first is None or last is None:
        return True  # without a time, it may be of any
    return (start is None or last >= start) and (end is None or first <= end)


def _evidence(finding: Finding) -> Sequence[Evidence]:
    if finding.analysis is not None and finding.analysis.hypotheses:
        return finding.analysis.hypotheses[0].evidence
    return tuple(example for anomaly in finding.incident.anomalies for example in anomaly.examples[:1])
