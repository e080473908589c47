"""Reading and validating datasets: what is sound is read whole, what is not is named with file and line."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from eval.datasets import load_dataset, read_dataset
from eval.labels import Labels, read_labels
from eval.system import CaseInput
from eval.validation import validate_dataset

WriteDataset = Callable[..., Path]
LOG = "one\ntwo\nthree\n"
SOUND: dict[str, Any] = {
    "case_id": "a",
    "logs": ["logs/a.log"],
    "window_start": "2026-03-02T10:00:00Z",
    "window_end": "2026-03-02T11:00:00Z",
    "onset": "2026-03-02T10:30:00Z",
    "is_incident": True,
    "anomalous_lines": [3, 2, 2],
    "root_cause": {"service": "users", "category": "dependency", "fault_type": "slow_query", "text": "slow"},
}


def problems(write: WriteDataset, case: dict[str, Any], **files: str) -> list[str]:
    root = write([case], {"logs/a.log": LOG, **{key.replace("__", "/"): text for key, text in files.items()}})
    return [str(each).replace(f"{root}/", "") for each in validate_dataset(root)]


def test_a_sound_dataset(write_dataset: WriteDataset) -> None:
    root = write_dataset([{**SOUND, "weather": "rain"}], {"logs/a.log": LOG})
    assert validate_dataset(root) == []
    dataset = load_dataset(root)
    assert (dataset.name, dataset.kinds, dataset.timezone) == ("small", ("rca",), "UTC")
    case = dataset.cases[0]
    assert case.fields["weather"] == "rain"
    labels = read_labels(case, root)
    assert labels.anomalous_lines == (2, 3)
    assert labels.root_cause is not None and labels.root_cause.values["service"] == ("users",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logs": ["logs/b.log"]}, "logs names 'logs/b.log', which is no file"),
        ({"logs": "logs/a.log"}, "logs must be a list of paths"),
        ({"logs": []}, "logs is empty and text names no document"),
        ({"onset": "2026-03-02T12:30:00Z"}, "onset 2026-03-02T12:30:00Z is outside the window"),
        ({"onset": "yesterday"}, "onset 'yesterday' is no RFC 3339 time"),
        ({"window_start": "2026-03-02T10:00:00"}, "window_start '2026-03-02T10:00:00' is no RFC 3339 time with a zone"),
        ({"window_end": "2026-03-02T09:00:00Z", "onset": None}, "is after window_end"),
        ({"anomalous_lines": [4]}, "anomalous_lines names line 4, but logs/a.log has 3 lines"),
        ({"anomalous_lines": [0]}, "anomalous_lines names line 0"),
        ({"anomalous_lines": ["1"]}, "anomalous_lines must be a list of line numbers"),
        ({"is_incident": "yes"}, "is_incident must be true, false or null"),
        ({"is_incident": False, "anomalous_lines": []}, "a healthy case (is_incident false) has a root_cause"),
        ({"related": ["z"]}, "related points to 'z', which is no case"),
        ({"related": ["a"]}, "related points to the case itself"),
        ({"root_cause": "disk"}, "root_cause must be an object"),
        ({"root_cause": {"service": 7}}, "root_cause.service must be a string"),
        ({"root_cause": {"category": "weather"}}, "warning: unknown category 'weather'"),
        ({"incidents": [{"id": "1"}]}, "incidents[1]: starts_at is missing"),
        (
            {"incidents": [{"id": "1", "starts_at": "2026-03-02T10:30:00Z", "ends_at": "2026-03-02T10:20:00Z"}]},
            "incidents[1]: ends_at is before starts_at",
        ),
        ({"grey": [{"starts_at": "2026-03-02T10:30:00Z"}]}, "grey[1]: ends_at is missing"),
        ({"sessions": "nowhere.jsonl"}, "sessions names 'nowhere.jsonl', which is no file"),
        ({"text": "notes.md"}, "text names 'notes.md', which is no file"),
        ({"case_id": "x/y"}, "case_id must be a string without '/'"),
    ],
)
def test_what_is_wrong_is_named(write_dataset: WriteDataset, change: dict[str, Any], message: str) -> None:
    found = problems(write_dataset, {**SOUND, **change})
    assert any(each.startswith("cases.jsonl:1: ") and message in each for each in found), found


def test_lines_of_the_file_are_named(write_dataset: WriteDataset) -> None:
    root = write_dataset([SOUND, SOUND], {"logs/a.log": LOG})
    with (root / "cases.jsonl").open("a") as out:
        out.write("\n{broken\n[1]\n")
    found = [str(each).replace(f"{root}/", "") for each in validate_dataset(root)]
    assert found[0] == "cases.jsonl:2: case_id 'a' is already on line 1"
    assert found[1].startswith("cases.jsonl:4: not JSON")
    assert found[2] == "cases.jsonl:5: a case must be a JSON object"
    with pytest.raises(InputError, match=r"cases\.jsonl:4: not JSON"):
        load_dataset(root)


def test_heads_are_checked(write_dataset: WriteDataset, tmp_path: Path) -> None:
    root = write_dataset([SOUND], {"logs/a.log": LOG}, head='title = "x"\ntimezone = "Mars/Base"\nkind = 7\n')
    found = "\n".join(map(str, validate_dataset(root)))
    assert "name is missing" in found and "'Mars/Base' is no IANA" in found and "kind must be" in found
    (root / "dataset.toml").write_text("name = ")
    assert "not TOML" in str(validate_dataset(root)[0])
    assert "no such folder" in str(validate_dataset(tmp_path / "nowhere")[0])
    empty = tmp_path / "empty"
    empty.mkdir()
    assert {each.message.split(":")[0] for each in validate_dataset(empty)} >= {"cannot be read"}


def test_sessions_are_checked(write_dataset: WriteDataset) -> None:
    lines = [
        '{"session_id": "s2", "lines": [9], "is_anomalous": true}',
        '{"session_id": "s1", "lines": [1, 2], "is_anomalous": false}',
    ]
    case = {"case_id": "a", "logs": ["logs/a.log"], "sessions": "sessions.jsonl"}
    root = write_dataset([case], {"logs/a.log": LOG, "sessions.jsonl": "\n".join(lines)})
    assert [each.message for each in validate_dataset(root)] == ["session s2 names line 9, but logs/a.log has 3 lines"]
    # In the order of the file the labels could be guessed.
    assert list(load_dataset(root).cases[0].input.sessions) == ["s1", "s2"]
    (root / "sessions.jsonl").write_text('{"session_id": "s1", "lines": "all"}\n')
    assert "sessions.jsonl:1: lines must be" in str(validate_dataset(root)[0])


def test_pools_and_groups_that_can_never_be_found_are_warned_about(write_dataset: WriteDataset) -> None:
    base = {"logs": ["logs/a.log"], "is_incident": True}
    cases = [
        {**base, "case_id": "a", "pool": "p", "group": "g", "related": ["b", "c"]},
        {**base, "case_id": "b", "pool": "q"},
        {**base, "case_id": "c", "pool": "p", "group": "g"},
    ]
    found = validate_dataset(write_dataset(cases, {"logs/a.log": LOG}))
    assert [each.warning for each in found] == [True, True]
    assert "another pool" in found[0].message and "same group" in found[1].message


def test_case_inputs_hold_no_label(write_dataset: WriteDataset) -> None:
    """Every label carries a canary; none of them is in what a worker gets."""
    canary = "canary-7431"
    case = {
        **SOUND,
        "root_cause": dict.fromkeys(("service", "component", "function", "fault_type", "text"), canary),
        "incidents": [{"id": canary, "starts_at": "2026-03-02T10:30:00Z", "ends_at": None}],
        "related": ["b"],
        "group": canary,
        "pool": canary,
        "anomalous_lines": [2],
        "observable": canary,
        "source": canary,
        "sessions": "sessions.jsonl",
    }
    files = {
        "logs/a.log": LOG,
        "sessions.jsonl": json.dumps({"session_id": "s", "lines": [1], "is_anomalous": True, "why": canary}),
    }
    root = write_dataset([case, {**SOUND, "case_id": "b"}], files)
    seen = load_dataset(root).cases[0].input
    assert canary.encode() not in pickle.dumps(seen)
    assert b"is_anomalous" not in pickle.dumps(seen)
    held = {each.name for each in fields(CaseInput)}
    assert not held & {each.name for each in fields(Labels) if each.name != "sessions"}
    assert held == {
        "case_id",
        "logs",
        "baseline_logs",
        "window_start",
        "window_end",
        "symptom",
        "sessions",
        "timezone",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "case_id",
        "logs",
        "baseline_logs",
        "window_start",
        "window_end",
        "onset",
        "is_incident",
        "incidents",
        "grey",
        "anomalous_lines",
        "sessions",
        "symptom",
        "root_cause",
        "related",
        "related_other_service",
        "pool",
        "group",
        "text",
        "anomalous_lines_annotator2",
    ]
)


@given(case=st.dictionaries(names, json_values, max_size=8))
@settings(max_examples=150, deadline=None)
def test_any_json_is_answered_with_problems_not_a_crash(
    tmp_path_factory: pytest.TempPathFactory, case: dict[str, Any]
) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "dataset.toml").write_text('name = "any"\n')
    (root / "a.log").write_text(LOG)
    (root / "cases.jsonl").write_text(json.dumps({"case_id": "a", "logs": ["a.log"], **case}) + "\n")
    dataset, _ = read_dataset(root)
    found = validate_dataset(root)
    if dataset and dataset.cases and not [each for each in found if not each.warning]:
        read_labels(dataset.cases[0], root)  # what is valid can be read


@pytest.mark.data
def test_the_real_datasets_are_valid(data: Path) -> None:
    for root in sorted(each for each in data.iterdir() if each.is_dir()):
        assert [str(each) for each in validate_dataset(root) if not each.warning] == [], root.name


@pytest.mark.data
def test_loghub_is_a_dataset_of_templates(data: Path) -> None:
    dataset = load_dataset(data / "loghub_2k")
    assert dataset.kinds == ("templates",)
    assert len(dataset.cases) == 10
