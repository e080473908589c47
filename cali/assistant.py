"""The use cases that span ingest, rag and catalog: detect and explain what is in some logs, and learn from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cali import wiring
from cali.recall import Recollection, consulted
from cali.state import StateFolder
from core.chat import ChatRequest
from core.config import Settings
from core.domain import Incident, Quarantined
from core.errors import InputError
from core.findings import Detection, Finding, Findings
from core.severity import LEVELS
from ingest.counts import LearnedHistory
from ingest.pipeline import DetectionOptions, detect, learn
from ingest.sources.files import OpenedSources, open_sources
from ingest.templates.miner import DrainMiner
from ingest.templates.snapshots import Schedule, load, save
from rag.analyst import Analyst, Subject
from rag.budget import Budget
from rag.next_steps import next_steps
from rag.surroundings import platform_of, services_of
from rag.suspects import rank

if TYPE_CHECKING:
    # SQLAlchemy starts slowly: what uses the catalog imports it, so that a run without state does not wait for it.
    from catalog.engine import Catalog
    from core.ports import IncidentMemory

SNAPSHOTS = 60.0
"""Seconds of a run between two snapshots of its templates, at least; they take at most a twentieth of its time."""
EXPLAINED = 5
"""How many incidents of a run a model is asked about, the worst first; the others get the analysis without one."""


class Watcher(Protocol):
    """Who is told how the work goes (`cali.progress.Display`)."""

    def reading(self, lines: int, what: str) -> None:
        """So many lines were read so far; `what` is read now."""
        ...

    def asking(self, number: int, total: int) -> Callable[[str], None]:
        """A model is asked about incident `number` of `total`; what is returned takes its reply, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What to analyse. `since` and `until`: an aware time, or a span before the last line."""

    paths: tuple[str, ...]
    baseline: tuple[str, ...] = ()
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    services: tuple[str, ...] = ()
    symptom: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an analysis gives. `unreadable` names inputs that could not be read while others could; `prompts` is what a
    model was, or would be, sent, by incident id."""

    findings: Findings
    detection: Detection
    unreadable: tuple[Quarantined, ...]


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explains incidents: the analyst, an account for each incident, the memory of past ones."""

    analyst: Analyst | None = None
    budget: Callable[[], Budget] | None = None
    past: Recollection = field(default_factory=Recollection)
    watcher: Watcher | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What earlier runs left in a state folder, held by this process."""

    state: StateFolder
    catalog: Catalog
    miner: DrainMiner
    history: LearnedHistory

    def reading(self, watcher: Watcher | None) -> Callable[[int, str], None]:
        """Reports what was read, and saves the templates on a schedule: a run of hours that is killed keeps them.

        Templates saved early change no finding: what is new is judged by the catalog, which a run writes at its end.
        """
        schedule = Schedule(time.monotonic, SNAPSHOTS)

        def read(lines: int, what: str) -> None:
            if watcher is not None:
                watcher.reading(lines, what)
            if schedule.due():
                schedule.save(self.miner, self.state.templates)

        return read

    def remember(self, detection: Detection, paths: Sequence[str], now: datetime) -> None:
        """Stores templates, counts, incidents and which inputs they came from. The snapshot is a cache; the rest is one
        transaction."""
        from catalog import history, incidents, runs

        save(self.miner, self.state.templates)
        run = runs.Run(
            paths=tuple(str(Path(path).absolute()) for path in paths if path != "stdin"),
            starts_at=detection.window.start,
            ends_at=detection.window.end,
            services=tuple(sorted({t.service for t in detection.history.activity(None, None) if t.service})),
            analysed_at=now,
        )
        with self.catalog.transaction() as connection:
            history.save(connection, learn(detection, self.history).rows())
            incidents.save(connection, detection.incidents)
            if run.paths:
                runs.save(connection, run)


