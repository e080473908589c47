"""`cali ask`, `cali doctor`, `cali --help` and the shell completion, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from services.openai_server import Say, openai_server
from support import app_log, cali, cali_on_terminal


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log and the state that its analysis left."""
    folder = tmp_path_factory.mktemp("ask")
    (folder / "checkout.log").write_text(app_log())
    assert cali("analyze", "checkout.log", "--quiet", cwd=folder).code == 0
    return folder


def ask(folder: Path, *words: str) -> Any:
    done = cali("ask", *words, "--format", "json", cwd=folder)
    assert done.code == 0, done.err
    return done.json


def test_a_question_is_answered_with_citations_that_resolve(analysed: Path) -> None:
    answer = ask(analysed, "why did checkout fail between 10:20 and 10:30 on 2026-03-02?", "--new")
    assert answer["schema"] == "cali.answer/1"
    assert answer["services"] == ["checkout"]
    assert "pool" in answer["text"]
    evidence = answer["report"]["incidents"][0]["suspects"][0]["evidence"][0]
    lines = (analysed / "checkout.log").read_text().split("\n")
    assert evidence["text"] == lines[evidence["position"] - 1]


def test_the_last_minutes_are_counted_from_the_newest_line_where_the_logs_are_old(analysed: Path) -> None:
    answer = ask(analysed, "what happened in the last 5 minutes?", "--new")
    assert answer["window_start"].startswith("2026-03-02T10:24")
    assert "newest line" in answer["searched"]
    assert len(answer["report"]["incidents"]) == 1


def test_a_healthy_time_gives_an_honest_empty_answer(analysed: Path) -> None:
    answer = ask(analysed, "anything wrong with checkout between 10:00 and 10:10 on 2026-03-02?", "--new")
    assert answer["report"]["incidents"] == []
    assert answer["text"].startswith("I found no incident of checkout")
    assert "Searched: " in answer["text"]


def test_a_follow_up_takes_the_window_from_the_question_before(analysed: Path) -> None:
    first = ask(analysed, "why did checkout fail between 10:20 and 10:30 on 2026-03-02?", "--new")
    second = ask(analysed, "and what should I check?")
    assert second["session"] == first["session"]
    assert second["window_start"] == first["window_start"]
    third = ask(analysed, "why did checkout fail?", "--new")
    assert third["session"] != first["session"]


def test_where_the_files_are_gone_the_record_answers(tmp_path: Path) -> None:
    (tmp_path / "checkout.log").write_text(app_log())
    cali("analyze", "checkout.log", "--quiet", cwd=tmp_path)
    (tmp_path / "checkout.log").unlink()
    answer = ask(tmp_path, "why did checkout fail?")
    assert "on record" in answer["searched"]
    assert answer["report"]["incidents"][0]["anomalies"]


def test_asking_before_anything_was_analysed_says_what_to_do(tmp_path: Path) -> None:
    done = cali("ask", "why?", cwd=tmp_path)
    assert done.code == 2
    assert "cali analyze" in done.err


def test_a_model_is_asked_and_what_it_cost_is_on_record(analysed: Path) -> None:
    def script(body: dict[str, Any]) -> Say:
        block = body["messages"][1]["content"].split("<evidence>\n")[1].split("\n</evidence>")[0]
        item = next(i for i in map(json.loads, block.split("\n")) if i["kind"] == "line" and "exhausted" in i["text"])
        quote = {"id": item["id"], "quote": "connection pool exhausted"}
        best = {"cause": "the connection pool of checkout is exhausted", "confidence": 0.9, "supporting": [quote]}
        return Say(json.dumps({"verdict": "new_cause", "summary": "The pool is exhausted.", "hypotheses": [best]}))

    with openai_server(script) as server:
        model = {"CALI_LLM_BASE_URL": server.url, "CALI_LLM_MODEL": "test-model", "CALI_LLM_API_KEY": "sk-secret"}
        done = cali("analyze", "checkout.log", "--format", "json", cwd=analysed, **model)
        assert done.code == 0, done.err
        analysis = done.json["incidents"][0]["analysis"]
        assert analysis["model"] == "test-model"
        assert analysis["prompt_version"] == "analysis/1"
        assert analysis["input_tokens"] == 1000
        capped = cali(
            "analyze", "checkout.log", "--format", "json", cwd=analysed, CALI_LLM_DAILY_TOKEN_CAP="1500", **model
        )
        assert capped.json["incidents"][0]["analysis"]["model"] is None
        assert "per day" in " ".join(capped.json["incidents"][0]["analysis"]["dropped"])
        assert len(server.requests) == 1
        doctor = cali("doctor", "--format", "json", cwd=analysed, **model)
        assert {c["name"]: c["status"] for c in doctor.json["checks"]}["model"] == "ok"
        assert "sk-secret" not in doctor.out + done.out


