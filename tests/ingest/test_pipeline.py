"""Detection end to end, over real files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from detection_logs import START, analysed, between, traffic, write

from core.domain import AnomalyKind, ChangeKind
from ingest.activity import RunHistory
from ingest.counts import LearnedHistory
from ingest.pipeline import learn, run_name

OUTAGE = between(30, 36, 0.4, "ERROR checkout charge of order # failed: connection refused by payment:8443")


def test_an_outage_is_one_incident_with_its_window_service_and_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "app.log", traffic(1, 60, OUTAGE))
    found = analysed(path)
    assert len(found.incidents) == 1
    incident = found.incidents[0]
    assert incident.services == ("checkout",)
    assert incident.level == "high"
    assert incident.status == "resolved"
    assert incident.starts_at is not None and incident.ends_at is not None
    assert abs(incident.starts_at - (START + timedelta(minutes=30))) < timedelta(seconds=30)
    assert abs(incident.ends_at - (START + timedelta(minutes=36))) < timedelta(seconds=30)
    assert "connection refused" in incident.title
    first = incident.anomalies[0]
    assert first.kind is AnomalyKind.NEW_TEMPLATE
    assert first.p_value is not None and first.p_value < 1e-6
    assert str(first.count) in first.why


def test_every_quoted_line_is_that_line_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "app.log", traffic(2, 60, OUTAGE))
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    quoted = [e for i in analysed(path).incidents for a in i.anomalies for e in a.examples]
    assert quoted
    for evidence in quoted:
        assert lines[evidence.position - 1] == evidence.text


@pytest.mark.parametrize("seed", range(4))
def test_ordinary_noise_opens_nothing(tmp_path: Path, seed: int) -> None:
    assert analysed(write(tmp_path / "app.log", traffic(100 + seed, 60))).incidents == ()


def test_a_healthy_hour_against_another_is_quiet_even_when_busier(tmp_path: Path) -> None:
    quiet = write(tmp_path / "yesterday.log", traffic(5, 60, start=START - timedelta(days=1)))
    busy = write(tmp_path / "today.log", traffic(6, 60, load=1.4))
    found = analysed(busy, baseline=(quiet,))
    assert found.incidents == ()
    assert found.reference.startswith("the baseline")


def test_a_baseline_makes_an_incident_of_what_lasts_all_log_long(tmp_path: Path) -> None:
    good = write(tmp_path / "good.log", traffic(7, 60, start=START - timedelta(days=1)))
    bad = write(tmp_path / "bad.log", traffic(8, 30, between(0, 30, 0.3, "ERROR users session store # is unreachable")))
    incidents = analysed(bad, baseline=(good,)).incidents
    assert [i.services for i in incidents] == [("users",)]
    assert incidents[0].status == "firing"


def test_a_harmless_change_is_reported_as_change_and_not_as_incident(tmp_path: Path) -> None:
    loud = between(30, 30.5, 1.0, "INFO users deployed version 1.4.#", "INFO users warming cache shard #")
    found = analysed(write(tmp_path / "app.log", traffic(9, 60, loud)))
    assert found.incidents == ()
    assert {change.kind for change in found.changes} == {ChangeKind.DEPLOY}


def test_a_storm_over_services_is_one_incident(tmp_path: Path) -> None:
    storm = between(
        30,
        38,
        0.3,
        "ERROR checkout charge of order # failed: connection refused",
        "ERROR users login of customer # failed: database is down",
        "FATAL payment cannot open connection pool to db-#",
        "ERROR gateway upstream of request # timed out",
    )
    incidents = analysed(write(tmp_path / "app.log", traffic(10, 60, storm))).incidents
    assert len(incidents) == 1
    assert set(incidents[0].services) == {"checkout", "users", "payment", "gateway"}


def test_two_faults_far_apart_are_two_incidents_and_gaps_split_none(tmp_path: Path) -> None:
    def both(second: float, rng: object) -> list[str]:
        gap = 43 * 60 <= second < 45 * 60  # two silent minutes inside the first fault
        first = (
            []
            if gap
            else between(40, 50, 0.4, "ERROR checkout charge of order # failed: connection refused")(second, rng)
        )  # type: ignore[arg-type]
        return first + between(130, 140, 0.4, "ERROR users disk of shard # is full")(second, rng)  # type: ignore[arg-type]

    incidents = analysed(write(tmp_path / "app.log", traffic(11, 180, both))).incidents
    assert sorted(i.services for i in incidents) == [("checkout",), ("users",)]


def test_a_missed_heartbeat_without_any_error(tmp_path: Path) -> None:
    lines = [line for line in traffic(12, 60) if "heartbeat" not in line or line < "time=2026-03-03T09:40"]
    found = analysed(write(tmp_path / "app.log", lines))
    anomalies = [a for i in found.incidents for a in i.anomalies if a.kind is AnomalyKind.MISSING_TEMPLATE]
    assert anomalies and "heartbeat" in anomalies[0].template
    assert anomalies[0].first_seen is not None
    assert abs(anomalies[0].first_seen - (START + timedelta(minutes=40))) < timedelta(minutes=1)


def test_slow_answers_without_any_error(tmp_path: Path) -> None:
    lines = [
        line.replace("placed in ", "placed in 1") if "placed in" in line and line > "time=2026-03-03T09:40" else line
        for line in traffic(13, 60)
    ]
    incidents = analysed(write(tmp_path / "app.log", lines)).incidents
    assert len(incidents) == 1
    shift = incidents[0].anomalies[0]
    assert shift.kind is AnomalyKind.NUMERIC_SHIFT
    assert isinstance(shift.observed, float) and isinstance(shift.expected, float)
    assert shift.observed > 5 * shift.expected


def test_a_new_status_code(tmp_path: Path) -> None:
    lines = []
    for second in range(3600):
        status = 503 if second > 2400 and second % 3 == 0 else 200
        moment = START + timedelta(seconds=second)
        lines.append(
            json.dumps(
                {"time": moment.isoformat(), "level": "info", "service": "api", "msg": "served", "status": status}
            )
        )
    incidents = analysed(write(tmp_path / "api.log", lines)).incidents
    kinds = {(a.kind, a.observed) for i in incidents for a in i.anomalies}
    assert (AnomalyKind.NEW_VALUE, "503") in kinds


def test_the_same_file_twice_prints_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "app.log", traffic(14, 60, OUTAGE))
    first = analysed(path)
    learned = learn(first)
    again = analysed(path, learned=LearnedHistory.from_rows(tuple(row) for row in learned.rows()))
    assert again.incidents == first.incidents
    assert learn(again, learned) == learned


def test_learned_state_makes_known_noise_known_and_no_incident_normal(tmp_path: Path) -> None:
    noisy = between(0, 60, 0.05, "ERROR checkout legacy import # has no owner")
    day = timedelta(days=1)
    yesterday = analysed(write(tmp_path / "1.log", traffic(15, 60, noisy, start=START - day)))
    today = write(tmp_path / "2.log", traffic(16, 20, noisy))
    assert analysed(today, learned=learn(yesterday)).incidents == ()
    outage = between(20, 26, 0.5, "ERROR users session store # is unreachable")
    broken = analysed(write(tmp_path / "3.log", traffic(17, 60, outage, start=START - day)))
    assert len(broken.incidents) == 1
    rows = learn(broken).rows()
    inside = [row for row in rows if row.weight == 0]
    assert inside and len(inside) < len(rows) / 2
    again = write(tmp_path / "4.log", traffic(18, 60, outage))
    assert len(analysed(again, learned=learn(broken)).incidents) == 1


def test_a_log_without_any_time(tmp_path: Path) -> None:
    def untimed(lines: list[str]) -> list[str]:
        return [line.split(" ", 1)[1] for line in lines]

    broken = analysed(write(tmp_path / "a.log", untimed(traffic(19, 60, OUTAGE))))
    assert len(broken.incidents) == 1
    assert broken.incidents[0].starts_at is None
    assert "connection refused" in broken.incidents[0].title
    assert analysed(write(tmp_path / "b.log", untimed(traffic(20, 60)))).incidents == ()


def test_all_lines_in_one_second_and_a_short_failing_log(tmp_path: Path) -> None:
    lines = [f"2026-03-03T09:00:00Z INFO [app] step {i} done" for i in range(40)]
    lines += ["2026-03-03T09:00:00Z ERROR [app] cannot write result: no space left on device"]
    incidents = analysed(write(tmp_path / "job.log", lines)).incidents
    assert len(incidents) == 1
    assert "no space left" in incidents[0].title


def test_a_clock_that_goes_backwards_loses_nothing(tmp_path: Path) -> None:
    lines = traffic(21, 60, OUTAGE)
    jumbled = lines[2000:4000] + lines[:2000] + lines[4000:]
    found = analysed(write(tmp_path / "app.log", jumbled))
    assert found.stats.lines == found.stats.parsed + found.stats.unparsed == len(lines)
    assert len(found.incidents) == 1
    assert sum(a.count for a in found.incidents[0].anomalies if a.severity == 17) >= 100


def test_since_and_until_bound_the_window(tmp_path: Path) -> None:
    path = write(tmp_path / "app.log", traffic(22, 60, OUTAGE))
    assert analysed(path, since=timedelta(minutes=10)).incidents == ()
    assert analysed(path, until=START + timedelta(minutes=25)).incidents == ()
    late = analysed(path, since=START + timedelta(minutes=20))
    assert len(late.incidents) == 1
    assert late.window.start == datetime(2026, 3, 3, 9, 20, tzinfo=UTC)
    assert "the input before" in late.reference


def test_service_filter(tmp_path: Path) -> None:
    path = write(tmp_path / "app.log", traffic(23, 60, OUTAGE))
    assert analysed(path, services=("users",)).incidents == ()
    assert len(analysed(path, services=("checkout",)).incidents) == 1


def test_an_empty_log(tmp_path: Path) -> None:
    found = analysed(write(tmp_path / "empty.log", []))
    assert found.incidents == () and found.timeline == () and found.stats.lines == 0
    assert learn(found) == LearnedHistory()


def test_history_and_timeline_count_every_record(tmp_path: Path) -> None:
    lines = traffic(24, 60, OUTAGE)
    found = analysed(write(tmp_path / "app.log", lines))
    assert sum(sum(bucket.counts.values()) for bucket in found.timeline) == len(lines)
    assert sum(activity.during for activity in found.history.activity(None, None)) == len(lines)
    incident = found.incidents[0]
    error = incident.anomalies[0]
    inside = {a.template_id: a for a in found.history.activity(incident.starts_at, incident.ends_at)}
    assert inside[error.template_id].before == 0
    assert inside[error.template_id].during == error.count
    assert sum(n for _, n in found.history.series(error.template_id, "checkout")) == error.count
    places = found.history.examples(error.template_id, "checkout", incident.starts_at, incident.ends_at, 5)
    assert len(places) == 5
    assert all("connection refused" in lines[place.position - 1] for place in places)
    assert isinstance(found.history, RunHistory)


@pytest.mark.data
def test_every_failing_ci_log_gives_an_incident_against_its_passing_log(data: Path) -> None:
    cases = [json.loads(line) for line in (data / "ci_failures" / "cases.jsonl").read_text().splitlines()][:8]
    for case in cases:
        logs = [str(data / "ci_failures" / each) for each in case["logs"]]
        known = tuple(str(data / "ci_failures" / each) for each in case["baseline_logs"])
        assert analysed(*logs, baseline=known).incidents, case["case_id"]


def test_long_sets_of_inputs_that_begin_alike_have_different_names() -> None:
    rotated = [f"/var/log/pods/checkout/app.log.{number:03d}" for number in range(40)]
    one, other = run_name(rotated), run_name([*rotated, "/var/log/pods/payment/app.log"])
    assert one != other
    assert len(one) == len(other) == 512
    assert run_name(["b.log", "a.log"]) == "a.log|b.log"
