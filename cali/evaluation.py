"""CALI as a system that `eval` measures: each case through the same detection and ranking as `cali analyze`.

Nothing is learned from one case to the next. The symptom goes to the ranking of causes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from cali.assistant import explain
from cali.evaluation_lines import LineScores, WatchedMiner, judge_lines, judge_sessions
from core.batch import BATCH
from core.config import load
from core.domain import Incident, Suspect, Verdict
from core.errors import InputError
from core.findings import Detection, Finding, Findings
from core.memory import MemoryDocument, MemoryKind
from core.ports import TemplateMiner
from core.severity import WARN
from eval.system import CaseInput, CaseMemory, PredictedEvidence, PredictedIncident, PredictedSuspect, Prediction
from ingest.lines import score_lines
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import OpenedSources, open_sources
from ingest.templates.miner import DrainMiner
from rag.memory.documents import document_of_findings
from rag.suspects import rank
from report.document import build
from report.html import to_html

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of reading: fixed, so that a case gives the same answer at any time."""

_TEMPLATES_IN_DOCUMENT = 24


class CaliSystem:
    """`eval.system.System` and `TemplateSystem` over the real pipeline."""

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads

    def predict(self, case: CaseInput) -> Prediction:
        """Detects and explains one case."""
        first = str(case.logs[0])
        miner = WatchedMiner(DrainMiner(), first)
        zone = ZoneInfo(case.timezone)
        options = DetectionOptions(timezone=zone, since=case.window_start, until=case.window_end, threads=self._threads)
        detection = detect(
            _open([str(path) for path in case.logs]).sources,
            miner=miner,
            options=options,
            baseline=_open([str(path) for path in case.baseline_logs]).sources if case.baseline_logs else (),
            observed_at=NOW,
        )
        findings = explain(detection, symptom=case.symptom, now=NOW)
        records = miner.records()
        scores = (
            _lines_against_baseline(case, detection, miner, zone)
            if case.baseline_logs
            else judge_lines(first, detection, records)
        )
        sessions = judge_sessions(case.sessions, records) if case.sessions else ()
        return Prediction(
            verdict=_verdict(findings),
            incidents=tuple(_incident(finding) for finding in findings.findings),
            anomalous_lines=scores.flagged,
            line_scores=scores.scores,
            anomalous_sessions=sessions,
            document=_document(case, findings, detection),
            report=to_html(build(findings, timezone=zone), timezone=zone),
        )

    def templates(self, messages: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Templates of bare messages, as `cali templates --column` mines them."""
        miner = DrainMiner()
        batch = pl.DataFrame({"body": messages, "service": [None] * len(messages)}).cast(
            {"body": BATCH["body"], "service": BATCH["service"]}
        )
        ids = [miner.resolve(each) for each in miner.assign(batch)["template_id"].to_list()]
        texts = miner.templates()
        return [(str(each), texts[each].text) for each in ids]


def _lines_against_baseline(case: CaseInput, detection: Detection, miner: TemplateMiner, zone: ZoneInfo) -> LineScores:
    """With known-good logs, the news of each line is known by itself, not only that of its template."""
    (source,) = _open([str(case.logs[0])]).sources
    known_good = _open([str(path) for path in case.baseline_logs]).sources
    table = score_lines(
        source, detection=detection, miner=miner, baseline=known_good, timezone=zone, observed_at=NOW
    ).filter(pl.col("score") > 0)
    return LineScores(
        scores=dict(zip(table["position"].to_list(), table["score"].to_list(), strict=True)),
        flagged=tuple(table.filter("anomalous")["position"].to_list()),
    )


def build_system() -> CaliSystem:
    """CALI, as each worker process makes it."""
    return CaliSystem()


def _open(paths: Sequence[str]) -> OpenedSources:
    opened = open_sources(paths)
    if opened.unreadable:
        raise InputError("; ".join(f"{item.source}: {item.reason}" for item in opened.unreadable))
    return opened


def _verdict(findings: Findings) -> str:
    if not findings.findings:
        return Verdict.NO_INCIDENT.value
    known = any(finding.suspects for finding in findings.findings)
    return Verdict.NEW_CAUSE.value if known else Verdict.INCONCLUSIVE.value


def _incident(finding: Finding) -> PredictedIncident:
    incident = finding.incident
    return PredictedIncident(
        starts_at=incident.starts_at,
        ends_at=incident.ends_at or incident.starts_at,
        level=incident.level,
        services=incident.services,
        suspects=tuple(_suspect(rank, suspect) for rank, suspect in enumerate(finding.suspects, 1)),
    )


def _suspect(rank: int, suspect: Suspect) -> PredictedSuspect:
    return PredictedSuspect(
        rank=rank,
        score=suspect.score,
        service=suspect.service,
        component=suspect.component,
        function=suspect.function,
        fault_type=suspect.fault_type,
        category=suspect.category.value if suspect.category else None,
        cause=suspect.cause,
        evidence=tuple(PredictedEvidence(e.source, e.position, e.text) for e in suspect.evidence),
    )


def _document(case: CaseInput, findings: Findings, detection: Detection) -> MemoryDocument:
    """What memory keeps of the case. Where no incident was found, what would be suspected of the window stands for
    it, or the warnings and errors of the log, or else its rarest messages."""
    found = findings.findings or _unfound(case, detection)
    if found:
        return document_of_findings(case.case_id, found, source="eval")
    templates = list(detection.templates.values())
    worst = sorted(
        [template for template in templates if template.severity >= WARN] or templates,
        key=lambda template: (-template.severity, template.count, template.template_id),
    )[:_TEMPLATES_IN_DOCUMENT]
    return MemoryDocument(
        id=case.case_id,
        kind=MemoryKind.INCIDENT,
        title="no incident",
        text="\n".join(template.text for template in worst),
        services=tuple(dict.fromkeys(template.service for template in worst if template.service)),
        starts_at=detection.window.start,
        template_ids=tuple(template.template_id for template in worst),
        source="eval",
    )


def _unfound(case: CaseInput, detection: Detection) -> tuple[Finding, ...]:
    """The suspects of a window in which nothing stood out, as if all but its first quarter were an incident; none where
    the logs carry no times."""
    start, end = detection.window.start, detection.window.end
    if start is None or end is None:
        return ()
    window = Incident(
        id=case.case_id,
        fingerprint=case.case_id,
        level="warning",
        level_reason="no incident was found",
        status="resolved",
        starts_at=start + (end - start) / 4,
        ends_at=end,
        services=(),
        title="no incident",
        anomalies=(),
        changes=detection.changes,
    )
    suspects = rank(window, detection).suspects
    services = tuple(dict.fromkeys(suspect.service for suspect in suspects[:3] if suspect.service))
    return (Finding(replace(window, services=services), suspects),) if suspects else ()


def open_case_memory(signal: str) -> CaseMemory:
    """CALI's memory in this process, empty: all signals (`hybrid`), or one alone (`dense`, `words`, `templates`).

    Raises ConfigError where the embedder's model is not installed.
    """
    from cali.recall import embedder_of, prepare_model, reranker_of
    from cali.wiring import redactor
    from rag.memory.fusion import SIGNALS, Fusion
    from rag.memory.open import open_local

    settings = load()
    fusion = Fusion()
    if signal != "hybrid":
        kept = {"words": "bm25"}.get(signal, signal)
        # Not 0: what only another signal found still comes somewhere, at the end.
        fusion = Fusion(weights={name: 1.0 if name == kept else 1e-6 for name in SIGNALS})
    prepare_model(settings)
    return open_local(
        embedder_of(settings),
        redact=redactor(settings),
        now=lambda: NOW,
        fusion=fusion,
        reranker=reranker_of(settings) if signal == "hybrid" else None,
    )