@contextmanager
def learning(state: StateFolder, settings: Settings, command: str) -> Iterator[Learned]:
    """Holds a state folder and what was learned in it."""
    from catalog import history
    from catalog.engine import open_catalog

    with state.locked(command):
        catalog = open_catalog(settings.catalog_location())
        try:
            with catalog.transaction() as connection:
                rows = history.load(connection)
            config = wiring.miner_config(settings)
            miner = load(state.templates, config) if state.templates.exists() else DrainMiner(config)
            yield Learned(state, catalog, miner, LearnedHistory.from_rows(rows))
        finally:
            catalog.close()


def analyze(
    request: Request,
    settings: Settings,
    *,
    state: StateFolder | None,
    now: datetime,
    watcher: Watcher | None = None,
    memory: IncidentMemory | None = None,
) -> Outcome:
    """Detects incidents in files and explains them. With `state`, what was learned before serves as history, and what
    is found is learned and remembered (in `memory`, if that is open already); without, nothing is left behind.

    Raises InputError where no input can be read.
    """
    opened = _open(request.paths, "nothing to analyse")
    baseline = _open(request.baseline, "no baseline") if request.baseline else OpenedSources((), ())
    if state is None:
        detection = run_detection(
            request, settings, opened, baseline, DrainMiner(wiring.miner_config(settings)), None, now, reported(watcher)
        )
        explainer = Explainer(wiring.analyst(settings), wiring.budgets(settings, None), watcher=watcher)
        return _outcome(detection, opened, baseline, request.symptom, now, explainer)
    held = consulted(settings) if memory is None else nullcontext(Recollection(memory, settings.memory_tenant))
    with learning(state, settings, "analyze") as learned, held as past:
        reading = learned.reading(watcher)
        detection = run_detection(request, settings, opened, baseline, learned.miner, learned.history, now, reading)
        explainer = explainer_of(settings, learned, past, watcher)
        outcome = _outcome(detection, opened, baseline, request.symptom, now, explainer)
        learned.remember(detection, detection.sources, now)
        past.keep(outcome.findings, detection)
    return outcome


def explainer_of(settings: Settings, learned: Learned, past: Recollection, watcher: Watcher | None) -> Explainer:
    """The explainer of a run that keeps state: what models cost is booked in the catalog."""
    from catalog.usage import CatalogUsage

    ledger = CatalogUsage(learned.catalog)
    return Explainer(wiring.analyst(settings), wiring.budgets(settings, ledger), past, watcher)


def prompts(
    request: Request, settings: Settings, *, state: StateFolder | None, now: datetime
) -> list[tuple[Incident, ChatRequest]]:
    """What `analyze` with the same arguments would send to a model for each incident. Nothing is sent or learned."""
    opened = _open(request.paths, "nothing to analyse")
    baseline = _open(request.baseline, "no baseline") if request.baseline else OpenedSources((), ())
    analyst = wiring.analyst(settings)
    with ExitStack() as stack:
        miner, history, past = DrainMiner(wiring.miner_config(settings)), None, Recollection()
        if state is not None and state.path.is_dir():
            learned = stack.enter_context(learning(state, settings, "analyze"))
            miner, history = learned.miner, learned.history
        if state is not None:
            past = stack.enter_context(consulted(settings))
        detection = run_detection(request, settings, opened, baseline, miner, history, now, None)
        explainer = Explainer(analyst, None, past)
        worst = sorted(detection.incidents, key=_order)[:EXPLAINED]
        subjects = [_subject(incident, detection, request.symptom, explainer) for incident in worst]
        return [(subject.incident, analyst.prompt(subject)) for subject in subjects]


def _open(paths: Sequence[str], purpose: str) -> OpenedSources:
    opened = open_sources(paths)
    if not opened.sources:
        reasons = "; ".join(f"{item.source}: {item.reason}" for item in opened.unreadable) or "no file matches"
        raise InputError(f"{purpose}: {reasons}")
    return opened


def reported(watcher: Watcher | None) -> Callable[[int, str], None] | None:
    """The progress of a run that keeps no state."""
    return watcher.reading if watcher is not None else None


