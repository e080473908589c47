"""`cali templates`: forms, assignments, state, and errors that say what to do."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from cali.main import run

LOG = "".join(
    f"2026-03-01 09:00:{n:02d} INFO login of user{n} from 10.0.0.{n} took {n} ms\n"
    f"2026-03-01 09:00:{n:02d} INFO session {'opened' if n % 3 else 'closed'} now\n"
    for n in range(30)
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CALI_CONFIG", raising=False)
    (tmp_path / "app.log").write_text(LOG)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["templates", *arguments]) == code, capsys.readouterr().err
    captured = capsys.readouterr()
    return captured.out if not code else captured.err


def test_json(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    document = json.loads(call(capsys, "app.log", "--no-state", "--format", "json"))
    assert document["schema"] == "cali.templates/1"
    assert (document["lines"], document["records"], document["templates_found"]) == (60, 60, 3)
    assert [each["count"] for each in document["templates"]] == [30, 20, 10]
    login = document["templates"][0]
    assert login["template"].endswith("from <IP> took <NUM> ms")
    assert [each["type"] for each in login["parameters"]][-2:] == ["IP", "NUM"]
    assert "10.0.0.1" in login["parameters"][-2]["examples"]
    assert sum(each["share"] for each in document["templates"]) == pytest.approx(1)
    assert not (folder / ".cali").exists()


def test_table_and_csv(capsys: pytest.CaptureFixture[str]) -> None:
    table = call(capsys, "app.log", "--no-state", "--top", "2")
    assert "60 lines, 60 records, 3 templates" in table
    assert "the 2 most frequent are shown" in table
    rows = list(csv.DictReader(call(capsys, "app.log", "--no-state", "--format", "csv").splitlines()))
    assert {row["template"] for row in rows} >= {"session opened now", "session closed now"}


def test_assignments_name_every_line_with_final_templates(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    call(capsys, "app.log", "--no-state", "--assignments", "out.csv")
    rows = list(csv.DictReader((folder / "out.csv").open()))
    assert [int(row["line"]) for row in rows] == list(range(1, 61))
    assert list(rows[0]) == ["line", "template_id", "template"]
    assert len({row["template_id"] for row in rows}) == 3
    assert rows[1]["template"] == "session closed now"


def test_no_template_is_a_formula_in_a_spreadsheet(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "evil.log").write_text("=cmd|'/C calc'!A0\n@SUM(A1)\n+A1\n-A1\n\tx\n")
    rows = csv.DictReader(call(capsys, "evil.log", "--no-state", "--format", "csv").splitlines())
    assert all(cell[:1] not in set("=+-@\t\r") for row in rows for cell in (row["template"], row["parameters"]))


def test_one_column_of_a_csv(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    with (folder / "x.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "Content"])
        writer.writerows([[n, f'took {n} ms, "quoted"\nsecond'] for n in range(5)])
        writer.writerow([5, None])
    call(capsys, "x.csv", "--column", "Content", "--no-state", "--assignments", "out.csv")
    rows = list(csv.DictReader((folder / "out.csv").open()))
    assert [row["template"] for row in rows] == ['took <NUM> ms, "quoted"'] * 5 + [""]
    assert "it has id, Content" in call(capsys, "x.csv", "--column", "Nope", "--no-state", code=2)


def test_state_keeps_ids_and_history(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "one.log").write_text("login of alice failed\n")
    (first,) = json.loads(call(capsys, "one.log", "--format", "json"))["templates"]
    names = ["alice", "bob", "carol", "dave", "erin", "frank"]
    (folder / "more.log").write_text("".join(f"login of {name} failed\n" for name in names))
    (later,) = json.loads(call(capsys, "more.log", "--format", "json"))["templates"]
    assert later["template_id"] == first["template_id"]
    assert (later["template"], later["count"]) == ("login of <*> failed", 6)
    shown = call(capsys, "show", first["template_id"][:6])
    assert "records   7" in shown
    assert "example   login of alice failed" in shown
    history = call(capsys, "history", first["template_id"])
    assert history.splitlines()[1:] == ["   1  login of alice failed", "   2  login of <*> failed"]


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "app.log")
    explained = call(capsys, "explain", "2026-03-01 09:00:01 INFO session opened now")
    assert "template" in explained
    assert "the 3 constant words are equal" in explained
    unknown = call(capsys, "explain", "session vanished now")
    assert "none known fits" in unknown
    assert "67% of the words" in unknown
    assert "<IP>" in call(capsys, "explain", "from 10.0.0.1")


def test_diff(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "a.log").write_text("steady 1\n" * 500 + "often 1\n" * 100 + "old news\n")
    (folder / "b.log").write_text("steady 2\n" * 500 + "often 2\n" * 400 + "brand new\n" * 3)
    document = json.loads(call(capsys, "diff", "a.log", "b.log", "--format", "json"))
    kinds = {each["template"]: each["kind"] for each in document["changes"]}
    assert kinds["brand new"] == "new"
    assert kinds["old news"] == "gone"
    assert kinds["often <NUM>"] == "more"
    assert document["schema"] == "cali.templates.diff/1"
    assert "1 new, 1 gone" in call(capsys, "diff", "a.log", "b.log")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.log", "--no-state"), "no such file"),
        (("show", "0000"), "cali templates FILE learns them"),
        (("app.log", "--state", "x", "--no-state"), "exclude each other"),
        (("app.log", "app.log", "--assignments", "o.csv"), "one FILE"),
    ],
)
def test_errors_say_what_to_do(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    assert message in call(capsys, *arguments, code=2)


def test_own_masks_by_setting(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "cali.toml").write_text("[templates.masks]\nORDER = 'ORD-[0-9]+'\n")
    (folder / "orders.log").write_text("paid ORD-17 now\n")
    assert "paid <ORDER> now" in call(capsys, "orders.log", "--no-state", "--format", "csv")
    (folder / "cali.toml").write_text("[templates.masks]\nORDER = '(?=x)'\n")
    assert "templates_masks.ORDER" in call(capsys, "orders.log", "--no-state", code=2)
