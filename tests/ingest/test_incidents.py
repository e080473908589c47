"""What belongs to one incident, what opens one, and how long it lasted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from detection_parts import MINUTE, symptom

from core.domain import AnomalyKind
from ingest.incidents import Horizon, describe, extent, group

HORIZON = Horizon(
    end=240 * MINUTE, gap=4 * MINUTE, onset=MINUTE // 2, again=12 * MINUTE, width=MINUTE // 6, last=240 * MINUTE
)


def test_symptoms_of_one_service_join_across_a_short_pause_and_not_across_a_long_one() -> None:
    near = group([symptom(10, 12, template=1), symptom(15, 18, template=2)], HORIZON)
    far = group([symptom(10, 12, template=1), symptom(40, 42, template=2)], HORIZON)
    assert [len(members) for members in near] == [2]
    assert [len(members) for members in far] == [1, 1]


def test_services_join_when_one_names_the_other_or_they_fail_at_once() -> None:
    named = [symptom(10, 20, "api"), symptom(13, 15, "web", template=2, mentions=["api"])]
    at_once = [symptom(10, 20, "api"), symptom(10.3, 12, "web", template=2)]
    strangers = [symptom(10, 20, "api"), symptom(17, 30, "mail", template=2)]
    assert [len(group(each, HORIZON)) for each in (named, at_once, strangers)] == [1, 1, 2]


def test_a_short_failure_of_another_service_within_an_incident_is_a_part_of_it() -> None:
    assert len(group([symptom(10, 40, "api"), symptom(20, 21, "web", template=2)], HORIZON)) == 1


def test_the_same_failure_soon_again_is_one_incident_and_another_one_is_not() -> None:
    again = [symptom(10, 12, template=1), symptom(20, 22, template=1)]
    other = [symptom(10, 12, template=1), symptom(20, 22, template=2)]
    later = [symptom(10, 12, template=1), symptom(60, 62, template=1)]
    assert [len(group(each, HORIZON)) for each in (again, other, later)] == [1, 2, 2]


def test_a_mild_symptom_that_lasts_for_hours_neither_bridges_two_incidents_nor_stretches_one() -> None:
    mild = symptom(5, 200, weight=0.4, alarm=0.4, severity=13, template=3)
    groups = group([symptom(10, 20, template=1), symptom(100, 110, template=2), mild], HORIZON)
    assert len(groups) == 2
    assert extent(groups[0], HORIZON) == (10 * MINUTE, 20 * MINUTE)


def test_what_accompanies_a_later_incident_from_long_before_does_not_date_it_back() -> None:
    mild = symptom(9, 200, "web", weight=0.4, alarm=0.4, severity=13, template=3)
    first, second = symptom(10, 20, "db", template=1), symptom(100, 130, "web", template=2)
    groups = group([first, second, mild], HORIZON)
    assert [extent(members, HORIZON)[0] for members in groups] == [10 * MINUTE, 100 * MINUTE]


def test_incidents_whose_main_symptoms_begin_together_are_one_though_something_mild_began_before() -> None:
    mild = symptom(7, 21, "api", weight=0.4, alarm=0.4, severity=13, template=3)
    at_once = [symptom(10, 20, "api"), mild, symptom(10.5, 15.5, "web", template=2)]
    later = [symptom(10, 20, "api"), mild, symptom(13, 18, "web", template=2)]
    assert [len(group(each, HORIZON)) for each in (at_once, later)] == [1, 2]


def test_milder_symptoms_near_a_strong_one_count_to_its_extent() -> None:
    members = [symptom(10, 20), symptom(9, 22, weight=0.4, template=2)]
    assert extent(members, HORIZON) == (9 * MINUTE, 22 * MINUTE)


def test_weak_news_opens_nothing_however_much_of_it() -> None:
    weak = [symptom(10, 20, weight=0.15, alarm=0.0, severity=9, template=i) for i in range(30)]
    assert group(weak, HORIZON) == []


def test_two_mild_symptoms_together_open_an_incident_and_refused_requests_do_not() -> None:
    mild = [symptom(10, 20, weight=0.4, template=i) for i in (1, 2)]
    line = '"GET /a.php HTTP/1.1" 404 153'
    refused = [symptom(10, 20, weight=0.4, severity=13, template=i, message=line) for i in range(9)]
    assert len(group(mild, HORIZON)) == 1
    assert group(refused, HORIZON) == []


def test_an_unknown_service_goes_with_what_is_near() -> None:
    found = group([symptom(10, 20, "api"), symptom(12, 15, None, template=2)], HORIZON)
    assert [len(members) for members in found] == [2]


def test_a_silence_that_begins_with_an_outage_is_part_of_it() -> None:
    silence = symptom(10, 30, "web", weight=0.55, alarm=0.0, template=2, kind=AnomalyKind.MISSING_TEMPLATE)
    assert len(group([symptom(10.2, 30, "api"), silence], HORIZON)) == 1


def test_requests_for_what_is_not_there_are_no_incident_unless_they_flood() -> None:
    line = '"GET /phpmyadmin/index.php HTTP/1.1" 404 153 "-" "curl/7.88.1"'
    scan = symptom(10, 40, severity=13, message=line)
    flood = replace(scan, anomaly=replace(scan.anomaly, count=900))
    refused = symptom(10, 40, severity=13, message=line.replace("404", "401"))
    assert [len(group([each], HORIZON)) for each in (scan, flood, refused)] == [0, 1, 1]
    assert [len(each) for each in group([scan, symptom(12, 30, template=2)], HORIZON)] == [2]


def test_an_incident_ends_with_the_logs_at_the_latest() -> None:
    """What is missing is missing until the end of its bucket, which may be later than the last line."""
    drop = symptom(230, 250)
    horizon = replace(HORIZON, last=233 * MINUTE)
    incident = describe([drop], horizon, lambda *_: 1.0, (), {id(drop): drop.anomaly})
    assert incident.starts_at is not None and incident.ends_at is not None
    assert incident.ends_at - incident.starts_at == timedelta(minutes=3)
    assert incident.status == "firing"
