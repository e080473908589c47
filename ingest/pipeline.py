"""The whole flow of detection: lines -> batches -> templates -> counts -> anomalies -> incidents."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from core import severity
from core.domain import Incident, Stats
from core.findings import Detection
from core.ports import LogReader, LogSource, TemplateMiner
from ingest import axes, incidents, reference, window
from ingest.activity import RunHistory, seen_templates, to_datetime
from ingest.alignment import learned_under_final_ids, under_final_ids, under_same_service
from ingest.anomalies.subject import spoken
from ingest.change_events import change_events, change_places
from ingest.counts import LearnedHistory, TemplateCounts
from ingest.parsing.stream import BatchStream
from ingest.quotes import with_evidence
from ingest.sources.files import FileSource
from ingest.sources.reader import FileReader
from ingest.timeline import timeline

UTC_ZONE: Final = ZoneInfo("UTC")


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
        reader = FileReader(files, timezone=options.timezone, observed_at=observed_at, parsers=stream.parsers)

    whole = under_final_ids(counts.table(), miner)
    known_table = under_same_service(under_final_ids(known.table(), miner), whole) if known is not None else None
    since, until = window.bounds(whole, options.since, options.until)
    table = whole if until is None else whole.filter(~pl.col("timed") | (pl.col("first_time") <= until))
    before = reference.earlier(learned_under_final_ids(learned, miner), run_name(names), table, since)
    compared = reference.describe(known_table, before, to_datetime(since), None)
    terms = axes.Terms(
        templates=templates,
        services=frozenset(table["service"].cast(pl.String).drop_nulls().unique().to_list()),
        known=known_table,
        learned=before,
        since=since,
        reference="the input before it" if compared.startswith("no reference") else compared,
        bucket=options.bucket,
        rate=options.false_discovery_rate,
    )
    judged: dict[bool, axes.Axis] = {}
    for timed in (True, False):
        rows = spoken(table.filter(pl.col("timed") == timed), templates)
        if not rows.is_empty():
            judged[timed] = axes.judge(rows, timed, counts.width if timed else counts.order_width, terms)
    groups = axes.groups(judged)
    symptoms = [symptom for group in groups for symptom in group]
    changed = change_places(judged.values())
    records = reader.read(list(dict.fromkeys([*changed, *(place for s in symptoms for place in s.examples)])))
    changes = change_events(changed, records, observed_at)
    anomalies = with_evidence(symptoms, records)
    opened = [axes.incident(group, judged, changes, anomalies) for group in groups]
    history = RunHistory(
        table=table,
        width=counts.width,
        templates=templates,
        run=run_name(names),
        baseline=known_table,
        learned=before,
        anomalous=tuple(sorted({(s.start, s.end) for s in symptoms if s.timed and s.weight >= incidents.CORE})),
        untimed_anomalous=any(not s.timed and s.weight >= incidents.CORE for s in symptoms),
        observed_at=observed_at,
    )
    if compared.startswith("no reference") and (change := window.change_found(symptoms, table)) is not None:
        compared = reference.describe(None, (), None, change)
    return Detection(
        sources=names,
        window=window.window(table, since),
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
        templates=seen_templates(templates, table),
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
        sources,
        timezone=options.timezone,
        observed_at=observed_at,
        threads=options.threads if options.threads > 1 else 0,
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


def run_name(names: Sequence[str]) -> str:
    """The name of a set of inputs in the learned state, at most 512 characters: a longer one ends in its hash."""
    name = "|".join(sorted(names))
    return name if len(name) <= 512 else f"{name[:447]}|{sha256(name.encode()).hexdigest()}"


def _worst_first(incident: Incident) -> tuple[int, datetime, str]:
    start = incident.starts_at or datetime.min.replace(tzinfo=UTC)
    return -severity.LEVELS.index(incident.level), start, incident.id


def learn(detection: Detection, learned: LearnedHistory | None = None) -> LearnedHistory:
    """What this run counted, as rows to store (this run's only; `learned` is what `detect` was given)."""
    history = detection.history
    if not isinstance(history, RunHistory):
        raise TypeError(f"detect() made no {type(history).__name__}")
    return reference.learn(history, learned)
