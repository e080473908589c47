"""A failure is looked for where it began, not where it was handed on."""

from __future__ import annotations

from core import severity as levels
from core.domain import LogRecord
from core.testing import MemoryLog, record
from rag.suspects import rank

ONSET = 600.0

ORIGIN = """No block device could be connected
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/volumes/manager.py", line 91, in attach
    return self.target.connect(volume)
  File "/usr/lib/python3/dist-packages/volumes/targets/iscsi.py", line 60, in connect
    out = execute("iscsiadm", portal)
  File "/usr/lib/python3/dist-packages/oslo_concurrency/processutils.py", line 424, in execute
    raise ProcessExecutionError
ProcessExecutionError: Unexpected error while running command."""

CALLER = """Instance failed block device setup
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/compute/manager.py", line 22, in build
    self.volumes.attach(device)
  File "/usr/lib/python3/dist-packages/compute/volume.py", line 39, in attach
    return client.attachments.update(ref)
  File "/usr/lib/python3/dist-packages/volumesclient/v3/attachments.py", line 67, in update
    return self._update(url, body)
ClientException: Unable to update the attachment (HTTP 500)"""

AGAIN = CALLER.replace("Instance failed block device setup", "Build failed").replace(
    """
  File "/usr/lib/python3/dist-packages/volumesclient/v3/attachments.py", line 67, in update
    return self._update(url, body)""",
    "",
)

REMOTE = "Caught error: RemoteError Remote error: ProcessExecutionError Unexpected error while running command."

WRAPPED = """Error from the last host
Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/volumes/scheduler.py", line 14, in place
    raise Rescheduled(reason)
RescheduledException: Build was re-scheduled: Unexpected error while running command."""


def told(*trouble: tuple[str, str, float]) -> MemoryLog:
    """Ten quiet minutes of two services, then bodies at ERROR."""
    records: list[LogRecord] = []
    for second in range(0, 600, 5):
        for service in ("compute", "volumes"):
            records.append(record(f"handled {second}", len(records) + 1, seconds=second, service=service))
    for body, service, after in trouble:
        head = body.split("\n", 1)[0]
        records.append(
            record(head, len(records) + 1, seconds=ONSET + after, service=service, severity=levels.ERROR, body=body)
        )
    return MemoryLog(tuple(records))


def first(log: MemoryLog) -> tuple[str | None, str | None, str | None]:
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    return best.service, best.component, best.function


IN_VOLUMES = ("volumes", "volumes/targets/iscsi.py", "connect")


def test_the_caller_of_a_failing_service_is_not_the_cause() -> None:
    assert first(told((ORIGIN, "volumes", 0), (CALLER, "compute", 0.3), (AGAIN, "compute", 0.4))) == IN_VOLUMES


def test_a_remote_error_points_away_from_who_tells_it() -> None:
    assert first(told((ORIGIN, "volumes", 0), (REMOTE, "volumes", 0.2), (CALLER, "compute", 0.3))) == IN_VOLUMES


def test_a_wrapper_that_repeats_the_message_comes_after_what_it_wraps() -> None:
    assert first(told((ORIGIN, "volumes", 0), *((WRAPPED, "volumes", n / 9) for n in range(1, 9)))) == IN_VOLUMES


def test_without_an_origin_the_caller_speaks_for_itself() -> None:
    service, component, function = first(told((CALLER, "compute", 0)))
    assert (service, component, function) == ("compute", "compute/volume.py", "attach")


def test_what_failed_later_is_no_origin() -> None:
    assert first(told((CALLER, "compute", 0), (ORIGIN.replace("Unexpected", "Odd"), "volumes", 240)))[0] == "compute"


def test_an_answer_that_carries_another_services_message_points_there() -> None:
    said = "could not charge the card: rpc error: code = DeadlineExceeded desc = context deadline exceeded"
    answer = f"failed to complete the order: rpc error: code = Internal desc = {said}"
    told_by_both = told(*((text, name, n) for n in range(3) for text, name in ((answer, "compute"), (said, "volumes"))))
    assert first(told_by_both)[0] == "volumes"


def test_a_database_known_only_by_the_name_of_a_library_is_no_service() -> None:
    locked = """Synchronisation failed: Lock wait timeout exceeded
Traceback (most recent call last):
  File "/srv/volumes/sync.py", line 88, in run
    self.store.replace(rows)
  File "/srv/volumes/store.py", line 142, in replace
    cursor.execute(statement, values)
  File "/usr/lib/python3/dist-packages/pymysql/cursors.py", line 153, in execute
    result = self._query(query)
pymysql.err.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')"""
    assert first(told((locked, "volumes", 0))) == ("volumes", "volumes/store.py", "replace")


def test_a_failure_handed_on_without_a_complaint_proposes_nothing_of_its_origin() -> None:
    """The origin does not say what is wrong with it, and its caller's words name no fault either."""
    said = "ledger entry 4711 left half written"
    log = told(
        *(
            (text, name, n)
            for n in range(3)
            for text, name in ((f"booking went wrong: {said}", "compute"), (said, "volumes"))
        )
    )
    incident = log.incident(ONSET)
    assert all(suspect.score > 0 for suspect in rank(incident, log.detection(incident)).suspects)
