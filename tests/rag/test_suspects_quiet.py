"""Faults without an error of their own: changed data, a cold cache, a paused schedule, durations that grew."""

from __future__ import annotations

from core import severity as levels
from core.domain import Anomaly, AnomalyKind, Evidence, LogRecord, Suspect
from core.testing import MemoryLog, change_event, record
from rag.suspects import rank

ONSET = 600

Line = tuple[float, str, int, str]
"""Seconds, service, severity, text."""


def log_of(*lines: Line) -> MemoryLog:
    told = sorted(lines, key=lambda line: line[0])
    return MemoryLog(
        tuple(
            record(text, place, seconds=seconds, severity=severity, service=service)
            for place, (seconds, service, severity, text) in enumerate(told, 1)
        )
    )


def everyday(service: str, text: str = "request served in 20 ms") -> list[Line]:
    return [(float(second), service, levels.INFO, text) for second in range(0, 1200, 10)]


def failing(service: str, text: str, since: float = ONSET) -> list[Line]:
    return [(since + 7.0 * number, service, levels.ERROR, text) for number in range(20)]


def moved(item: LogRecord, why: str, observed: float, expected: float) -> Anomaly:
    """A number of a record's template that is not what it was."""
    place = Evidence(item.source, item.position, item.timestamp, item.line, service=item.service)
    return Anomaly(
        AnomalyKind.NUMERIC_SHIFT, item.template_id or 0, item.body, item.service, levels.INFO, observed, expected,
        0.8, 1e-9, why, 60, item.timestamp, item.timestamp, (place,),
    )  # fmt: skip


def first_at(log: MemoryLog, service: str, text: str, since: float = ONSET) -> LogRecord:
    start = log.records[0].timestamp
    assert start is not None
    return next(
        item
        for item in log.records
        if item.service == service and item.body.startswith(text) and item.timestamp is not None
        and (item.timestamp - start).total_seconds() >= since
    )  # fmt: skip


def named(suspects: tuple[Suspect, ...]) -> list[tuple[str | None, str | None]]:
    return [(each.fault_type, each.service) for each in suspects]


WRITE = "duration: 4488.854 ms  statement: UPDATE meters SET unit = NULL WHERE site = 'north'"
CRASH = "TypeError: unsupported operand type(s) for *: 'float' and 'NoneType'"


def test_a_statement_that_changed_the_data_owns_the_defect_that_readers_show_since() -> None:
    log = log_of(
        *everyday("billing"), (ONSET - 20.0, "postgres", levels.INFO, WRITE), *failing("billing", CRASH)
    )  # fmt: skip
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.fault_type, best.service, best.component) == ("data_corruption", "postgres", "table/meters")
    assert {entry.text for entry in best.evidence} == {WRITE, CRASH}


def test_a_defect_of_a_program_that_was_just_rolled_out_is_not_the_data_s() -> None:
    log = log_of(
        *everyday("billing"),
        (ONSET - 20.0, "postgres", levels.INFO, WRITE),
        (ONSET - 5.0, "billing", levels.INFO, "deployed version 4.2"),
        *failing("billing", CRASH),
    )
    incident = log.incident(ONSET)
    changes = [change_event("deploy", first_at(log, "billing", "deployed", 0))]
    found = named(rank(incident, log.detection(incident, changes=changes)).suspects)
    assert ("data_corruption", "postgres") not in found


def test_a_statement_that_runs_all_day_changed_nothing() -> None:
    daily = [(30.0 * number, "postgres", levels.INFO, WRITE) for number in range(40)]
    log = log_of(*everyday("billing"), *daily, *failing("billing", CRASH))
    incident = log.incident(ONSET)
    assert ("data_corruption", "postgres") not in named(rank(incident, log.detection(incident)).suspects)


def test_data_that_is_found_no_more_is_told_by_how_much_is_found() -> None:
    log = log_of(*everyday("finder", "looked up hits=12"), (ONSET - 20.0, "postgres", levels.INFO, WRITE))
    fell = moved(first_at(log, "finder", "looked up"), "hits: median 0 where 12 is usual (down to 0.1x)", 0.0, 12.0)
    rose = moved(first_at(log, "finder", "looked up"), "hits: median 40 where 12 is usual (3.3x)", 40.0, 12.0)
    for anomaly, expected in ((fell, True), (rose, False)):
        incident = log.incident(ONSET, anomalies=[anomaly])
        found = named(rank(incident, log.detection(incident)).suspects)
        assert (("data_corruption", "postgres") in found) is expected


