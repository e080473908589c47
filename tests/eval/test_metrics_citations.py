"""Citations resolve only when file, line and text fit."""

from __future__ import annotations

import json
from pathlib import Path

from eval.metrics_citations import resolved
from eval.system import PredictedEvidence


def test_file_line_and_text_must_fit(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"first\nsecond line\r\nlast \xff bytes")
    files = {"logs/app.log": log}
    cited = [
        PredictedEvidence("logs/app.log", 1, "first"),
        PredictedEvidence("logs/app.log", 2, "second line"),
        PredictedEvidence("logs/app.log", 3, "last � bytes"),
        PredictedEvidence("logs/app.log", 2, "first"),
        PredictedEvidence("logs/app.log", 4, ""),
        PredictedEvidence("logs/app.log", 0, "first"),
        PredictedEvidence("app.log", 1, "first"),
        PredictedEvidence("logs/app.log", 2, "second"),
    ]
    assert resolved(cited, files) == [True, True, True, False, False, False, False, False]


def test_envelopes_may_be_quoted_by_their_message(tmp_path: Path) -> None:
    log = tmp_path / "case.jsonl"
    line = json.dumps({"timestamp": "2026-03-02T10:00:00Z", "message": "ERROR boom\n  at f"})
    log.write_text(line + "\n")
    files = {"logs/case.jsonl": log}
    quotes = ["ERROR boom", line, "ERROR", "  at f"]
    assert resolved([PredictedEvidence("logs/case.jsonl", 1, quote) for quote in quotes], files) == [
        True,
        True,
        False,
        False,
    ]


def test_masks_stand_for_a_few_words(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("login of kim@example.com failed from 10.0.0.1 at once\n")
    files = {"a.log": log}
    quotes = ["login of <EMAIL_1> failed from <IP_2>", "login of <EMAIL_1> worked from <IP_2>", "login of <EMAIL_1>"]
    assert resolved([PredictedEvidence("a.log", 1, quote) for quote in quotes], files) == [True, False, False]
