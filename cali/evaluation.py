"""CALI as a system that `eval` measures: each case through the same detection and ranking as `cali analyze`.

Nothing is learned from one case to the next. The symptom goes to the ranking of causes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from cali.assistant import explain
from cali.evaluation_lines import WatchedMiner, judge_lines, judge_sessions
from core.batch import BATCH
from core.domain import Suspect, Verdict
from core.errors import InputError
from core.findings import Finding, Findings
from core.memory import MemoryDocument, MemoryKind
from eval.system import CaseInput, PredictedEvidence, PredictedIncident, PredictedSuspect, Prediction
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import OpenedSources, open_sources
from ingest.templates.miner import DrainMiner
from report.document import build
from report.html import to_html

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of reading: fixed, so that a case gives the same answer at any time."""

_TEMPLATES_IN_DOCUMENT = 40


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
        scores = judge_lines(first, detection, records)
        sessions = judge_sessions(case.sessions, records) if case.sessions else ()
        return Prediction(
            verdict=_verdict(findings),
            incidents=tuple(_incident(finding) for finding in findings.findings),
            anomalous_lines=scores.flagged,
            line_scores=scores.scores,
            anomalous_sessions=sessions,
            document=_document(case, findings),
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


def _document(case: CaseInput, findings: Findings) -> MemoryDocument:
    """What memory would keep: titles, causes and the templates of the anomalies, the most telling first."""
    parts: list[str] = []
    ids: dict[int, None] = {}
    for finding in findings.findings:
        parts.append(finding.incident.title)
        parts.extend(suspect.cause for suspect in finding.suspects[:3])
        for anomaly in sorted(finding.incident.anomalies, key=lambda a: -a.score):
            if len(ids) < _TEMPLATES_IN_DOCUMENT and anomaly.template_id not in ids:
                ids[anomaly.template_id] = None
                parts.append(anomaly.template)
    first = findings.findings[0].incident if findings.findings else None
    return MemoryDocument(
        id=case.case_id,
        kind=MemoryKind.INCIDENT,
        title=first.title if first else "no incident",
        text="\n".join(parts),
        services=tuple(dict.fromkeys(s for f in findings.findings for s in f.incident.services)),
        level=first.level if first else None,
        starts_at=first.starts_at if first else None,
        ends_at=first.ends_at if first else None,
        template_ids=tuple(ids),
    )