SLOW = "took_ms: median 900 ms where 20 ms is usual (45x; 60 samples against 60, rank test p=1e-19)"


def test_requests_that_are_slow_since_a_cache_started_again_miss_what_it_held() -> None:
    restart = (ONSET - 15.0, "redis", levels.INFO, "Ready to accept connections tcp")
    log = log_of(*everyday("catalog", "request served"), restart)
    incident = log.incident(ONSET, anomalies=[moved(first_at(log, "catalog", "request"), SLOW, 900.0, 20.0)])
    changes = [change_event("restart", first_at(log, "redis", "Ready", 0))]
    best = rank(incident, log.detection(incident, changes=changes)).suspects[0]
    assert (best.fault_type, best.service) == ("cache_failure", "redis")
    assert ("cache_failure", "redis") not in named(rank(incident, log.detection(incident)).suspects)


def test_a_cache_that_started_long_before_is_warm() -> None:
    restart = (20.0, "redis", levels.INFO, "Ready to accept connections tcp")
    log = log_of(*everyday("catalog", "request served"), restart)
    incident = log.incident(ONSET, anomalies=[moved(first_at(log, "catalog", "request"), SLOW, 900.0, 20.0)])
    changes = [change_event("restart", first_at(log, "redis", "Ready", 0))]
    found = named(rank(incident, log.detection(incident, changes=changes)).suspects)
    assert ("cache_failure", "redis") not in found


def job(seconds: float) -> list[Line]:
    return [(seconds, "", levels.INFO, f"Normal SuccessfulCreate cronjob/tally Created job tally-{int(seconds)}")]


def test_a_scheduled_job_that_pauses_is_missed_though_it_came_back() -> None:
    runs = [line for second in (0, 100, 200, 300, 400, 500, 600, 1000, 1100) for line in job(second)]
    log = log_of(*everyday("shop"), *runs)
    records = tuple(item if item.service else record(item.line, item.position, seconds=_seconds(item, log))
                    for item in log.records)  # fmt: skip
    unnamed = MemoryLog(records)
    incident = unnamed.incident(ONSET, anomalies=[])
    best = rank(incident, unnamed.detection(incident)).suspects[0]
    assert (best.fault_type, best.service, best.component) == ("heartbeat_missing", "tally", "cronjob/tally")


def _seconds(item: LogRecord, log: MemoryLog) -> float:
    start = log.records[0].timestamp
    assert item.timestamp is not None
    assert start is not None
    return (item.timestamp - start).total_seconds()


def test_a_service_that_takes_ten_times_as_long_is_told_before_one_request_that_failed_once() -> None:
    once = (ONSET + 30.0, "shop", levels.WARN, "retrying: stock did not answer within 300 ms")
    log = log_of(*everyday("shop"), *everyday("stock", "counted"), *everyday("ledger", "booked"), once)
    slow = moved(first_at(log, "ledger", "booked"), SLOW, 900.0, 20.0)
    incident = log.incident(ONSET, anomalies=[slow])
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.fault_type, best.service) == ("dependency_slow", "ledger")


def test_of_services_that_grew_slow_the_deepest_is_told_by_a_duration_not_by_a_growth() -> None:
    several = (
        "durations of 9 kinds of request: 90th percentile 48 times the usual where 1.4 times the usual is usual (34x)"
    )
    log = log_of(*everyday("edge", "GET /orders took 30 ms"), *everyday("ledger", "booked"))
    incident = log.incident(
        ONSET,
        anomalies=[
            moved(first_at(log, "edge", "GET"), several, 48.0, 1.4),
            moved(first_at(log, "ledger", "booked"), SLOW, 900.0, 20.0),
        ],
    )
    assert rank(incident, log.detection(incident)).suspects[0].service == "ledger"


def test_statements_that_are_slow_again_and_again_are_what_their_callers_wait_for() -> None:
    statement = "duration: 2718.707 ms  execute <unnamed>: SELECT id FROM entries WHERE account = $1"
    slow = [(ONSET + 20.0 * number, "postgres", levels.INFO, statement) for number in range(20)]
    log = log_of(*everyday("ledger", "booked"), *slow)
    incident = log.incident(ONSET, anomalies=[moved(first_at(log, "ledger", "booked"), SLOW, 900.0, 20.0)])
    best = rank(incident, log.detection(incident)).suspects[0]
    assert (best.fault_type, best.service) == ("slow_query", "postgres")
