"""`cali ask`: a question in words, answered from the logs that were analysed and the incidents on record."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from cali.assistant import Learned, Request, Watcher, explain, explainer_of, learning, reported, run_detection
from cali.naming import meant
from cali.question import Window, window_of
from cali.recall import Recollection, consulted
from cali.state import StateFolder
from cali.wiring import redactor
from cali.wish import Wish, wishes_of
from cali.wording import answer_text
from catalog import runs, sessions
from catalog.incidents import CatalogIncidents
from core.config import Settings
from core.domain import ChangeEvent, Incident, Stats, TimeWindow
from core.errors import InputError
from core.findings import Answer, Detection, Finding, Findings
from ingest.sources.files import OpenedSources, open_sources
from rag.suspects.change import about_of
from rag.suspects.scene import survey
from report.text import count

FOLLOW_UP = timedelta(minutes=15)
"""How long after a question the next one belongs to the same session, where none is named."""


@dataclass(frozen=True, slots=True)
class _Understood:
    """A question: its session, what it is about and wants to know, and the words that say when. `inherited`: the
    services are those of the question before."""

    session: str
    number: int
    services: tuple[str, ...]
    inherited: bool
    wishes: frozenset[Wish]
    window: Window | None
    note: str
    """Where the time that was searched is not the one that was named."""
    naming: str
    """Where the services are not those that were named."""


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
    with learning(state, settings, "ask") as learned, consulted(settings) as past:
        with learned.catalog.transaction() as connection:
            known = runs.covering(connection, None, None)
        if not known:
            raise InputError(f"nothing was analysed into {state.path} yet; run `cali analyze PATH` first")
        understood = _understand(question, known, learned, settings, session, fresh, now)
        findings, searched = _search(understood, learned, settings, question, past, now, watcher)
        answer = _answer(question, understood, findings, searched, now, settings.display_zone)
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
                    redactor(settings)(answer.text),
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
    named = meant(question, names)
    services = named.services
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
    inherited = False
    if before:
        last = before[-1]
        if not services and not named.note and last.service:
            services, inherited = tuple(last.service.split(",")), True
        if window is None and (last.starts_at is not None or last.ends_at is not None):
            window = Window(last.starts_at, last.ends_at, "the time of the question before")
    if session is None:
        session = secrets.token_hex(4)
    return _Understood(session, len(before) + 1, services, inherited, wishes_of(question), window, note, named.note)


def _search(
    asked: _Understood,
    learned: Learned,
    settings: Settings,
    question: str,
    past: Recollection,
    now: datetime,
    watcher: Watcher | None,
) -> tuple[Findings, str]:
    """Reads the logs of that time again and runs detection there; where they are gone, takes what is on record."""
    start, end = (asked.window.start, asked.window.end) if asked.window else (None, None)
    with learned.catalog.transaction() as connection:
        covering = runs.covering(connection, start, end)
    paths = _newest_inputs(covering, everything=asked.window is not None)
    present = tuple(_from_here(path) for path in paths if Path(path).exists())
    if present:
        opened = open_sources(present)
    if present and opened.sources:
        # The whole of the logs is judged, not the window alone: an incident that began before the window is explained
        # from its beginning.
        request = Request(present, until=end)
        nothing = OpenedSources((), ())
        told = reported(watcher)  # a question learns nothing
        detection = run_detection(request, settings, opened, nothing, learned.miner, learned.history, now, told)
        explainer = explainer_of(settings, learned, past, watcher)
        touching = tuple(incident for incident in detection.incidents if _touches(incident, start, end))
        detection = replace(detection, incidents=touching)
        findings = explain(detection, opened.unreadable, question=question, now=now, explainer=explainer)
        if asked.wishes & {Wish.CHANGES, Wish.LEAD_UP}:
            findings = replace(findings, changes=_all_changes(detection))
        searched = f"{detection.stats.lines:,} lines of {count(len(opened.sources), 'file')}"
    else:
        stored = CatalogIncidents(learned.catalog).list(start, end, None, 50)
        findings = _on_record(stored, TimeWindow(start, end), now)
        gone = "the files they came from are gone" if paths else "no file covers that time"
        searched = f"{count(len(stored), 'incident')} on record ({gone})"
    return findings, f"{searched}; {asked.note}" if asked.note else searched


def _from_here(path: str) -> str:
    """A path below the working folder as one would type it there: citations are read by people."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) and Path(path) != here else path


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


def _all_changes(detection: Detection) -> tuple[ChangeEvent, ...]:
    """The changes of the logs, with those that tools tell in their own words near the incidents."""
    near = [change for incident in detection.incidents[:3] for change in survey(incident, detection).changes]
    found = {change.evidence.citation: change for change in (*detection.changes, *near)}
    return tuple(found.values())


def _answer(
    question: str, asked: _Understood, findings: Findings, searched: str, now: datetime, zone: tzinfo
) -> Answer:
    services = asked.services
    about = [finding for finding in findings.findings if _concerns(finding, services)]
    if not about and asked.inherited:
        services, about = (), list(findings.findings)  # "has it happened before?", after a service that is well
    elsewhere = [finding for finding in findings.findings if finding not in about]
    window = asked.window
    changes = _in_order(findings)
    if not about and window is not None:  # ahead of an incident they count from its beginning, not from the window's
        changes = [change for change in changes if _inside(change.timestamp, window)]
    return Answer(
        question=question,
        text="\n".join(
            filter(None, (asked.naming, answer_text(about, elsewhere, changes, services, asked.wishes, searched, zone)))
        ),
        services=services,
        window=TimeWindow(window.start, window.end) if window else findings.window,
        searched=searched,
        findings=replace(findings, findings=tuple(about)),
        others=len(elsewhere),
        session=asked.session,
        asked_at=now,
    )


def _in_order(findings: Findings) -> Sequence[ChangeEvent]:
    """The changes that the logs told, each under the service it concerns; where they are gone, those on record."""
    told = findings.changes or [change for finding in findings.findings for change in finding.incident.changes]
    named = [
        replace(change, service=about.service) if (about := about_of(change)) is not None and about.service else change
        for change in told
    ]
    return sorted(named, key=lambda change: (change.timestamp is None, change.timestamp or findings.generated_at))


def _concerns(finding: Finding, services: Sequence[str]) -> bool:
    """Whether an incident is about one of the services: it takes part, or is the most likely cause."""
    if not services:
        return True
    named = {*finding.incident.services, *(suspect.service for suspect in finding.suspects[:1])}
    return any(service in named for service in services)


def _inside(at: datetime | None, window: Window) -> bool:
    return at is None or ((window.start is None or window.start <= at) and (window.end is None or at <= window.end))


def _touches(incident: Incident, start: datetime | None, end: datetime | None) -> bool:
    first, last = incident.starts_at, incident.ends_at or incident.starts_at
    if first is None or last is None:
        return True  # without a time, it may be of any
    return (start is None or last >= start) and (end is None or first <= end)
