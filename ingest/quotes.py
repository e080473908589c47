"""Records quoted as evidence: their first physical line, verbatim, with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.domain import Anomaly, Citation, Evidence, LogRecord
from ingest.anomalies.symptom import Symptom


def evidence(record: LogRecord, template_id: int) -> Evidence:
    """A record quoted: its first physical line, verbatim."""
    return Evidence(record.source, record.position, record.timestamp, record.line, False, record.service, template_id)


def with_evidence(symptoms: Sequence[Symptom], records: Mapping[Citation, LogRecord]) -> dict[int, Anomaly]:
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
