"""Findings to report on: an incident with everything in it, nothing at all, and hostile log text everywhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from core.domain import (
    Analysis,
    Anomaly,
    AnomalyKind,
    Category,
    ChangeEvent,
    ChangeKind,
    Evidence,
    Hypothesis,
    Incident,
    Quarantined,
    RuledOut,
    SimilarIncident,
    Stats,
    Suspect,
    SuspectKind,
    TimeWindow,
    Verdict,
)
from core.findings import Finding, Findings, TimelineBucket

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def evidence(position: int, text: str, minutes: float | None = 0.0, source: str = "payments.log") -> Evidence:
    return Evidence(
        source=source,
        position=position,
        timestamp=None if minutes is None else at(minutes),
        text=text,
        service="payments",
        template_id=position,
    )


CHANGE_LINE = evidence(1234, "2026-11-21T03:11:58.120Z INFO payments config reloaded: db.pool.max 50 -> 5", 11.97)
FIRST_LINE = evidence(1301, "2026-11-21T03:12:04.001Z ERROR payments pool exhausted after 3000 ms (active=5)", 12.07)


def incident_finding() -> Finding:
    anomalies = (
        Anomaly(
            kind=AnomalyKind.NEW_TEMPLATE,
            template_id=0x2A,
            template="pool exhausted after <NUM> ms (active=<NUM>)",
            service="payments",
            severity=17,
            observed=1203.0,
            expected=0.0,
            score=0.99,
            p_value=1e-9,
            why="1,203 records in 29 min; never seen in the 12 min before",
            count=1203,
            first_seen=at(12.07),
            last_seen=at(41.9),
            examples=(FIRST_LINE, evidence(1305, "2026-11-21T03:12:05Z ERROR payments pool exhausted", 12.08)),
        ),
        Anomaly(
            kind=AnomalyKind.NEW_VALUE,
            template_id=0x2B,
            template="POST /checkout status=<NUM>",
            service="gateway",
            severity=13,
            observed="503",
            expected=None,
            score=0.7,
            p_value=None,
            why="status 503 was never seen among 4 values",
            count=310,
            first_seen=at(12.5),
            last_seen=at(41.0),
            examples=(evidence(88, '10.0.0.1 "POST /checkout" 503', 12.5, "gateway.log"),),
        ),
    )
    change = ChangeEvent(
        kind=ChangeKind.CONFIG,
        service="payments",
        timestamp=at(11.97),
        text="config reloaded: db.pool.max 50 -> 5",
        evidence=CHANGE_LINE,
    )
    incident = Incident(
        id="f00dcafe-20261121T0312",
        fingerprint="f00dcafe",
        level="disaster",
        level_reason="87 % of checkout requests fail",
        status="firing",
        starts_at=at(12.07),
        ends_at=at(41.9),
        services=("payments", "gateway"),
        title="payments: connection pool exhausted, checkout answers 503",
        anomalies=anomalies,
        changes=(change,),
        labels={"service": "payments", "env": "prod"},
        annotations={},
    )
    suspects = (
        Suspect(
            kind=SuspectKind.CHANGE,
            score=0.91,
            cause="config change lowered db.pool.max from 50 to 5 on payments",
            why="6 s before the first new error, on the service where it began",
            category=Category.DEPLOY_CONFIG,
            fault_type="bad_config",
            service="payments",
            component="config/payments.yaml",
            evidence=(CHANGE_LINE, FIRST_LINE),
        ),
        Suspect(
            kind=SuspectKind.FRAME,
            score=0.55,
            cause="acquire() in db/pool.py raises PoolTimeout",
            why="deepest own frame of the first trace",
            category=Category.RESOURCE,
            fault_type="connection_pool_exhaustion",
            service="payments",
            component="db/pool.py",
            function="acquire",
            evidence=(FIRST_LINE,),
        ),
    )
    return Finding(
        incident=incident,
        suspects=suspects,
        ruled_out=(
            RuledOut(
                what="TLS handshake warnings of gateway",
                why="present from the start at the same rate (41 before, 39 during)",
                evidence=(evidence(7, "WARN tls handshake EOF", 0.2, "gateway.log"),),
            ),
        ),
        similar=(
            SimilarIncident(
                id="old-1",
                title="payments pool exhausted after config change",
                score=0.83,
                signals=("dense", "templates"),
                times_seen=3,
                last_seen=datetime(2026, 11, 2, 4, 0, tzinfo=UTC),
                cause="db.pool.max lowered by a config push",
                fix="roll back the config map",
                outcome="confirmed",
            ),
        ),
        next_steps=("Compare db.pool.max with the last release", "kubectl rollout history deploy/payments"),
    )


def small_finding() -> Finding:
    """An earlier, milder incident without any suspect."""
    return Finding(
        incident=Incident(
            id="beef-20261121T0301",
            fingerprint="beef",
            level="warning",
            level_reason="",
            status="resolved",
            starts_at=at(1),
            ends_at=at(2),
            services=("search",),
            title="search: slow queries",
            anomalies=(),
        )
    )


def analysis(model: str | None = "gpt-test") -> Analysis:
    return Analysis(
        verdict=Verdict.KNOWN_CAUSE,
        summary="The pool was made too small by a config push; requests queue and time out.",
        hypotheses=(
            Hypothesis(
                kind=SuspectKind.CHANGE,
                score=0.8,
                cause="The config push shrank the connection pool",
                why="E1 precedes E2 by 6 s",
                category=Category.DEPLOY_CONFIG,
                fault_type="bad_config",
                service="payments",
                evidence=(CHANGE_LINE,),
                confidence=0.8,
                supporting=("E1", "E2"),
                contradicting=("E7",),
                confirm_by="set db.pool.max to 50 on one pod",
            ),
        ),
        ruled_out=(RuledOut(what="database is down", why="other clients connect (E9)"),),
        next_steps=("Read the config history",),
        dropped=("the quote of E4 is not in the line",),
        model=model,
        prompt_version="analyse-1",
        input_tokens=3200,
        output_tokens=410,
        cost_usd=0.0123,
    )


def findings(*items: Finding, **changes: object) -> Findings:
    buckets = tuple(
        TimelineBucket(
            start=at(minute),
            end=at(minute + 1),
            counts={"INFO": 200, **({"ERROR": 40 + minute, "WARN": 3} if 12 <= minute < 42 else {})},
        )
        for minute in range(60)
    )
    values: dict[str, object] = {
        "generated_at": at(75),
        "sources": ("payments.log", "gateway.log"),
        "window": TimeWindow(at(0), at(60)),
        "reference": "the 12 min before 03:12:04",
        "stats": Stats(13234, 13200, 34, 57, 1.23456, {"logfmt": 3000, "json": 10200}),
        "findings": items,
        "timeline": buckets,
        "changes": tuple(change for item in items for change in item.incident.changes),
        "quarantined": (
            Quarantined("payments.log", 99, "NUL bytes"),
            Quarantined("payments.log", 120, "NUL bytes"),
            Quarantined("old.gz", 1, "truncated gzip"),
        ),
        **changes,
    }
    return Findings(**values)  # type: ignore[arg-type]


@pytest.fixture
def found() -> Findings:
    return findings(small_finding(), incident_finding())


@pytest.fixture
def nothing_found() -> Findings:
    return findings(quarantined=())


@pytest.fixture
def explained() -> Findings:
    """With an analysis by a model."""
    return findings(small_finding(), dataclasses.replace(incident_finding(), analysis=analysis()))


@pytest.fixture
def unexplained() -> Findings:
    """With an analysis that no model took part in, and that names no cause."""
    unsure = dataclasses.replace(analysis(model=None), verdict=Verdict.INCONCLUSIVE, prompt_version=None)
    return findings(dataclasses.replace(incident_finding(), analysis=unsure))


@pytest.fixture
def timeless() -> Findings:
    """Without any time."""
    return _without_times(findings(small_finding(), incident_finding(), window=TimeWindow(None, None)))


def _without_times(value: Findings) -> Findings:
    removed = _mapped(value, lambda item: None if isinstance(item, datetime) else item)
    return dataclasses.replace(removed, generated_at=value.generated_at)


@pytest.fixture
def poisoned() -> Callable[[Findings, str], Findings]:
    """Puts a payload in place of every text that may come from outside."""

    def poison(value: Findings, payload: str) -> Findings:
        return _mapped(value, lambda item: payload if type(item) is str else item)

    return poison


_CLOSED = ("level", "status", "counts", "fingerprint")  # vocabularies and digests of CALI's own


def _mapped(value, change):  # type: ignore[no-untyped-def]
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(
            value,
            **{
                field.name: _mapped(getattr(value, field.name), change)
                for field in dataclasses.fields(value)
                if field.name not in _CLOSED
            },
        )
    if isinstance(value, tuple):
        return tuple(_mapped(item, change) for item in value)
    if isinstance(value, Mapping):
        return {_mapped(key, change): _mapped(item, change) for key, item in value.items()}
    return change(value)
