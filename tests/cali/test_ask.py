"""What `cali ask` answers to questions that are not about a cause."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from services.openai_server import Say, openai_server
from support import app_log, cali


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two services: checkout is rolled out and then fails, users is well."""
    folder = tmp_path_factory.mktemp("night")
    lines = app_log().split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith("2026-03-02T10:23:30"))
    lines.insert(at, "2026-03-02T10:23:30Z INFO checkout: deployed version 4.2.0")
    (folder / "checkout.log").write_text("\n".join(lines))
    users = (f"2026-03-02T10:{s // 60:02d}:{s % 60:02d}Z INFO users: login of {s * 7} ok" for s in range(0, 1800, 3))
    (folder / "users.log").write_text("\n".join(users) + "\n")
    assert cali("analyze", "checkout.log", "users.log", "--quiet", cwd=folder).code == 0
    return folder


def ask(folder: Path, *words: str) -> Any:
    done = cali("ask", *words, "--format", "json", cwd=folder)
    assert done.code == 0, done.err
    return done.json


def cited(answer: Any, folder: Path) -> list[str]:
    """The lines that an answer cites."""
    found = re.findall(r"\(([^()\s]+):(\d+)\)", answer["text"])
    return [(folder / name).read_text().split("\n")[int(number) - 1] for name, number in found]


def test_what_changed_is_told_with_its_line(night: Path) -> None:
    answer = ask(night, "what changed before checkout failed?", "--new")
    assert answer["text"].startswith("1 change in the 30 minutes before it began")
    assert cited(answer, night) == ["2026-03-02T10:23:30Z INFO checkout: deployed version 4.2.0"]


def test_what_came_before_is_told_in_order(night: Path) -> None:
    lines = cited(ask(night, "what happened just before checkout failed?", "--new"), night)
    assert "deployed version" in lines[0]
    assert "pool exhausted" in lines[1]
    assert [line[:20] for line in lines] == sorted(line[:20] for line in lines)


def test_a_service_that_is_well_is_told_apart_from_one_that_is_not(night: Path) -> None:
    well = ask(night, "is users healthy?", "--new")
    assert well["text"].startswith("I found no incident of users there.")
    assert well["report"]["incidents"] == [] and well["others"] == 1
    ill = ask(night, "is checkout healthy?", "--new")
    assert ill["text"].startswith("No: checkout takes part in an incident of level high")
    assert "pool" in ill["text"]


def test_a_follow_up_after_a_healthy_service_is_about_what_there_is(night: Path) -> None:
    ask(night, "is users healthy?", "--new")
    answer = ask(night, "what should I check next?")
    assert answer["text"].startswith("1. ")
    assert len(answer["report"]["incidents"]) == 1


def test_without_a_memory_nothing_is_claimed_of_the_past(night: Path) -> None:
    answer = ask(night, "has this happened to checkout before?", "--new")
    assert "cali memory init" in answer["text"]


def test_the_answer_is_short_and_its_details_are_for_the_asking(night: Path) -> None:
    short = cali("ask", "why did checkout fail?", "--new", cwd=night).out
    long = cali("ask", "why did checkout fail?", "--new", "--details", cwd=night).out
    assert "Most likely cause" in short and "Next steps" not in short
    assert "Next steps" in long and len(long) > len(short)


def test_of_a_quiet_time_only_its_own_changes_are_told(tmp_path: Path) -> None:
    lines = app_log(fail_from=None).split("\n")
    for minute in ("03", "20", "29"):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"2026-03-02T10:{minute}:00"))
        lines.insert(at, f"2026-03-02T10:{minute}:00Z INFO checkout: deployed version 4.{minute}.0")
    (tmp_path / "checkout.log").write_text("\n".join(lines))
    assert cali("analyze", "checkout.log", "--quiet", cwd=tmp_path).code == 0
    answer = ask(tmp_path, "what changed between 10:10 and 10:30 on 2026-03-02?", "--new")
    told = cited(answer, tmp_path)
    assert all(line[:16] >= "2026-03-02T10:10" for line in told), answer["text"]


def test_a_service_that_is_not_there_and_one_that_is_misspelt(night: Path) -> None:
    unknown = ask(night, "why did the shipping service fail?", "--new")
    assert unknown["text"].startswith("No service called shipping wrote these logs; those that did: checkout, users.")
    misspelt = ask(night, "why did chekout fail?", "--new")
    assert misspelt["services"] == ["checkout"] and misspelt["text"].startswith("I read chekout as checkout.")


def test_when_it_began_and_whether_all_is_well(night: Path) -> None:
    assert "10:24" in ask(night, "when did checkout fail?", "--new")["text"].split("\n")[0]
    assert ask(night, "is everything ok?", "--new")["text"].startswith("No: there is an incident of level")


def test_where_nothing_that_a_model_said_stands_the_lead_of_code_is_told(night: Path) -> None:
    claim = {"cause": "a meteor", "supporting": [{"id": "E999", "quote": "meteor"}], "confidence": 1.0}
    said = json.dumps({"verdict": "new_cause", "summary": "A meteor.", "hypotheses": [claim]})
    with openai_server(lambda _: Say(said)) as server:
        model = {"CALI_LLM_BASE_URL": server.url, "CALI_LLM_MODEL": "test-model"}
        answer = cali("ask", "why did checkout fail?", "--new", cwd=night, **model).out
    assert "The strongest lead:" in answer and "pool" in answer
    assert "meteor" not in answer
