"""Templates of raw lines: the short way gives what the long way gives."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.parsing.parser import Parser
from ingest.parsing.stream import BatchStream
from ingest.sources.files import open_sources
from ingest.templates.lines import LineMiner
from ingest.templates.miner import DrainMiner, MinerConfig

NOW = datetime(2026, 3, 2, tzinfo=UTC)

TRACE = """2026-03-01 10:00:{:02d},123 ERROR app.db: query {} failed
Traceback (most recent call last):
  File "/srv/app/db.py", line {}, in run
    cursor.execute(sql)
ValueError: bad input {}
"""


def log() -> str:
    parts = []
    for number in range(60):
        parts.append(f"2026-03-01 09:00:{number:02d},001 INFO app.web: GET /cart took {number} ms\n")
        parts.append(f"2026-03-01 09:00:{number:02d},002 WARN app.web: slow session for user user{number % 7}\n")
        if number % 20 == 5:
            parts.append(TRACE.format(number, number, number, number))
    parts.append("Killed\n")
    return "".join(parts)


def short_way(path: Path) -> tuple[dict[str, int], list[tuple[int, str]]]:
    (source,) = open_sources([str(path)]).sources
    miner = DrainMiner()
    parser = Parser(source.name, timezone=ZoneInfo("UTC"), modified_at=NOW, observed_at=NOW)
    records: dict[int, int] = {}
    lines: list[tuple[int, int]] = []
    for mined in LineMiner(parser, miner).mine(source):
        for each, count in mined.records.items():
            records[each] = records.get(each, 0) + count
        lines += mined.lines.select("position", "template_id").rows()
    counts: dict[str, int] = {}
    for each, count in records.items():
        text = miner.text_of(each)
        counts[text] = counts.get(text, 0) + count
    return counts, [(position, miner.text_of(each)) for position, each in lines]


def long_way(path: Path) -> tuple[dict[str, int], list[tuple[int, str]]]:
    miner = DrainMiner()
    rows: list[tuple[int, int, int]] = []
    for batch in BatchStream(open_sources([str(path)]).sources, observed_at=NOW, threads=0):
        rows += miner.assign(batch).select("position", "line_count", "template_id").rows()
    counts: dict[str, int] = {}
    lines = []
    for position, line_count, template_id in rows:
        text = miner.text_of(template_id)
        counts[text] = counts.get(text, 0) + 1
        lines += [(position + at, text) for at in range(line_count)]
    return counts, lines


def test_every_line_has_the_template_of_its_record(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(log())
    counts, lines = short_way(path)
    assert [position for position, _ in lines] == list(range(1, log().count("\n") + 1))
    assert (counts, lines) == long_way(path)
    assert counts["query <NUM> failed"] == 3


def test_traces_across_the_borders_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text(log() * 900)  # several frames of 4 MB
    counts, lines = short_way(path)
    assert [position for position, _ in lines] == list(range(1, log().count("\n") * 900 + 1))
    assert counts["query <NUM> failed"] == 2700
    assert counts["Killed"] == 900


def test_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_text("")
    assert short_way(path) == ({}, [])


SYSLOG = "Mar  1 09:00:00 host {service}[7]: {word} happened"
JSON = '{{"time":"2026-03-01T09:00:00Z","level":"info","service":"{service}","msg":"{word} happened"}}'
IN_PODS = "[pod/{service}-0/app] 2026-03-01T09:00:00Z INFO {word} happened"
PLAIN = "2026-03-01 09:00:00 INFO {word} happened"


@pytest.mark.parametrize(
    ("form", "expected"),
    [(SYSLOG, {"orders", "cart"}), (JSON, {"orders", "cart"}), (IN_PODS, {"orders", "cart"}), (PLAIN, {None})],
)
def test_overflow_is_per_service(tmp_path: Path, form: str, expected: set[str | None]) -> None:
    path = tmp_path / "app.log"
    words = ["".join(each) for each in itertools.product("abcdefghij", repeat=3)]
    lines = [form.format(service=("orders", "cart")[n % 2], word=word) for n, word in enumerate(words)]
    path.write_text("\n".join(lines) + "\n")
    (source,) = open_sources([str(path)]).sources
    miner = DrainMiner(MinerConfig(min_budget=50))
    list(LineMiner(Parser(source.name, modified_at=NOW, observed_at=NOW), miner).mine(source))
    assert sum(miner.overflow.values()) == len(lines) - 100
    found = {miner.templates()[each].service: count for each, count in miner.overflow.items()}
    assert set(found) == expected
    if len(expected) == 2:
        assert all(400 < count < 500 for count in found.values())
