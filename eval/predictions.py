"""`predictions.jsonl`: everything predicted, one case a line, so that anyone can score it otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from core.errors import InputError
from core.severity import LEVELS, Level
from eval.system import (
    Outcome,
    PredictedEvidence,
    PredictedIncident,
    PredictedSuspect,
    Prediction,
    SimilarCase,
)


def format_time(value: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and `Z`."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(value: str | None) -> datetime | None:
    """The time of `format_time`."""
    return None if value is None else datetime.fromisoformat(value)


def _suspect(suspect: PredictedSuspect) -> dict[str, object]:
    return {
        "rank": suspect.rank,
        "score": round(suspect.score, 6),
        "service": suspect.service,
        "component": suspect.component,
        "function": suspect.function,
        "fault_type": suspect.fault_type,
        "category": suspect.category,
        "cause": suspect.cause,
        "evidence": [{"source": e.source, "position": e.position, "text": e.text} for e in suspect.evidence],
    }


def _incident(incident: PredictedIncident) -> dict[str, object]:
    return {
        "starts_at": format_time(incident.starts_at),
        "ends_at": format_time(incident.ends_at or incident.starts_at),
        "level": incident.level,
        "services": list(incident.services),
        "suspects": [_suspect(suspect) for suspect in incident.suspects],
    }


def to_json(outcome: Outcome) -> dict[str, object]:
    """One line of `predictions.jsonl`. Times are RFC 3339 UTC; keys of `line_scores` are line numbers as strings."""
    prediction = outcome.prediction
    return {
        "case_id": outcome.case_id,
        "seconds": round(outcome.seconds, 3),
        "verdict": prediction.verdict,
        "incidents": [_incident(incident) for incident in prediction.incidents],
        "anomalous_lines": list(prediction.anomalous_lines),
        "line_scores": {str(line): round(score, 4) for line, score in prediction.line_scores.items()},
        "anomalous_sessions": list(prediction.anomalous_sessions),
        "similar": [{"case_id": s.case_id, "score": round(s.score, 6)} for s in outcome.similar],
        "error": outcome.error,
    }


def from_json(value: dict[str, Any]) -> Outcome:
    """The outcome of one line. Raises KeyError, TypeError or ValueError where a field is missing or of another type."""
    incidents = tuple(
        PredictedIncident(
            starts_at=parse_time(incident["starts_at"]),
            ends_at=parse_time(incident["ends_at"]),
            level=cast(Level, incident["level"]) if incident["level"] in LEVELS else "warning",
            services=tuple(incident["services"]),
            suspects=tuple(
                PredictedSuspect(
                    rank=suspect["rank"],
                    score=suspect["score"],
                    service=suspect["service"],
                    component=suspect["component"],
                    function=suspect["function"],
                    fault_type=suspect["fault_type"],
                    category=suspect["category"],
                    cause=suspect["cause"],
                    evidence=tuple(
                        PredictedEvidence(e["source"], e["position"], e["text"]) for e in suspect["evidence"]
                    ),
                )
                for suspect in incident["suspects"]
            ),
        )
        for incident in value["incidents"]
    )
    prediction = Prediction(
        verdict=value["verdict"],
        incidents=incidents,
        anomalous_lines=tuple(value["anomalous_lines"]),
        line_scores={int(line): score for line, score in value["line_scores"].items()},
        anomalous_sessions=tuple(value["anomalous_sessions"]),
    )
    return Outcome(
        case_id=value["case_id"],
        seconds=value["seconds"],
        prediction=prediction,
        similar=tuple(SimilarCase(s["case_id"], s["score"]) for s in value["similar"]),
        error=value["error"],
    )


def write_predictions(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Writes one line per outcome."""
    with path.open("w", encoding="utf-8") as out:
        for outcome in outcomes:
            out.write(json.dumps(to_json(outcome), ensure_ascii=False) + "\n")


def read_predictions(path: Path) -> list[Outcome]:
    """Reads what `write_predictions` wrote. Raises InputError with file and line where it cannot be read."""
    outcomes = []
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{path} cannot be read: {exc.strerror}") from exc
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                outcomes.append(from_json(json.loads(line)))
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                raise InputError(f"{path}:{number}: not a prediction: {exc!r}") from exc
    return outcomes
