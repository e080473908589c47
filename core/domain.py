"""The vocabulary of CALI: frozen, typed values that cross the borders between rooms.

Times are aware datetimes in UTC, or None where the logs carry none. Scores and confidences lie in [0, 1]. Positions are
1-based. `source:position` is a citation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from core.severity import Level

Status = Literal["firing", "resolved"]


class Citation(NamedTuple):
    """The place of a record: `app.log:1234`."""

    source: str
    position: int

    def __str__(self) -> str:
        return f"{self.source}:{self.position}"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record, as the edges show it (the hot path works on columns, see `core.batch`).

    `line` is the first physical line, verbatim, `folded` the lines after it that belong to the record (those of a stack
    trace, say); `body` the message without its header, folded lines joined by newlines.
    """

    source: str
    position: int
    timestamp: datetime | None
    severity: int
    service: str | None
    body: str
    line: str
    line_count: int = 1
    trace_id: str | None = None
    span_id: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    template_id: int | None = None
    folded: tuple[str, ...] = ()

    @property
    def citation(self) -> Citation:
        return Citation(self.source, self.position)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that supports a statement. `text` is that physical line verbatim, unless `redacted`.

    `record_position` is where the record begins that the line is folded into; None: at the line itself.
    """

    source: str
    position: int
    timestamp: datetime | None
    text: str
    redacted: bool = False
    service: str | None = None
    template_id: int | None = None
    record_position: int | None = None

    @property
    def citation(self) -> Citation:
        """The record that the line belongs to."""
        return Citation(self.source, self.position if self.record_position is None else self.record_position)


@dataclass(frozen=True, slots=True)
class LogTemplate:
    """A message shape. `text` has typed wildcards (`<NUM>`, `<IP>`, `<*>`); `version` counts its generalisations."""

    template_id: int
    text: str
    version: int = 1
    count: int = 0
    severity: int = 0
    service: str | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class TemplateActivity:
    """What one template of one service did inside a window, and before it.

    `before` counts the reference (baseline, learned state, or the input before the window), whose length is
    `reference`; None where there is no timed reference. `first` and `last` are inside the window.
    """

    template_id: int
    text: str
    service: str | None
    severity: int
    during: int
    before: int
    first: Citation
    first_seen: datetime | None
    last_seen: datetime | None
    window: timedelta | None
    reference: timedelta | None


class AnomalyKind(StrEnum):
    """Kinds of anomaly."""

    NEW_TEMPLATE = "new_template"
    RARE_TEMPLATE = "rare_template"
    RATE_SPIKE = "rate_spike"
    RATE_DROP = "rate_drop"
    MISSING_TEMPLATE = "missing_template"
    NEW_VALUE = "new_value"
    NUMERIC_SHIFT = "numeric_shift"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that is new or different about one template of one service.

    `observed` and `expected` are in the unit that `why` names (records per window, a value, a mean); `p_value` is the
    raw one, before the false discovery rate is controlled; `why` is one sentence with the numbers.
    """

    kind: AnomalyKind
    template_id: int
    template: str
    service: str | None
    severity: int
    observed: float | str
    expected: float | str | None
    score: float
    p_value: float | None
    why: str
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    examples: tuple[Evidence, ...] = ()


