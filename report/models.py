"""The types of `cali.report/1`: what one run found, as values that serialise to stable JSON.

`docs/report.md` documents each field (a test holds the two together). Fields may be added under `/1`; none is renamed,
removed or given another meaning. Times are RFC 3339 in UTC with `Z`; template ids are 16 hex digits.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from core.domain import AnomalyKind, Category, ChangeKind, Status, SuspectKind, Verdict
from core.severity import Level

SCHEMA: Final = "cali.report/1"


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _rfc3339(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _encodable(value: object) -> object:
    """Lone surrogates (a file name that is no UTF-8) have no place in JSON: they are shown as `\\udcXX`."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def _finite(value: object) -> object:
    """JSON has no NaN and no infinity: null stands for both."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite_or_zero(value: object) -> object:
    return 0.0 if _finite(value) is None else value


UtcTime = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_rfc3339, when_used="json")]
Text = Annotated[str, BeforeValidator(_encodable)]
TemplateId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Number = Annotated[float, BeforeValidator(_finite_or_zero)]
Value = Annotated[float | Text | None, BeforeValidator(_finite)]


class _Model(BaseModel):
    """Base of the parts. Reading ignores unknown fields, so that an older reader takes a newer `/1`."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class WindowModel(_Model):
    """A span of event time; null where the logs carry no times."""

    start: UtcTime | None
    end: UtcTime | None


class StatsModel(_Model):
    """What was read. `lines` = `parsed` + `unparsed`."""

    lines: int
    parsed: int
    unparsed: int
    templates: int
    seconds: Number
    formats: dict[Text, int]


class EvidenceModel(_Model):
    """A cited line."""

    source: Text
    position: int
    timestamp: UtcTime | None
    text: Text
    redacted: bool = False
    service: Text | None = None
    template_id: TemplateId | None = None


class AnomalyModel(_Model):
    """One thing that is new or different about one template of one service."""

    kind: AnomalyKind
    template_id: TemplateId
    template: Text
    service: Text | None
    severity: int
    observed: Value
    expected: Value
    score: Number
    p_value: Annotated[float | None, BeforeValidator(_finite)]
    why: Text
    count: int
    first_seen: UtcTime | None
    last_seen: UtcTime | None
    examples: tuple[EvidenceModel, ...]


class ChangeModel(_Model):
    """A change that the logs themselves report."""

    kind: ChangeKind
    service: Text | None
    timestamp: UtcTime | None
    text: Text
    evidence: EvidenceModel


class SuspectModel(_Model):
    """A candidate cause, ranked without any model."""

    rank: int
    score: Number
    kind: SuspectKind
    category: Category | None
    fault_type: Text | None
    service: Text | None
    component: Text | None
    function: Text | None
    cause: Text
    why: Text
    evidence: tuple[EvidenceModel, ...]


class HypothesisModel(SuspectModel):
    """A cause proposed by an analysis; evidence ids are those that code has verified."""

    confidence: Number
    supporting: tuple[Text, ...]
    contradicting: tuple[Text, ...]
    confirm_by: Text


class RuledOutModel(_Model):
    """Something that looked like a cause and is not."""

    what: Text
    why: Text
    evidence: tuple[EvidenceModel, ...] = ()


class SimilarModel(_Model):
    """A past incident that resembles this one."""

    id: Text
    title: Text
    score: Number
    signals: tuple[Text, ...]
    times_seen: int
    last_seen: UtcTime | None
    cause: Text | None
    fix: Text | None
    outcome: Text | None


class AnalysisModel(_Model):
    """An incident explained; `model` is null where no model took part."""

    verdict: Verdict
    summary: Text
    hypotheses: tuple[HypothesisModel, ...]
    ruled_out: tuple[RuledOutModel, ...]
    next_steps: tuple[Text, ...]
    similar: tuple[SimilarModel, ...]
    dropped: tuple[Text, ...]
    model: Text | None
    prompt_version: Text | None
    input_tokens: int
    output_tokens: int
    cost_usd: Annotated[float | None, BeforeValidator(_finite)]


class IncidentModel(_Model):
    """Anomalies that belong together, and what is thought about them."""

    id: Text
    fingerprint: Text
    level: Level
    level_reason: Text
    status: Status
    starts_at: UtcTime | None
    ends_at: UtcTime | None
    services: tuple[Text, ...]
    title: Text
    anomalies: tuple[AnomalyModel, ...]
    changes: tuple[ChangeModel, ...]
    suspects: tuple[SuspectModel, ...]
    ruled_out: tuple[RuledOutModel, ...]
    similar: tuple[SimilarModel, ...]
    analysis: AnalysisModel | None
    next_steps: tuple[Text, ...]
    labels: dict[Text, Text]
    annotations: dict[Text, Text]


class BucketModel(_Model):
    """Records of one slice of the input by severity name."""

    start: UtcTime | None
    end: UtcTime | None
    counts: dict[Text, int]


class QuarantinedModel(_Model):
    """A line or a piece of input that could not be used."""

    source: Text
    position: int
    reason: Text


class Report(_Model):
    """The whole report. `timezone` names the zone that the forms for people show; times in here are UTC."""

    schema_: Literal["cali.report/1"] = Field(SCHEMA, alias="schema")
    generated_at: UtcTime
    timezone: str
    sources: tuple[Text, ...]
    window: WindowModel
    reference: Text
    stats: StatsModel
    incidents: tuple[IncidentModel, ...]
    timeline: tuple[BucketModel, ...]
    changes: tuple[ChangeModel, ...]
    quarantined: tuple[QuarantinedModel, ...]
