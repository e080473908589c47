"""Which physical lines of a log tell of the trouble."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from detection_logs import NOW, traffic, write
from hypothesis import given, settings
from hypothesis import strategies as st

from core import severity
from core.batch import LINES
from ingest.lines import LINE_SCORES, Lines, known_forms, masked_lines, own_words, score, score_lines, stretches
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

PASSED = ["checking out", *(f"compiling module {i}" for i in range(30)), "all tests passed", "done"]
FAILED = [
    "checking out",
    *(f"compiling module {i}" for i in range(30)),
    "ERROR: undefined reference to `open_till'",
    "  while linking till.o into shop",
    "",
    "BUILD FAILED",
]


def scored(path: str, baseline: Sequence[str] = ()) -> pl.DataFrame:
    """`score_lines` of one file, as `cali eval` asks for it."""
    miner = DrainMiner()
    known = open_sources(list(baseline)).sources if baseline else ()
    sources = open_sources([path]).sources
    found = detect(sources, miner=miner, options=DetectionOptions(threads=1), baseline=known, observed_at=NOW)
    return score_lines(sources[0], detection=found, miner=miner, baseline=known, observed_at=NOW)


def anomalous(frame: pl.DataFrame) -> list[int]:
    return frame.filter("anomalous")["position"].to_list()


def lines(text: Sequence[str], news: Sequence[float], level: Sequence[int] | None = None) -> Lines:
    frame = masked_lines(pl.DataFrame({"position": range(1, len(text) + 1), "line": text}, schema=LINES))
    return Lines(
        frame["position"].to_numpy(),
        frame["text"].to_list(),
        frame["form"].to_list(),
        np.asarray(news, dtype=np.float64),
        np.asarray(level or [0] * len(text), dtype=np.uint8),
    )


# --- whole logs


def test_the_stretch_that_explains_a_failure_is_found_and_its_bare_outcome_is_not(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.log", PASSED), write(tmp_path / "bad.log", FAILED)
    frame = scored(bad, [good])
    assert frame.schema == LINE_SCORES
    assert frame["position"].to_list() == list(range(1, len(FAILED) + 1))
    assert anomalous(frame) == [32, 33]


def test_a_log_like_its_baseline_has_no_such_line(tmp_path: Path) -> None:
    good, again = write(tmp_path / "good.log", PASSED), write(tmp_path / "again.log", PASSED)
    frame = scored(again, [good])
    assert anomalous(frame) == []
    assert frame["score"].max() == 0.0


def test_without_a_baseline_the_records_of_an_incident_are_the_news(tmp_path: Path) -> None:
    def outage(second: float, rng: object) -> list[str]:
        return ["ERROR checkout charge failed: connection refused"] if 1800 <= second < 2100 else []

    path = write(tmp_path / "app.log", traffic(1, 60, outage))
    text = Path(path).read_text(encoding="utf-8").splitlines()
    found = {text[position - 1] for position in anomalous(scored(path))}
    assert found >= {line for line in text if "connection refused" in line}
    # An error between two of them goes with them.
    assert all("level=error" in line for line in found)


def test_nothing_is_anomalous_where_no_incident_is(tmp_path: Path) -> None:
    frame = scored(write(tmp_path / "app.log", traffic(1, 30)))
    assert len(frame) == len(traffic(1, 30))
    assert anomalous(frame) == []


@pytest.mark.parametrize(
    ("content", "count"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"one line, no end", 1),
        (b"\r\nERROR: it failed\r\n", 2),
        (b"\x00\x01\xff\xfe\n\xc3(\nERROR: bad bytes \x00 failed\n", 3),
        (b"x" * 300_000 + b"\nERROR: it failed\n", 2),
        ("ERROR: Größe ungültig\nÄ\n".encode("latin-1"), 2),
    ],
)
def test_every_line_of_bad_input_is_scored(tmp_path: Path, content: bytes, count: int) -> None:
    path, good = tmp_path / "bad.log", tmp_path / "good.log"
    path.write_bytes(content)
    good.write_bytes(b"fine\nfine again\n")
    for baseline in ([], [str(good)]):
        frame = scored(str(path), baseline)
        assert frame.schema == LINE_SCORES
        assert len(frame) == count


def test_the_details_of_a_trace_go_with_its_record(tmp_path: Path) -> None:
    trace = [
        "2026-03-01 10:00:31 ERROR app.db: query failed",
        "Traceback (most recent call last):",
        '  File "/srv/app/db.py", line 7, in run',
        "    cursor.execute(sql)",
        "ValueError: bad input",
    ]
    fine = [f"2026-03-01 10:00:{i:02d} INFO app.web: GET /cart took {i} ms" for i in range(30)]
    good, bad = write(tmp_path / "good.log", fine), write(tmp_path / "bad.log", [*fine, *trace])
    assert anomalous(scored(bad, [good])) == [31, 32, 33, 34, 35]


# --- parts


def test_only_what_is_news_and_alarming_begins_a_stretch() -> None:
    text = ["error: cannot open a.txt", "reading b.txt", "error: cannot open c.txt", "    at line 7", "reading d.txt"]
    frame = score(lines(text, [0, 1, 1, 1, 1]))
    assert anomalous(frame) == [3, 4, 5]
    assert frame["score"][0] == 0.0
    assert frame["score"][1] == 0.2  # news, and nothing alarming before it


def test_blanks_inside_a_stretch_belong_to_it_and_at_its_end_they_do_not() -> None:
    text = ["error: cannot open a.txt", "", "  the disk sda1 is gone", "", "-----"]
    assert anomalous(score(lines(text, [1, 0, 1, 0, 0]))) == [1, 2, 3]


def test_lines_that_a_program_calls_harmless_are_not_anomalous() -> None:
    text = ["could not find cache a, going on", "wrote b.txt to the disk"]
    assert anomalous(score(lines(text, [1, 1], [severity.INFO, severity.INFO]))) == []
    assert anomalous(score(lines(text, [1, 1], [severity.ERROR, severity.ERROR]))) == [1, 2]


def test_more_surprising_lines_score_higher() -> None:
    text = ["segfault in till.o", "could not open till.o"]
    frame = score(lines(text, [1, 1]))
    assert frame["score"][0] > frame["score"][1] > 0.5


@pytest.mark.parametrize(
    ("form", "words", "own"),
    [
        ("BUILD FAILED", 2, 0),
        ("ERROR: Process completed with exit code <NUM>.", 5, 0),
        ("ERROR: undefined reference to <STR>", 3, 2),
        ("----------", 0, 0),
        ("", 0, 0),
        ("<PATH>:<NUM>", 0, 0),
    ],
)
def test_words_of_an_outcome_and_words_of_its_own(form: str, words: int, own: int) -> None:
    assert own_words(form) == (words, own)


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ([], []),
        ([0, 0, 0], []),
        ([1], [(0, 1)]),
        ([1, 0, 0, 1], [(0, 4)]),
        ([1, 0, 0, 0, 1], [(0, 1), (4, 5)]),
        ([0, 1, 1, 0], [(1, 3)]),
    ],
)
def test_stretches(member: list[int], expected: list[tuple[int, int]]) -> None:
    assert stretches(np.asarray(member, dtype=np.bool_), gap=2) == expected


def test_forms_are_masked_without_colours_and_cut() -> None:
    frame = masked_lines(pl.DataFrame({"position": [1, 2], "line": ["\x1b[31mtook 12 ms\x1b[0m  ", "x" * 5000]}))
    assert frame["text"].to_list() == ["took 12 ms  ", "x" * 1000]
    assert frame["form"][0] == "took <NUM> ms"


def test_known_forms_are_those_of_all_files(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.log", ["took 1 ms"]), write(tmp_path / "b.log", ["took 2 ms", "gone"])]
    assert known_forms(open_sources(paths).sources) == {"took <NUM> ms", "gone"}
    assert known_forms(()) == frozenset()


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 1), st.integers(0, 24)), max_size=30))
def test_any_lines_are_scored_in_order_between_0_and_1(rows: list[tuple[str, float, int]]) -> None:
    frame = score(lines([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows] or None))
    assert frame["position"].to_list() == list(range(1, len(rows) + 1))
    assert frame["score"].is_between(0.0, 1.0).all()
    assert frame["anomalous"].to_list() == [each >= 0.5 for each in frame["score"].to_list()]
