"""The whole flow of detection: lines -> batches -> templates -> counts -> anomalies -> incidents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from core import severity
from core.domain import (
    Anomaly,
    ChangeEvent,
    ChangeKind,
    Citation,
    Evidence,
    Incident,
    LogRecord,
    LogTemplate,
    Stats,
    TimeWindow,
)
from core.findings import Detection
from core.ports import LogReader, LogSource, TemplateMiner
from ingest import incidents, reference
from ingest.activity import RunHistory, to_datetime, to_microseconds
from ingest.alignment import learned_under_final_ids, under_final_ids, under_same_service
from ingest.anomalies import panel as panels
from ingest.anomalies.finder import find
from ingest.anomalies.standing import failing_share, standing
from ingest.anomalies.subject import Facts, Subject, spoken
from ingest.anomalies.symptom import Symptom
from ingest.changes import change_templates
from ingest.counts import SECOND, HistoryRow, LearnedHistory, TemplateCounts
from ingest.parsing.stream import BatchStream
from ingest.sources.files import FileSource
from ingest.sources.reader import FileReader
from ingest.timeline import timeline

UTC_ZONE: Final = ZoneInfo("UTC")

CHANGES_PER_TEMPLATE: Final = 20
"""Change events that one template of one service may report; the earliest are kept."""


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """How to detect.

    `since` and `until` bound the judged window: an aware datetime, or a span before the last record. Records before
    `since` serve as reference; records after `until` are left out. `services`: only these, all where empty.
    `bucket`: width of the judged buckets; chosen from the length of the input where None.
    """

    timezone: ZoneInfo = UTC_ZONE
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    services: tuple[str, ...] = ()
    bucket: timedelta | None = None
    false_discovery_rate: float = 0.01
    threads: int = 2


Progress = Callable[[int, str], None]


def detect(
    sources: Sequence[LogSource],
    *,
    miner: TemplateMiner,
    options: DetectionOptions,
    baseline: Sequence[LogSource] = (),
    learned: LearnedHistory | None = None,
    observed_at: datetime,
    progress: Progress | None = None,
    reader: LogReader | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Detection:
    """What is new or wrong in `sources`, judged against `baseline`, `learned`, or the input before the change.

    `progress` is called with the lines read so far and the source's name; `clock` gives seconds, for the statistics.
    `reader` quotes the evidence; where None, files are read again. Sources that cannot be read are in `quarantined`.
    """
    started = clock()
    known = count(baseline, miner, options, observed_at, progress)[0] if baseline else None
    counts, stream = count(sources, miner, options, observed_at, progress)
    templates = miner.templates()
    names = tuple(source.name for source in sources)
    if reader is None:
        files = [source for source in sources if isinstance(source, FileSource)]
        reader = FileReader(files, timezone=options.timezone, observed_at=observed_at)

    whole = under_final_ids(counts.table(), miner)
    known_table = under_same_service(under_final_ids(known.table(), miner), whole) if known is not None else None
    since, until = _bounds(whole, options)
    table = whole if until is None else whole.filter(~pl.col("timed") | (pl.col("first_time") <= until))
    learned = learned_under_final_ids(learned, miner)
    before = reference.earlier(learned, run_name(names), table, since)
    compared = reference.describe(known_table, before, to_datetime(since), None)
    services = frozenset(table["service"].cast(pl.String).drop_nulls().unique().to_list())

    axes: dict[bool, Axis] = {}
    for timed in (True, False):
        rows = spoken(table.filter(pl.col("timed") == timed), templates)
        if rows.is_empty():
            continue
        width = counts.width if timed else counts.order_width
        axes[timed] = _judge(
            _subject(rows, timed, width, options, known_table, before, since, templates, services, compared)
        )
    groups = _groups(axes)
    all_symptoms = [symptom for group in groups for symptom in group]
    changed = _change_places(axes.values())
    records = reader.read(list(dict.fromkeys([*changed, *(place for s in all_symptoms for place in s.examples)])))
    changes = _changes(changed, records, observed_at)
    anomalies = _with_evidence(all_symptoms, records)
    opened = [_incident(group, axes, changes, anomalies) for group in groups]
    spans = [(s.start, s.end) for s in all_symptoms if s.timed and s.weight >= incidents.CORE]
    history = RunHistory(
        table=table,
        width=counts.width,
        templates=templates,
        run=run_name(names),
        baseline=known_table,
        learned=before,
        anomalous=tuple(sorted(set(spans))),
        untimed_anomalous=any(not s.timed and s.weight >= incidents.CORE for s in all_symptoms),
        observed_at=observed_at,
    )
    if compared.startswith("no reference") and (change := _change_found(all_symptoms, table)) is not None:
        compared = reference.describe(None, (), None, change)
    return Detection(
        sources=names,
        window=_window(table, since),
        reference=compared,
        stats=Stats(
            lines=stream.parsed + stream.unparsed,
            parsed=stream.parsed,
            unparsed=stream.unparsed,
            templates=table["template_id"].n_unique(),
            seconds=round(clock() - started, 3),
            formats=stream.formats,
        ),
        incidents=tuple(sorted(opened, key=_worst_first)),
        changes=tuple(changes),
        timeline=timeline(table),
        quarantined=tuple(stream.quarantined),
        templates=_counted(templates, table),
        history=history,
        reader=reader,
    )


def count(
    sources: Sequence[LogSource],
    miner: TemplateMiner,
    options: DetectionOptions,
    observed_at: datetime,
    progress: Progress | None = None,
) -> tuple[TemplateCounts, BatchStream]:
    """Reads sources one after the other and counts their templates; the stream knows what could not be read."""
    stream = BatchStream(
        sources, timezone=options.timezone, observed_at=observed_at, threads=min(1, options.threads - 1)
    )
    counts = TemplateCounts()
    wanted = list(options.services)
    lines = 0
    for batch in stream:
        source = str(batch["source"][0])
        kept = batch.filter(pl.col("service").cast(pl.String).is_in(wanted)) if wanted else batch
        if not kept.is_empty():
            counts.add(source, miner.assign(kept))
        lines += int(batch["line_count"].sum())
        if progress is not None:
            progress(lines, source)
    return counts, stream


def _bounds(table: pl.DataFrame, options: DetectionOptions) -> tuple[int | None, int | None]:
    """`since` and `until` in microseconds; spans count back from the last record. None where not given or no times."""
    last = table["last_time"].max()
    if last is None:
        return None, None

    def resolve(bound: datetime | timedelta | None) -> int | None:
        if bound is None:
            return None
        if isinstance(bound, timedelta):
            return int(last) - bound // timedelta(microseconds=1)  # type: ignore[arg-type]  # Int64
        return to_microseconds(bound)

    return resolve(options.since), resolve(options.until)


def run_name(names: Sequence[str]) -> str:
    """The name of a set of inputs in the learned state, at most 512 characters: a longer one ends in its hash."""
    name = "|".join(sorted(names))
    return name if len(name) <= 512 else f"{name[:447]}|{sha256(name.encode()).hexdigest()}"


def _horizon(panel: panels.Panel) -> incidents.Horizon:
    """Gaps in proportion to the length of the input, within what people mean by "the same incident"."""
    columns = panel.buckets - panel.start
    length = columns * panel.width
    end = int(panel.starts[-1]) + panel.width
    if not panel.timed:
        return incidents.Horizon(end, max(4 * panel.width, length // 10), panel.width, panel.width)
    gap = max(4 * panel.width, min(max(length // 10, 120 * SECOND), 1200 * SECOND))
    return incidents.Horizon(end, gap, max(2 * panel.width, 30 * SECOND), panel.width)


@dataclass(frozen=True, slots=True)
class Axis:
    """What one axis (time, or order for what has no times) of a run showed."""

    symptoms: list[Symptom]
    groups: list[list[Symptom]]
    facts: Facts
    horizon: incidents.Horizon


def _judge(subject: Subject) -> Axis:
    symptoms, facts = find(subject)
    horizon = _horizon(subject.panel)
    return Axis(symptoms, incidents.group(symptoms, horizon), facts, horizon)


def _groups(axes: Mapping[bool, Axis]) -> list[list[Symptom]]:
    """The incidents of both axes; where there is none, what the log says by itself."""
    found = {timed: axis.groups for timed, axis in axes.items()}
    if not any(found.values()):
        records = sum(axis.facts.records for axis in axes.values())
        found = {
            timed: incidents.group([*axis.symptoms, *standing(axis.facts, records)], axis.horizon)
            for timed, axis in axes.items()
        }
    timed, untimed = found.get(True, []), found.get(False, [])
    if untimed and not timed and True in axes and axes[True].facts.records > axes[False].facts.records:
        untimed = incidents.certain(untimed)
    return incidents.merge_axes(timed, untimed)


def _incident(
    group: Sequence[Symptom],
    axes: Mapping[bool, Axis],
    changes: Sequence[ChangeEvent],
    anomalies: Mapping[int, Anomaly],
) -> Incident:
    axis = axes[any(symptom.timed for symptom in group)]

    def share(start: int, end: int, services: tuple[str, ...]) -> float:
        return failing_share(axis.facts.subject.table, axis.facts, start, end, services)

    return incidents.describe(group, axis.horizon, share, changes, anomalies)


def _with_evidence(symptoms: Sequence[Symptom], records: Mapping[Citation, LogRecord]) -> dict[int, Anomaly]:
    """Each symptom's anomaly, by the symptom's `id()`, with its examples quoted."""
    return {
        id(symptom): replace(
            symptom.anomaly,
            examples=tuple(
                evidence(records[place], symptom.anomaly.template_id) for place in symptom.examples if place in records
            ),
        )
        for symptom in symptoms
    }


def evidence(record: LogRecord, template_id: int) -> Evidence:
    """A record quoted: its first physical line, verbatim."""
    return Evidence(record.source, record.position, record.timestamp, record.line, False, record.service, template_id)


def _change_places(axes: Iterable[Axis]) -> dict[Citation, tuple[int, ChangeKind]]:
    """Places of records that report a change: template and kind."""
    found: dict[Citation, tuple[int, ChangeKind]] = {}
    for axis in axes:
        subject = axis.facts.subject
        kinds = change_templates(
            (key[0], message) for key, message in zip(subject.panel.series, axis.facts.messages, strict=True)
        )
        rows = (
            subject.table.filter(pl.col("template_id").is_in(list(kinds)))
            .sort("bucket", maintain_order=True)
            .group_by("template_id", "service", maintain_order=True)
            .head(CHANGES_PER_TEMPLATE)
            .select("template_id", pl.col("first_source").cast(pl.String), "first_position")
        )
        for template_id, source, position in rows.iter_rows():
            found[Citation(source, position)] = template_id, kinds[template_id]
    return found


def _changes(
    places: Mapping[Citation, tuple[int, ChangeKind]], records: Mapping[Citation, LogRecord], observed_at: datetime
) -> list[ChangeEvent]:
    events = [
        ChangeEvent(
            kind,
            records[place].service,
            records[place].timestamp,
            " ".join(records[place].body.split("\n", 1)[0].split())[:300],
            evidence(records[place], template_id),
        )
        for place, (template_id, kind) in places.items()
        if place in records
    ]
    return sorted(events, key=lambda c: (c.timestamp is None, c.timestamp or observed_at, c.evidence.citation))


def _change_found(symptoms: Sequence[Symptom], table: pl.DataFrame) -> datetime | None:
    """When the input changed: the first symptom that speaks for trouble and has a tenth of the window before it.

    What stands at the very start has too little before it to have been judged against.
    """
    first, last = table["first_time"].min(), table["last_time"].max()
    starts = [s.start for s in symptoms if s.timed and s.anomaly.p_value is not None and s.weight >= incidents.CORE]
    if first is None or last is None or not starts:
        return None
    least = int(first) + (int(last) - int(first)) // 10  # type: ignore[arg-type]  # Int64
    return to_datetime(min((start for start in starts if start >= least), default=None))


def _window(table: pl.DataFrame, since: int | None) -> TimeWindow:
    first, last = table["first_time"].min(), table["last_time"].max()
    if first is None or last is None:
        return TimeWindow(None, None)
    start = max(int(first), since) if since is not None else int(first)  # type: ignore[arg-type]
    return TimeWindow(to_datetime(start), to_datetime(int(last)))  # type: ignore[arg-type]  # Int64


def _counted(templates: Mapping[int, LogTemplate], table: pl.DataFrame) -> dict[int, LogTemplate]:
    """The templates seen in the run, with their counts, worst severity, main service and times."""
    grouped = (
        table.sort("count", descending=True, maintain_order=True)
        .group_by("template_id", maintain_order=True)
        .agg(
            pl.col("count").sum(),
            pl.col("severity").max(),
            pl.col("service").cast(pl.String).first(),
            pl.col("first_time").min(),
            pl.col("last_time").max(),
        )
    )
    return {
        template_id: replace(
            templates.get(template_id, LogTemplate(template_id, "")),
            count=records,
            severity=level,
            service=service,
            first_seen=to_datetime(first),
            last_seen=to_datetime(last),
        )
        for template_id, records, level, service, first, last in grouped.iter_rows()
    }


def _worst_first(incident: Incident) -> tuple[int, datetime, str]:
    start = incident.starts_at or datetime.min.replace(tzinfo=UTC)
    return -severity.LEVELS.index(incident.level), start, incident.id


def learn(detection: Detection, learned: LearnedHistory | None = None) -> LearnedHistory:
    """What this run counted, as rows to store (this run's only; `learned` is what `detect` was given)."""
    history = detection.history
    if not isinstance(history, RunHistory):
        raise TypeError(f"detect() made no {type(history).__name__}")
    return reference.learn(history, learned)


def _subject(
    axis: pl.DataFrame,
    timed: bool,
    width: int,
    options: DetectionOptions,
    known: pl.DataFrame | None,
    before: Sequence[HistoryRow],
    since: int | None,
    templates: Mapping[int, LogTemplate],
    services: frozenset[str],
    compared: str,
) -> Subject:
    judged = panels.analysis_width(axis, width, timed)
    if timed and options.bucket is not None:
        judged = max(width, options.bucket // timedelta(microseconds=1) // width * width)
    known = None if known is None else spoken(known, templates)
    panel = panels.build(
        axis,
        judged,
        timed=timed,
        since=since if timed else None,
        baseline=known,
        baseline_timed=known is not None and bool(known["timed"].all()),
        learned=before,
    )
    words = "the input before it" if compared.startswith("no reference") else compared
    return Subject(axis, panel, templates, services, words, options.false_discovery_rate)
