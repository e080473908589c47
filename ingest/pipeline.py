"""The whole flow of detection: lines -> batches -> templates -> counts -> anomalies -> incidents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from core.findings import Detection
from core.ports import LogSource, TemplateMiner
from ingest.counts import LearnedHistory


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """How to detect.

    `since` and `until` bound the judged window: an aware datetime, or a span before the last record. Records before
    `since` serve as reference; records after `until` are left out. `services`: only these, all where empty.
    `bucket`: width of the counting buckets; chosen from the length of the input where None.
    """

    timezone: tzinfo = UTC
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    services: tuple[str, ...] = ()
    bucket: timedelta | None = None
    false_discovery_rate: float = 0.01
    threads: int = 2


def detect(
    sources: Sequence[LogSource],
    *,
    miner: TemplateMiner,
    options: DetectionOptions,
    baseline: Sequence[LogSource] = (),
    learned: LearnedHistory | None = None,
    observed_at: datetime,
    progress: Callable[[int, str], None] | None = None,
) -> Detection:
    """What is new or wrong in `sources`, judged against `baseline`, `learned`, or the input before the change.

    `progress` is called with the lines read so far and the source's name.
    """
    raise NotImplementedError


def learn(detection: Detection, learned: LearnedHistory | None = None) -> LearnedHistory:
    """What this run counted, as rows to store (the run's own rows only; `learned` is what `detect` was given)."""
    raise NotImplementedError
