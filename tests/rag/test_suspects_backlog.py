"""A waiting line that only numbers tell of is its consumer's."""

from __future__ import annotations

import pytest

from core import severity as levels
from core.domain import Anomaly, AnomalyKind, Evidence
from core.testing import MemoryLog, record
from rag.suspects import rank

ONSET = 600


def best(slower: int, why: str) -> tuple[str | None, str | None, str | None]:
    """The first suspect; the printer writes a record every two seconds, `slower` times fewer from the onset on."""
    lines = []
    for second in range(1200):
        if second % (2 if second < ONSET else 2 * slower) == 0:
            lines.append(record(f"printed label {second}", len(lines) + 1, seconds=second, service="label-printer"))
        if second % 3 == 0:
            lines.append(record(f"asked for label {second}", len(lines) + 1, seconds=second, service="warehouse"))
        if second % 20 == 0:
            depth = 5 if second < ONSET else second - ONSET + 5
            text = f"queue=labels messages_ready={depth} consumers=1"
            lines.append(record(text, len(lines) + 1, seconds=second, service="stats"))
    log = MemoryLog(tuple(lines))
    told = next(item for item in log.records if item.body.startswith("queue=labels messages_ready=25 "))
    shift = Anomaly(
        AnomalyKind.NUMERIC_SHIFT, told.template_id or 0, told.body, "stats", levels.INFO, 300, 5, 0.8, None, why,
        30, told.timestamp, log.records[-1].timestamp,
        (Evidence(told.source, told.position, told.timestamp, told.line, service=told.service),),
    )  # fmt: skip
    incident = log.incident(float(ONSET), anomalies=[shift])
    suspects = rank(incident, log.detection(incident)).suspects
    return (suspects[0].fault_type, suspects[0].service, suspects[0].component) if suspects else (None, None, None)


GREW = "messages_ready: median 300 where 5 is usual (60x; 30 samples against 30, rank test p=1e-09)"


def test_the_consumer_is_the_service_that_does_less_than_before() -> None:
    assert best(4, GREW) == ("queue_backlog", "label-printer", "queue/labels")


def test_where_nobody_does_less_it_is_told_of_who_tells_it() -> None:
    assert best(1, GREW) == ("queue_backlog", "stats", "queue/labels")


@pytest.mark.parametrize(
    "why",
    [
        "messages_ready: median 7 where 5 is usual (1.4x; 30 samples against 30, rank test p=1e-09)",
        "consumers: median 30 where 5 is usual (6x; 30 samples against 30, rank test p=1e-09)",
    ],
)
def test_another_number_is_no_waiting_line(why: str) -> None:
    assert best(4, why)[0] != "queue_backlog"
