"""Logs in memory about which suspects are asked: quiet services, and what is told of an incident."""

from __future__ import annotations

from core import severity as levels
from core.domain import Anomaly, AnomalyKind, LogRecord, Suspect
from core.testing import MemoryLog, change_event, record
from rag.suspects import rank

ONSET = 600.0
SERVICES = ("checkout", "payment", "users", "postgres", "redis")
EVENT = "Normal Scheduled pod/checkout-7d9f8bc5d4-x2k4j Successfully assigned shop/checkout-7d9f8bc5d4-x2k4j to node-a"


def log_of(*told: tuple[float, str | None, int, str]) -> MemoryLog:
    """Ten quiet minutes of services that Kubernetes runs, and what is told: (seconds from the onset, service, ...)."""
    quiet = [(0.0 - ONSET, "kubernetes", levels.INFO, EVENT)]
    for second in range(0, 600, 5):
        quiet += [(second - ONSET, service, levels.INFO, f"handled request {second}") for service in SERVICES]
    entries = sorted((*quiet, *told), key=lambda entry: entry[0])
    return MemoryLog(
        tuple(
            record(text, number, seconds=ONSET + after, service=service, severity=severity)
            for number, (after, service, severity, text) in enumerate(entries, 1)
        )
    )


def suspects(log: MemoryLog, *changed: tuple[str, str], anomalies: list[Anomaly] | None = None) -> tuple[Suspect, ...]:
    incident = log.incident(ONSET, **({"anomalies": anomalies} if anomalies is not None else {}))
    changes = [change_event(kind, next(r for r in log.records if r.line == line)) for kind, line in changed]
    return rank(incident, log.detection(incident, changes=changes)).suspects


def repeated(service: str, text: str, times: int = 6, after: float = 0.0) -> list[tuple[float, str | None, int, str]]:
    return [(after + 10.0 * n, service, levels.ERROR, text) for n in range(times)]


def shift(item: LogRecord, field: str, usual: float, now: float) -> Anomaly:
    return Anomaly(
        AnomalyKind.NUMERIC_SHIFT, item.template_id or 0, item.body, item.service, levels.INFO, now, usual, 0.9, 1e-9,
        f"{field}: median {now:g} ms where {usual:g} ms is usual", 30, item.timestamp, item.timestamp,
    )  # fmt: skip
