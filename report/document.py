"""The typed report, `cali.report/1`: made from the findings of a run, written as JSON, read again.

`docs/report.md` documents each field (a test holds the two together).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from core.domain import (
    Analysis,
    Anomaly,
    ChangeEvent,
    Evidence,
    Hypothesis,
    RuledOut,
    SimilarIncident,
    Suspect,
)
from core.findings import Finding, Findings, TimelineBucket
from core.severity import LEVELS
from core.template_ids import template_hex
from report.models import (
    SCHEMA,
    AnalysisModel,
    AnomalyModel,
    BucketModel,
    ChangeModel,
    EvidenceModel,
    HypothesisModel,
    IncidentModel,
    QuarantinedModel,
    Report,
    RuledOutModel,
    SimilarModel,
    StatsModel,
    SuspectModel,
    WindowModel,
)

__all__ = ["SCHEMA", "Report", "build", "from_json", "to_json"]

_SEVERITY_ORDER: Final = ("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "-")


_UNPRINTABLE: Final = re.compile(
    r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\U000e0000-\U000e007f]"
)
"""Control, invisible and direction-changing characters that JSON allows unescaped."""


def build(findings: Findings, *, timezone: tzinfo = UTC) -> Report:
    """The report of a run. Incidents come worst level first, then earliest (those without a time last), then by id.

    `timezone` is the zone that the forms for people show times in; the report itself keeps UTC.
    """
    return Report(
        generated_at=findings.generated_at,
        timezone=_zone_name(timezone, findings.generated_at),
        sources=findings.sources,
        window=WindowModel(start=findings.window.start, end=findings.window.end),
        reference=findings.reference,
        stats=StatsModel(
            lines=findings.stats.lines,
            parsed=findings.stats.parsed,
            unparsed=findings.stats.unparsed,
            templates=findings.stats.templates,
            seconds=round(findings.stats.seconds, 3),
            formats=dict(sorted(findings.stats.formats.items(), key=lambda item: (-item[1], item[0]))),
        ),
        incidents=tuple(_incident(finding) for finding in sorted(findings.findings, key=_urgency)),
        timeline=tuple(_bucket(bucket) for bucket in findings.timeline),
        changes=tuple(_change(change) for change in findings.changes),
        quarantined=tuple(
            QuarantinedModel(source=item.source, position=item.position, reason=item.reason)
            for item in findings.quarantined
        ),
    )


def _urgency(finding: Finding) -> tuple[int, bool, datetime, str]:
    incident = finding.incident
    starts_at = incident.starts_at
    return (
        -LEVELS.index(incident.level),
        starts_at is None,
        starts_at or datetime.max.replace(tzinfo=UTC),
        incident.id,
    )


def _zone_name(timezone: tzinfo, at: datetime) -> str:
    """The IANA name where the zone has one, else its offset (`+09:00`)."""
    key = getattr(timezone, "key", None)
    if isinstance(key, str):
        return key
    offset = timezone.utcoffset(at) or timedelta()
    if not offset:
        return "UTC"
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _incident(finding: Finding) -> IncidentModel:
    incident = finding.incident
    return IncidentModel(
        id=incident.id,
        fingerprint=incident.fingerprint,
        level=incident.level,
        level_reason=incident.level_reason,
        status=incident.status,
        starts_at=incident.starts_at,
        ends_at=incident.ends_at,
        services=incident.services,
        title=incident.title,
        anomalies=tuple(_anomaly(anomaly) for anomaly in incident.anomalies),
        changes=tuple(_change(change) for change in incident.changes),
        suspects=tuple(_suspect(suspect, rank) for rank, suspect in enumerate(finding.suspects, start=1)),
        ruled_out=tuple(_ruled_out(item) for item in finding.ruled_out),
        similar=tuple(_similar(item) for item in finding.similar),
        analysis=None if finding.analysis is None else _analysis(finding.analysis),
        next_steps=finding.next_steps,
        labels=_ordered(incident.labels),
        annotations=_ordered(incident.annotations),
    )


def _ordered(mapping: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(mapping.items()))


def _evidence(evidence: Evidence) -> EvidenceModel:
    return EvidenceModel(
        source=evidence.source,
        position=evidence.position,
        timestamp=evidence.timestamp,
        text=evidence.text,
        redacted=evidence.redacted,
        service=evidence.service,
        template_id=None if evidence.template_id is None else template_hex(evidence.template_id),
    )


def _lines(evidence: tuple[Evidence, ...]) -> tuple[EvidenceModel, ...]:
    return tuple(_evidence(item) for item in evidence)


def _anomaly(anomaly: Anomaly) -> AnomalyModel:
    return AnomalyModel(
        kind=anomaly.kind,
        template_id=template_hex(anomaly.template_id),
        template=anomaly.template,
        service=anomaly.service,
        severity=anomaly.severity,
        observed=anomaly.observed,
        expected=anomaly.expected,
        score=anomaly.score,
        p_value=anomaly.p_value,
        why=anomaly.why,
        count=anomaly.count,
        first_seen=anomaly.first_seen,
        last_seen=anomaly.last_seen,
        examples=_lines(anomaly.examples),
    )


def _change(change: ChangeEvent) -> ChangeModel:
    return ChangeModel(
        kind=change.kind,
        service=change.service,
        timestamp=change.timestamp,
        text=change.text,
        evidence=_evidence(change.evidence),
    )


def _suspect(suspect: Suspect, rank: int) -> SuspectModel:
    return SuspectModel(
        rank=rank,
        score=suspect.score,
        kind=suspect.kind,
        category=suspect.category,
        fault_type=suspect.fault_type,
        service=suspect.service,
        component=suspect.component,
        function=suspect.function,
        cause=suspect.cause,
        why=suspect.why,
        evidence=_lines(suspect.evidence),
    )


def _hypothesis(hypothesis: Hypothesis, rank: int) -> HypothesisModel:
    return HypothesisModel(
        rank=rank,
        score=hypothesis.score,
        kind=hypothesis.kind,
        category=hypothesis.category,
        fault_type=hypothesis.fault_type,
        service=hypothesis.service,
        component=hypothesis.component,
        function=hypothesis.function,
        cause=hypothesis.cause,
        why=hypothesis.why,
        evidence=_lines(hypothesis.evidence),
        confidence=hypothesis.confidence,
        supporting=hypothesis.supporting,
        contradicting=hypothesis.contradicting,
        confirm_by=hypothesis.confirm_by,
    )


def _ruled_out(item: RuledOut) -> RuledOutModel:
    return RuledOutModel(what=item.what, why=item.why, evidence=_lines(item.evidence))


def _similar(item: SimilarIncident) -> SimilarModel:
    return SimilarModel(
        id=item.id,
        title=item.title,
        score=item.score,
        signals=item.signals,
        times_seen=item.times_seen,
        last_seen=item.last_seen,
        cause=item.cause,
        fix=item.fix,
        outcome=item.outcome,
    )


def _analysis(analysis: Analysis) -> AnalysisModel:
    return AnalysisModel(
        verdict=analysis.verdict,
        summary=analysis.summary,
        hypotheses=tuple(_hypothesis(item, rank) for rank, item in enumerate(analysis.hypotheses, start=1)),
        ruled_out=tuple(_ruled_out(item) for item in analysis.ruled_out),
        next_steps=analysis.next_steps,
        similar=tuple(_similar(item) for item in analysis.similar),
        dropped=analysis.dropped,
        model=analysis.model,
        prompt_version=analysis.prompt_version,
        input_tokens=analysis.input_tokens,
        output_tokens=analysis.output_tokens,
        cost_usd=analysis.cost_usd,
    )


def _bucket(bucket: TimelineBucket) -> BucketModel:
    known = [name for name in _SEVERITY_ORDER if name in bucket.counts]
    others = sorted(name for name in bucket.counts if name not in _SEVERITY_ORDER)
    return BucketModel(
        start=bucket.start, end=bucket.end, counts={name: bucket.counts[name] for name in known + others}
    )


def to_json(report: Report) -> str:
    """The report as JSON, keys in the documented order, ending with a newline.

    Control and direction-changing characters are written as `\\uXXXX` (the same JSON value), so that printing the
    document on a terminal does nothing but show it.
    """
    return _UNPRINTABLE.sub(_escape, report.model_dump_json(indent=2, by_alias=True)) + "\n"


def from_json(text: str | bytes) -> Report:
    """The report of `to_json`, of this or a later `/1`. Raises pydantic.ValidationError where it is none."""
    return Report.model_validate_json(text)


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
