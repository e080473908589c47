"""`cali.report/1`: stable JSON, documented field by field."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from core.findings import Findings
from report import models
from report.document import build, from_json, to_json

GOLDEN = Path(__file__).with_name("golden.json")
DOC = Path(__file__).parents[2] / "docs" / "report.md"

SECTIONS: dict[str, type[BaseModel]] = {
    "Report": models.Report,
    "Window": models.WindowModel,
    "Stats": models.StatsModel,
    "Incident": models.IncidentModel,
    "Anomaly": models.AnomalyModel,
    "Evidence": models.EvidenceModel,
    "Change": models.ChangeModel,
    "Suspect": models.SuspectModel,
    "Ruled out": models.RuledOutModel,
    "Similar": models.SimilarModel,
    "Analysis": models.AnalysisModel,
    "Hypothesis": models.HypothesisModel,
    "Bucket": models.BucketModel,
    "Quarantined": models.QuarantinedModel,
}


def test_json_is_stable(explained: Findings) -> None:
    """The golden file is the contract: it changes only together with docs/report.md and the changelog."""
    text = to_json(build(dataclasses.replace(explained, timeline=explained.timeline[10:14]), timezone=UTC))
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_json_reads_back(explained: Findings) -> None:
    report = build(explained, timezone=ZoneInfo("Asia/Seoul"))
    assert from_json(to_json(report)) == report


def test_a_newer_minor_version_is_read(found: Findings) -> None:
    value = json.loads(to_json(build(found)))
    value["incidents"][0]["new_field"] = {"of": "a later CALI"}
    assert from_json(json.dumps(value)) == build(found)


def test_another_schema_is_refused(found: Findings) -> None:
    with pytest.raises(ValidationError):
        from_json(to_json(build(found)).replace("cali.report/1", "cali.report/2"))


def test_times_are_utc_with_z(found: Findings) -> None:
    shifted = dataclasses.replace(
        found, generated_at=datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=9)))
    )
    assert json.loads(to_json(build(shifted)))["generated_at"] == "2026-11-21T03:00:00.000005Z"


def test_naive_times_are_refused(found: Findings) -> None:
    with pytest.raises(ValidationError):
        build(dataclasses.replace(found, generated_at=datetime(2026, 11, 21)))


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (ZoneInfo("Asia/Seoul"), "Asia/Seoul"),
        (UTC, "UTC"),
        (timezone(timedelta(hours=-3, minutes=-30)), "-03:30"),
        (timezone(timedelta(hours=9)), "+09:00"),
        (timezone(timedelta(0)), "UTC"),
    ],
)
def test_zone_names(found: Findings, zone: timezone, name: str) -> None:
    assert build(found, timezone=zone).timezone == name


def test_incidents_come_worst_first_then_earliest(found: Findings) -> None:
    small, big = found.findings
    timeless = dataclasses.replace(
        small, incident=dataclasses.replace(small.incident, id="t", starts_at=None, ends_at=None)
    )
    later = dataclasses.replace(
        small, incident=dataclasses.replace(small.incident, id="l", starts_at=datetime(2026, 11, 21, 3, 5, tzinfo=UTC))
    )
    report = build(dataclasses.replace(found, findings=(timeless, later, small, big)))
    assert [incident.id for incident in report.incidents] == [big.incident.id, small.incident.id, "l", "t"]


def test_what_json_cannot_hold(found: Findings) -> None:
    big = found.findings[1]
    anomaly = dataclasses.replace(big.incident.anomalies[0], observed=math.inf, expected=math.nan, p_value=math.nan)
    odd = dataclasses.replace(big, incident=dataclasses.replace(big.incident, anomalies=(anomaly,)))
    text = to_json(build(dataclasses.replace(found, findings=(odd,), sources=("caf\udce9.log",))))
    value = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    shown = value["incidents"][0]["anomalies"][0]
    assert (shown["observed"], shown["expected"], shown["p_value"]) == (None, None, None)
    assert value["sources"] == ["caf\\udce9.log"]


def test_printing_json_is_harmless_and_loses_nothing(
    found: Findings, poisoned: Callable[[Findings, str], Findings]
) -> None:
    payload = "\x1b[31m\x9b2J\x07\x7f \u202eevil\u2066\u200b\ufeff \U000e0041 안녕"
    text = to_json(build(poisoned(found, payload)))
    assert not [char for char in text if not char.isprintable() and char != "\n"]
    value = json.loads(text)
    assert value["incidents"][0]["title"] == payload
    assert "안녕" in text


def test_nothing_found_is_still_a_whole_report(nothing_found: Findings) -> None:
    value = json.loads(to_json(build(nothing_found)))
    assert value["incidents"] == []
    assert value["sources"] == ["payments.log", "gateway.log"]
    assert value["stats"]["lines"] == 13234


def documented(section: str) -> dict[str, str]:
    """The rows of the first table below a heading: field -> type."""
    text = DOC.read_text(encoding="utf-8")
    match = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"docs/report.md has no section {section}"
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", match.group(1), re.MULTILINE))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_documented(section: str) -> None:
    model = SECTIONS[section]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if section == "Hypothesis":
        fields = {name: field for name, field in fields.items() if name not in models.SuspectModel.model_fields}
    rows = documented(section)
    assert list(rows) == list(fields), "the order of the table is the order of the JSON"
    for name, field in fields.items():
        assert ("null" in rows[name]) == _nullable(field.annotation), f"{section}.{name}: null or not?"


def _nullable(annotation: object) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        return _nullable(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_nullable(part) for part in typing.get_args(annotation))
    return annotation is type(None)


def test_every_model_is_documented() -> None:
    public = {
        value
        for name, value in vars(models).items()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and value.__module__ == models.__name__
        and name[0] != "_"
    }
    assert public == set(SECTIONS.values())