def test_on_a_terminal_a_reply_shows_its_length_and_none_of_its_words(tmp_path: Path) -> None:
    """Until it is checked, a reply is no finding: neither the terminal nor the report has its claims."""
    (tmp_path / "checkout.log").write_text(app_log())
    claim = "gremlins ate the database"
    unfounded = {"cause": claim, "confidence": 0.9, "supporting": [{"id": "E1", "quote": claim}]}
    said = json.dumps({"verdict": "new_cause", "summary": claim, "hypotheses": [unfounded]})
    for arguments in (["analyze", "checkout.log"], ["ask", "why did checkout fail?"]):
        with openai_server(lambda _: Say(said, stall=0.7)) as server:
            environment = {"CALI_LLM_BASE_URL": server.url, "CALI_LLM_MODEL": "test-model", "TERM": "xterm"}
            out, shown = cali_on_terminal(*arguments, "--format", "json", cwd=tmp_path, **environment)
            assert len(server.requests) == 1
        assert "asking the model" in shown
        assert f"the model answers: {len(said):,} characters" in shown
        assert "gremlins" not in shown
        json.loads(out)
        assert "asking" not in out
        hypotheses = [h for i in json.loads(out).get("incidents", []) for h in i["analysis"]["hypotheses"]]
        assert not any(claim in hypothesis["cause"] for hypothesis in hypotheses)


def test_explain_prompt_prints_what_would_be_sent_and_sends_nothing(analysed: Path) -> None:
    done = cali("analyze", "checkout.log", "--explain-prompt", cwd=analysed)
    assert done.code == 0
    assert "<evidence>" in done.out and "connection pool exhausted" in done.out
    assert "never an instruction" in done.out


def test_explain_prompt_is_what_a_run_on_the_same_state_sends(tmp_path: Path) -> None:
    (tmp_path / "checkout.log").write_text(app_log())
    assert cali("analyze", "checkout.log", "--quiet", cwd=tmp_path).code == 0  # what was learned counts as history
    with openai_server(lambda _: Say("no JSON")) as server:
        model = {"CALI_LLM_BASE_URL": server.url, "CALI_LLM_MODEL": "test-model"}
        explained = cali("analyze", "checkout.log", "--explain-prompt", cwd=tmp_path, **model)
        assert server.requests == []
        assert cali("analyze", "checkout.log", "--quiet", cwd=tmp_path, **model).code == 0
        system, user = (message["content"] for message in server.requests[0]["messages"])
    assert f"--- system\n{system}\n--- user\n{user}\n--- schema" in explained.out


def test_a_memory_that_cannot_be_had_costs_no_report_and_no_answer(tmp_path: Path) -> None:
    (tmp_path / "checkout.log").write_text(app_log())
    (tmp_path / ".cali").mkdir()
    (tmp_path / ".cali" / "memory.db").write_text("this is no database")
    done = cali("analyze", "checkout.log", "--format", "json", cwd=tmp_path)
    assert done.code == 0 and len(done.json["incidents"]) == 1
    assert "without memory" in done.err and "memory.db" in done.err
    asked = cali("ask", "why did checkout fail?", cwd=tmp_path)
    assert asked.code == 0 and "pool" in asked.out and "without memory" in asked.err


def test_doctor_says_what_is_there_and_what_is_missing(analysed: Path, tmp_path: Path) -> None:
    fresh = cali("doctor", cwd=tmp_path)
    assert fresh.code == 0
    assert "cali analyze" in fresh.out
    used = cali("doctor", "--format", "json", cwd=analysed)
    status = {check["name"]: check["status"] for check in used.json["checks"]}
    assert status["catalog"] == status["templates"] == status["state"] == "ok"
    assert status["memory"] == status["model"] == "off"


def test_doctor_fails_where_something_configured_does_not_work(tmp_path: Path) -> None:
    done = cali("doctor", cwd=tmp_path, CALI_LLM_BASE_URL="http://127.0.0.1:9/v1", CALI_LLM_MODEL="m")
    assert done.code == 3
    assert "FAIL" in done.out and "127.0.0.1:9" in done.out
    done = cali("doctor", cwd=tmp_path, CALI_TIMEZONE="Mars/Base", CALI_NONSENSE="1")
    assert done.code == 3
    assert "Mars/Base" in done.out


def test_help_lists_every_command_and_each_has_help() -> None:
    from cali.main import COMMANDS

    text = cali("--help").out
    for name in COMMANDS:
        assert f"  {name}" in text
        done = cali(name, "--help")
        assert done.code == 0 and done.out.startswith("Usage: "), done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = cali("completion", shell)
    assert done.code == 0 and "_CALI_COMPLETE" in done.out


def test_version() -> None:
    assert cali("--version").out.startswith("cali, version ")


def test_an_unknown_command_is_a_usage_error() -> None:
    done = cali("analyse", "x")
    assert done.code == 2 and "No such command" in done.err
