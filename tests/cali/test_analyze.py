"""`cali analyze` as a user runs it: what it prints, what it leaves behind, what bad input does."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, Ran, app_log, cali

from cali import assistant
from cali.assistant import Request
from cali.state import StateFolder
from cali.wiring import miner_config
from core.config import load
from ingest.templates.snapshots import load as load_snapshot

NOW = datetime(2026, 11, 21, tzinfo=UTC)

HEAVY = ("torch", "transformers", "sentence_transformers", "pymilvus", "langchain", "langchain_core", "openai", "boto3")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "checkout.log"
    path.write_text(app_log())
    return path


def analyze(*arguments: str | Path, **options: Any) -> Ran:
    return cali("analyze", *arguments, "--no-state", "--format", "json", **options)


def test_an_incident_is_found_explained_and_cited(log: Path) -> None:
    report = analyze(log).json
    assert report["schema"] == "cali.report/1"
    (incident,) = report["incidents"]
    assert incident["level"] in ("high", "disaster")
    assert incident["services"] == ["checkout"]
    assert "pool" in incident["suspects"][0]["cause"]
    assert report["stats"]["lines"] == log.read_text().count("\n")
    assert report["stats"]["parsed"] + report["stats"]["unparsed"] == report["stats"]["lines"]


def citations(value: object) -> list[dict[str, Any]]:
    """Every object of a report that cites a line."""
    if isinstance(value, dict):
        found = [value] if {"source", "position", "text"} <= value.keys() else []
        return found + [c for part in value.values() for c in citations(part)]
    if isinstance(value, list):
        return [c for part in value for c in citations(part)]
    return []


def test_every_citation_resolves_to_that_line_of_that_file(tmp_path: Path) -> None:

    from eval.simulator.demo import write_demo

    write_demo(tmp_path / "shop", 11, datetime(2026, 3, 2, 9, tzinfo=UTC))
    report = analyze(tmp_path / "shop").json
    cited = citations(report["incidents"])
    assert len(cited) > 20
    files: dict[str, list[str]] = {}
    for citation in cited:
        source = citation["source"]
        lines = files.setdefault(source, Path(source).read_bytes().decode().split("\n"))
        line = lines[citation["position"] - 1].removesuffix("\r")
        if not citation.get("redacted"):
            assert citation["text"] == line, f"{source}:{citation['position']}"


def test_a_healthy_log_against_another_healthy_period_reports_nothing(tmp_path: Path) -> None:
    (tmp_path / "good.log").write_text(app_log(fail_from=None))
    (tmp_path / "later.log").write_text(app_log(fail_from=None).replace("T10:", "T11:"))
    done = cali("analyze", tmp_path / "later.log", "--baseline", tmp_path / "good.log", "--no-state", "--exit-code")
    assert done.code == 0
    assert "no incident" in done.out.lower()
    assert "baseline" in done.out


def test_a_wildcard_after_the_option_gives_several_baselines(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.log").write_text(app_log(fail_from=None))
    (tmp_path / "later.log").write_text(app_log(fail_from=None).replace("T10:", "T11:"))
    good = [tmp_path / "one.log", tmp_path / "two.log"]
    later = tmp_path / "later.log"
    after = cali("analyze", later, "--baseline", *good, "--no-state", "--format", "json").json
    assert after["sources"] == [str(later)]
    before = cali("analyze", "--baseline", good[0], later, "--no-state", "--format", "json").json
    assert before["sources"] == [str(later)]


def test_the_exit_code_tells_of_incidents_only_when_asked(log: Path) -> None:
    assert analyze(log).code == 0
    assert analyze(log, "--exit-code").code == 1


def test_the_same_file_twice_prints_the_same_incidents(log: Path, tmp_path: Path) -> None:
    first = cali("analyze", log, "--state", tmp_path / "state", "--format", "json").json
    second = cali("analyze", log, "--state", tmp_path / "state", "--format", "json").json
    assert first["incidents"] == second["incidents"] != []


def test_no_state_leaves_nothing_behind(log: Path) -> None:
    before = set(log.parent.rglob("*"))
    analyze(log, cwd=log.parent)
    assert set(log.parent.rglob("*")) == before


@pytest.mark.parametrize("form", ["rich", "markdown", "html", "json"])
def test_each_form_names_the_cause_and_cites_the_line(log: Path, form: str) -> None:
    target = log.parent / "report.out"
    done = cali("analyze", log, "--no-state", "--format", form, "--output", target)
    assert (done.code, done.out) == (0, "")
    text = target.read_text()
    assert "connection pool exhausted" in text
    assert "checkout.log" in text


def test_quiet_prints_nothing_and_still_tells_by_its_exit_code(log: Path) -> None:
    done = cali("analyze", log, "--no-state", "--quiet", "--exit-code")
    assert (done.code, done.out, done.err) == (1, "", "")


def test_stdin_folders_globs_and_packed_files(log: Path) -> None:
    folder = log.parent / "logs"
    folder.mkdir()
    (folder / "a.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    lines = log.read_text().count("\n")
    for done in (analyze("-", stdin=log.read_bytes()), analyze(folder), analyze(str(folder / "*.gz"))):
        assert done.code == 0
        assert done.json["stats"]["lines"] == lines
        assert len(done.json["incidents"]) == 1


def test_a_window_is_judged_alone(log: Path) -> None:
    early = analyze(log, "--until", "2026-03-02T10:20:00Z").json
    assert early["incidents"] == []
    late = analyze(log, "--since", "10m").json
    assert len(late["incidents"]) == 1
    assert late["incidents"][0]["starts_at"] >= "2026-03-02T10:19"


def test_services_are_selected(tmp_path: Path) -> None:
    (tmp_path / "two.jsonl").write_text(
        "".join(
            json.dumps({"timestamp": line[:20], "service": name, "level": line.split()[1], "message": line[21:]}) + "\n"
            for line in app_log().splitlines()
            for name in ("checkout", "users")
        )
    )
    report = analyze(tmp_path / "two.jsonl", "--service", "users").json
    assert {s for incident in report["incidents"] for s in incident["services"]} == {"users"}


def test_an_unreadable_file_among_others_is_told_and_the_others_are_analysed(log: Path) -> None:
    done = analyze(log, log.parent / "missing.log")
    assert done.code == 2
    assert "missing.log" in done.err
    assert len(done.json["incidents"]) == 1


def test_nothing_to_read_says_what_to_do(tmp_path: Path) -> None:
    done = analyze(tmp_path / "missing.log")
    assert done.code == 2
    assert done.out == ""
    assert "missing.log" in done.err and "Traceback" not in done.err


BAD: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 400,
    "truncated gzip": gzip.compress(app_log().encode())[:-200],
    "NUL bytes": app_log().encode().replace(b"order", b"or\0der"),
    "Latin-1": app_log().encode().replace(b"placed", "plac\u00e9".encode("latin-1")),
    "UTF-16": app_log().encode("utf-16"),
    "CRLF": app_log().encode().replace(b"\n", b"\r\n"),
    "clock backwards": "\n".join(reversed(app_log().splitlines())).encode(),
    "one second": b"2026-03-02T10:00:00Z INFO app: hello\n" * 500,
    "no times": b"hello\nworld\nERROR something broke\n" * 50,
    "one long line": b"x" * 50_000_000,
    "only newlines": b"\n" * 1000,
    "no newline": b"2026-03-02T10:00:00Z ERROR app: broken",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_and_counted_and_never_crashes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.log"
    path.write_bytes(BAD[name])
    done = analyze(path)
    assert done.code in (0, 2), done.err
    assert "Traceback" not in done.err
    if done.code == 0:
        stats = done.json["stats"]
        assert stats["parsed"] + stats["unparsed"] == stats["lines"]
    else:
        assert "bad.log" in done.err
    if name in ("binary", "truncated gzip", "one long line"):
        told = done.err + json.dumps(json.loads(done.out)["quarantined"] if done.out else "")
        assert "bad.log" in told


def test_where_nothing_could_be_read_silence_is_no_good_news(tmp_path: Path) -> None:
    path = tmp_path / "core.dump"
    path.write_bytes(BAD["binary"])
    alone = analyze(path)
    assert alone.code == 2
    assert "nothing could be read" in alone.err and "core.dump" in alone.err
    assert len(alone.json["quarantined"]) == 1
    (tmp_path / "app.log").write_text(app_log())
    assert analyze(path, tmp_path / "app.log").code == 0


@pytest.mark.parametrize(
    "option", [["--since", "yesterday"], ["--format", "pdf"], ["--timezone", "Mars/Base"], ["--top", "0"]]
)
def test_bad_options_are_usage_errors(log: Path, option: list[str]) -> None:
    done = cali("analyze", log, "--no-state", *option)
    assert done.code == 2
    assert "Traceback" not in done.err and done.out == ""


def test_a_small_file_needs_no_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "small.log").write_text(app_log(33)[:200_000])
    script = (
        "import sys; from cali.main import run; code = run(sys.argv[1:]); "
        f"print([name for name in {HEAVY!r} if name in sys.modules], code)"
    )
    arguments = ["analyze", str(tmp_path / "small.log"), "--state", str(tmp_path / "state"), "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (arguments, ["--help"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True, env=environment, timeout=60
        )
        assert done.stdout.splitlines()[-1] == "[] 0", done.stderr


@pytest.mark.parametrize("when", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_the_state_as_it_was(when: signal.Signals, log: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    cali("analyze", log, "--state", state, "--quiet")
    before = (state / "templates.json.zst").read_bytes()
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", "from cali.main import main; main()", "analyze", "-", "--state", str(state)],
        stdin=read, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        os.write(write, b"2026-03-02T10:00:00Z INFO app: hello\n")
        deadline = time.monotonic() + 30
        while not (state / "lock.json").exists():  # it holds the state: it is reading
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        process.send_signal(when)
        _, errors = process.communicate(timeout=30)
    finally:
        os.close(read)
        os.close(write)
        process.kill()
    assert process.returncode == 130
    assert b"interrupted" in errors and b"Traceback" not in errors
    assert (state / "templates.json.zst").read_bytes() == before
    assert cali("analyze", log, "--state", state, "--quiet").code == 0


def test_a_run_that_is_killed_keeps_the_templates_of_its_last_snapshot(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cali.assistant.SNAPSHOTS", 0.0)
    state = StateFolder(tmp_path / "state")
    settings = load(state=state.path)

    class Killed:
        def reading(self, lines: int, what: str) -> None:
            if state.templates.exists():
                raise KeyboardInterrupt

        def asking(self, number: int, total: int) -> Callable[[str], None]:
            raise AssertionError("no model is configured")

    paths = (str(log), str(log))
    with pytest.raises(KeyboardInterrupt):
        assistant.analyze(Request(paths), settings, state=state, now=NOW, watcher=Killed())
    saved = load_snapshot(state.templates, miner_config(settings))
    assert len(saved.templates()) >= 3
    again = assistant.analyze(Request(paths), settings, state=state, now=NOW)
    fresh = assistant.analyze(Request(paths), settings, state=None, now=NOW)
    assert [f.incident.id for f in again.findings.findings] == [f.incident.id for f in fresh.findings.findings] != []


def test_a_full_disk_says_so_and_keeps_the_old_state(log: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    incidents = cali("analyze", log, "--state", state, "--format", "json").json["incidents"]
    old = (state / "templates.json.zst").read_bytes()
    # A limit on the size of files stands for the disk: writes fail in the middle, as they do on a full one.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)); from cali.main import run; sys.exit(run(sys.argv[1:]))"
    )
    other = tmp_path / "other.log"
    other.write_text(app_log().replace("checkout", "payment").replace("placed", "paid"))
    done = subprocess.run(
        [sys.executable, "-c", script, "analyze", str(other), "--state", str(state), "--quiet"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.startswith("Error: ")
    assert (state / "templates.json.zst").read_bytes() == old
    assert cali("analyze", log, "--state", state, "--format", "json").json["incidents"] == incidents


def test_two_processes_do_not_write_one_state(log: Path, tmp_path: Path) -> None:
    from cali.state import StateFolder
    from core.errors import RetryableError

    folder = StateFolder(tmp_path / "state")
    with (
        folder.locked("serve"),
        pytest.raises(RetryableError, match=rf"process {os.getpid()} \(cali serve\)"),
        folder.locked("x", wait=0.1),
    ):
        raise AssertionError
    with folder.locked("again"):
        assert folder.holder.exists()
    assert not folder.holder.exists()
