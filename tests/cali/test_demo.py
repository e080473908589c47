"""`cali demo`: the first minute with CALI, memory included."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import cali

pytestmark = pytest.mark.integration  # the embedder and Milvus Lite are the real ones


def test_the_demo_names_the_cause_and_remembers_the_night_before(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    done = cali("demo", "--keep", folder, "--html", tmp_path / "page.html", cwd=tmp_path)
    assert done.code == 0, done.err
    first_screen = done.out[: done.out.index("Timeline")]
    assert "payment" in first_screen and "connection pool" in first_screen
    assert "payment.log:" in first_screen
    assert "rolled payment back" in done.out
    assert "red herring" in done.out
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html")
    answer = cali("ask", "why did checkout fail?", cwd=folder)
    assert answer.code == 0 and "connection pool" in answer.out
    assert "(seen before)" in done.out and "known cause" in done.out


def test_every_line_that_the_demo_quotes_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    assert cali("demo", "--keep", folder, "--no-memory", cwd=tmp_path).code == 0
    done = cali("analyze", "payment.log", "--format", "json", "--no-state", cwd=folder)
    for incident in done.json["incidents"]:
        for suspect in incident["suspects"]:
            for evidence in suspect["evidence"]:
                lines = (folder / evidence["source"]).read_text().split("\n")
                assert lines[evidence["position"] - 1] == evidence["text"]