def run_detection(
    request: Request,
    settings: Settings,
    opened: OpenedSources,
    baseline: OpenedSources,
    miner: DrainMiner,
    learned: LearnedHistory | None,
    now: datetime,
    progress: Callable[[int, str], None] | None,
) -> Detection:
    """Detection with the options of a request and the settings. `progress` is called with the lines read so far and
    what is read."""
    options = DetectionOptions(
        timezone=settings.zone,
        since=request.since,
        until=request.until,
        services=request.services,
        false_discovery_rate=settings.detection_false_discovery_rate,
        threads=settings.detection_threads,
    )
    return detect(
        opened.sources,
        miner=miner,
        options=options,
        baseline=baseline.sources,
        learned=learned,
        observed_at=now,
        progress=progress,
    )


def _outcome(
    detection: Detection,
    opened: OpenedSources,
    baseline: OpenedSources,
    symptom: str | None,
    now: datetime,
    explainer: Explainer,
) -> Outcome:
    unreadable = (*opened.unreadable, *baseline.unreadable)
    findings = explain(detection, unreadable, symptom=symptom, now=now, explainer=explainer)
    return Outcome(findings, detection, unreadable)


def explain(
    detection: Detection,
    unreadable: Sequence[Quarantined] = (),
    *,
    symptom: str | None = None,
    question: str | None = None,
    now: datetime,
    explainer: Explainer | None = None,
) -> Findings:
    """A detection with causes: the suspects of each incident, what is ruled out, what memory has, what to do next."""
    helper = explainer or Explainer()
    ordered = sorted(detection.incidents, key=_order)
    asked = len(ordered[:EXPLAINED])
    found = [
        _finding(number, asked, incident, detection, symptom, question, helper)
        for number, incident in enumerate(ordered, 1)
    ]
    return Findings(
        generated_at=now,
        sources=detection.sources,
        window=detection.window,
        reference=detection.reference,
        stats=detection.stats,
        findings=tuple(found),
        timeline=detection.timeline,
        changes=detection.changes,
        quarantined=(*unreadable, *detection.quarantined),
    )


def _finding(
    number: int,
    asked: int,
    incident: Incident,
    detection: Detection,
    symptom: str | None,
    question: str | None,
    explainer: Explainer,
) -> Finding:
    """What is known of an incident: the report's number `number`. A model may be asked about the first `asked`."""
    subject = _subject(incident, detection, symptom, explainer, question)
    analysis = None
    if explainer.analyst is not None:
        budget = explainer.budget() if explainer.budget is not None and number <= asked else None
        on_text = None
        if budget is not None and explainer.analyst.model is not None and explainer.watcher is not None:
            on_text = explainer.watcher.asking(number, asked)
        analysis = explainer.analyst.explain(subject, budget, on_text)
    return Finding(
        incident=incident,
        suspects=tuple(subject.suspects),
        ruled_out=tuple(subject.ruled_out),
        similar=tuple(subject.similar),
        analysis=analysis,
        next_steps=tuple(subject.next_steps),
    )


def _subject(
    incident: Incident, detection: Detection, symptom: str | None, explainer: Explainer, question: str | None = None
) -> Subject:
    ranking = rank(incident, detection, symptom=symptom)
    past = explainer.past.of(incident, ranking.suspects)
    return Subject(
        incident=incident,
        detection=detection,
        suspects=ranking.suspects,
        ruled_out=ranking.ruled_out,
        similar=past.similar,
        passages=past.passages,
        next_steps=next_steps(
            incident, ranking.suspects, platform_of(incident, detection), services_of(incident, detection)
        ),
        question=question,
    )


def _order(incident: Incident) -> tuple[int, bool, float, str]:
    """Worst level first, then earliest; incidents without a time come last within their level."""
    start = incident.starts_at
    return (-LEVELS.index(incident.level), start is None, 0.0 if start is None else start.timestamp(), incident.id)
