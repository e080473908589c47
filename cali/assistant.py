"""The use cases that span ingest, rag and catalog: detect and explain what is in some logs, and learn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from cali.state import StateFolder
from catalog import history, incidents
from catalog.engine import Catalog, open_catalog
from core.config import Settings
from core.domain import Incident, Quarantined
from core.errors import InputError
from core.findings import Detection, Finding, Findings
from core.severity import LEVELS
from ingest.counts import LearnedHistory
from ingest.pipeline import DetectionOptions, detect, learn
from ingest.sources.files import OpenedSources, open_sources
from ingest.templates.miner import DrainMiner
from rag.next_steps import next_steps
from rag.suspects import rank

Progress = Callable[[int, str], None]


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
    """What an analysis gives. `unreadable` names inputs that could not be read while others could."""

    findings: Findings
    detection: Detection
    unreadable: tuple[Quarantined, ...]


def analyze(
    request: Request, settings: Settings, *, state: StateFolder | None, now: datetime, progress: Progress | None = None
) -> Outcome:
    """Detects incidents in files and explains them. With `state`, what was learned before serves as history, and what
    is found is learned; without, nothing is left behind.

    Raises InputError where no input can be read.
    """
    opened = _open(request.paths, "nothing to analyse")
    baseline = _open(request.baseline, "no baseline") if request.baseline else OpenedSources((), ())
    if state is None:
        detection = _detect(request, settings, opened, baseline, DrainMiner(), None, now, progress)
        return _outcome(detection, opened, baseline, request.symptom, now)
    with _learning(state, settings, "analyze") as learned:
        detection = _detect(request, settings, opened, baseline, learned.miner, learned.history, now, progress)
        outcome = _outcome(detection, opened, baseline, request.symptom, now)
        learned.remember(detection)
    return outcome


@dataclass(frozen=True, slots=True)
class _Learned:
    """What earlier runs left in a state folder, held by this process."""

    state: StateFolder
    catalog: Catalog
    miner: DrainMiner
    history: LearnedHistory

    def remember(self, detection: Detection) -> None:
        """Stores templates, counts and incidents. The snapshot is a cache; counts and incidents are one transaction."""
        from ingest.templates.snapshots import save

        save(self.miner, self.state.templates)
        with self.catalog.transaction() as connection:
            history.save(connection, learn(detection, self.history).rows())
            incidents.save(connection, detection.incidents)


@contextmanager
def _learning(state: StateFolder, settings: Settings, command: str) -> Iterator[_Learned]:
    from ingest.templates.snapshots import load

    with state.locked(command):
        catalog = open_catalog(settings.catalog_location())
        try:
            with catalog.transaction() as connection:
                rows = history.load(connection)
            miner = load(state.templates) if state.templates.exists() else DrainMiner()
            yield _Learned(state, catalog, miner, LearnedHistory.from_rows(rows))
        finally:
            catalog.close()


def _open(paths: Sequence[str], purpose: str) -> OpenedSources:
    opened = open_sources(paths)
    if not opened.sources:
        reasons = "; ".join(f"{item.source}: {item.reason}" for item in opened.unreadable) or "no file matches"
        raise InputError(f"{purpose}: {reasons}")
    return opened


def _detect(
    request: Request,
    settings: Settings,
    opened: OpenedSources,
    baseline: OpenedSources,
    miner: DrainMiner,
    learned: LearnedHistory | None,
    now: datetime,
    progress: Progress | None,
) -> Detection:
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
    detection: Detection, opened: OpenedSources, baseline: OpenedSources, symptom: str | None, now: datetime
) -> Outcome:
    unreadable = (*opened.unreadable, *baseline.unreadable)
    return Outcome(explain(detection, unreadable, symptom=symptom, now=now), detection, unreadable)


def explain(
    detection: Detection, unreadable: Sequence[Quarantined] = (), *, symptom: str | None = None, now: datetime
) -> Findings:
    """A detection with causes: the suspects of each incident, what is ruled out, what to do next."""
    found = [_finding(incident, detection, symptom) for incident in detection.incidents]
    found.sort(key=_order)
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


def _finding(incident: Incident, detection: Detection, symptom: str | None) -> Finding:
    ranking = rank(incident, detection, symptom=symptom)
    return Finding(
        incident=incident,
        suspects=ranking.suspects,
        ruled_out=ranking.ruled_out,
        next_steps=next_steps(incident, ranking.suspects),
    )


def _order(finding: Finding) -> tuple[int, bool, float, str]:
    """Worst level first, then earliest; incidents without a time come last within their level."""
    start = finding.incident.starts_at
    level = LEVELS.index(finding.incident.level)
    return (-level, start is None, 0.0 if start is None else start.timestamp(), finding.incident.id)