class ChangeKind(StrEnum):
    """What people or machines changed."""

    DEPLOY = "deploy"
    CONFIG = "config"
    MIGRATION = "migration"
    SCALE = "scale"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A change that the logs themselves report."""

    kind: ChangeKind
    service: str | None
    timestamp: datetime | None
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Incident:
    """Anomalies that belong together. A storm is one incident, not forty.

    `fingerprint` is the same for the same fault at another time (services and templates, no times); `id` is
    `fingerprint` plus start. `ends_at` is the last symptom; `status` says whether it still fires at the end of input.
    """

    id: str
    fingerprint: str
    level: Level
    level_reason: str
    status: Status
    starts_at: datetime | None
    ends_at: datetime | None
    services: tuple[str, ...]
    title: str
    anomalies: tuple[Anomaly, ...]
    changes: tuple[ChangeEvent, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class SuspectKind(StrEnum):
    """The mechanism that named a suspect."""

    CHANGE = "change"
    FIRST_NEW = "first_new"
    FRAME = "frame"
    PROPAGATION = "propagation"
    EXHAUSTION = "exhaustion"
    KUBERNETES_EVENT = "kubernetes_event"
    SILENCE = "silence"


class Category(StrEnum):
    """What kind of thing is at fault."""

    DEPLOY_CONFIG = "deploy_config"
    DEPENDENCY = "dependency"
    RESOURCE = "resource"
    NETWORK = "network"
    DATA = "data"
    SECURITY = "security"
    KUBERNETES = "kubernetes"


FAULT_TYPES: Mapping[str, Category] = {
    # deploy and configuration
    "bad_deploy": Category.DEPLOY_CONFIG,
    "bad_config": Category.DEPLOY_CONFIG,
    "missing_env_var": Category.DEPLOY_CONFIG,
    "feature_flag": Category.DEPLOY_CONFIG,
    "schema_migration": Category.DEPLOY_CONFIG,
    "version_mismatch": Category.DEPLOY_CONFIG,
    # dependencies
    "dependency_down": Category.DEPENDENCY,
    "dependency_slow": Category.DEPENDENCY,
    "slow_query": Category.DEPENDENCY,
    "lock_contention": Category.DEPENDENCY,
    "rate_limited": Category.DEPENDENCY,
    "queue_backlog": Category.DEPENDENCY,
    "cache_failure": Category.DEPENDENCY,
    # resources
    "memory_leak": Category.RESOURCE,
    "out_of_memory": Category.RESOURCE,
    "disk_full": Category.RESOURCE,
    "cpu_saturation": Category.RESOURCE,
    "connection_pool_exhaustion": Category.RESOURCE,
    "file_descriptor_exhaustion": Category.RESOURCE,
    "thread_pool_exhaustion": Category.RESOURCE,
    # network
    "dns_failure": Category.NETWORK,
    "network_partition": Category.NETWORK,
    "packet_loss": Category.NETWORK,
    "connection_refused": Category.NETWORK,
    "clock_skew": Category.NETWORK,
    # data
    "data_corruption": Category.DATA,
    "bad_input": Category.DATA,
    "constraint_violation": Category.DATA,
    "code_defect": Category.DATA,
    # security
    "certificate_expired": Category.SECURITY,
    "credential_expired": Category.SECURITY,
    "permission_denied": Category.SECURITY,
    "brute_force": Category.SECURITY,
    # Kubernetes
    "crash_loop": Category.KUBERNETES,
    "image_pull_failure": Category.KUBERNETES,
    "unschedulable": Category.KUBERNETES,
    "probe_failure": Category.KUBERNETES,
    "node_not_ready": Category.KUBERNETES,
    "eviction": Category.KUBERNETES,
    "heartbeat_missing": Category.DEPENDENCY,
}
"""Vocabulary of fault types and the category each belongs to. Free labels outside it are allowed."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A candidate cause. `score` is comparable across the incidents of a report.

    `component` is a file path or `kind/name`; `cause` says what broke in one line, `why` why we think so, with numbers.
    """

    kind: SuspectKind
    score: float
    cause: str
    why: str
    category: Category | None = None
    fault_type: str | None = None
    service: str | None = None
    component: str | None = None
    function: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Something that looked like a cause and is not, and why."""

    what: str
    why: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident that resembles this one; `signals`: what found it (`dense`, `bm25`, `templates`, `signature`)."""

    id: str
    title: str
    score: float
    signals: tuple[str, ...]
    times_seen: int = 1
    last_seen: datetime | None = None
    cause: str | None = None
    fix: str | None = None
    outcome: str | None = None
    confirmed: bool = False  # whether people gave or confirmed the cause; else it is what CALI suspected then
    same_cause: float = 0.0  # the probability that the cause is the same; `score` only orders


class Verdict(StrEnum):
    """What an analysis concludes."""

    KNOWN_CAUSE = "known_cause"
    NEW_CAUSE = "new_cause"
    NO_INCIDENT = "no_incident"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Hypothesis(Suspect):
    """A cause proposed by an analysis. Ids (`E1`, ...) name items of the evidence pack; only verified ones remain."""

    confidence: float = 0.0
    supporting: tuple[str, ...] = ()
    contradicting: tuple[str, ...] = ()
    confirm_by: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """An incident explained. `model` is None where no model took part; `dropped` lists claims that code refused."""

    verdict: Verdict
    summary: str
    hypotheses: tuple[Hypothesis, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    next_steps: tuple[str, ...] = ()
    similar: tuple[SimilarIncident, ...] = ()
    dropped: tuple[str, ...] = ()
    model: str | None = None
    prompt_version: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line or a piece of input that could not be used, with the reason; it is counted, never lost silently."""

    source: str
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run read. `lines` = `parsed` + `unparsed`, physical lines (a folded line counts as its record does)."""

    lines: int = 0
    parsed: int = 0
    unparsed: int = 0
    templates: int = 0
    seconds: float = 0.0
    formats: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A span of event time; None where the logs carry no times."""

    start: datetime | None
    end: datetime | None
