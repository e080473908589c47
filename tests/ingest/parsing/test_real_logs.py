"""Real logs of ten systems: every line accounted for, times and severities found wherever the log has them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.parsing.stream import read_batches
from ingest.sources.files import open_sources

DATA = Path(__file__).parents[4] / "shared" / "data"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
WITHOUT_LEVELS = {"Linux", "OpenSSH", "Thunderbird"}  # syslog lines carry no severity in the text

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is missing: real logs are not part of the project"),
]


def parse(path: Path) -> tuple[int, int, int, pl.DataFrame]:
    stream = read_batches(open_sources([str(path)]).sources, observed_at=NOW, threads=0)
    table = pl.concat(list(stream))
    return stream.lines, stream.parsed, stream.unparsed, table


@pytest.mark.parametrize(
    "system",
    ["Apache", "BGL", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark", "Thunderbird", "Zookeeper"],
)
def test_loghub(system: str) -> None:
    lines, parsed, unparsed, table = parse(DATA / "loghub_2k" / system / f"{system}_2k.log")
    assert lines == 2000 == parsed + unparsed == table["line_count"].sum()
    assert parsed == 2000
    assert table.filter(pl.col("timestamp").is_not_null())["line_count"].sum() >= 1980
    if system not in WITHOUT_LEVELS:
        assert table.filter(pl.col("severity") > 0)["line_count"].sum() == 2000


@pytest.mark.parametrize("folder", ["k8s_cases", "ci_failures", "hdfs_sessions", "envelope_example"])
def test_other_logs_lose_no_line(folder: str) -> None:
    for path in sorted((DATA / folder / "logs").iterdir()):
        content = path.read_bytes()
        expected = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
        lines, parsed, unparsed, table = parse(path)
        assert lines == expected == parsed + unparsed == table["line_count"].sum(), path.name


def test_the_envelope_gives_time_and_service_and_its_traceback_is_one_record() -> None:
    table = parse(DATA / "envelope_example" / "logs" / "env-01.jsonl")[3]
    assert table["service"].unique().to_list() == ["inventory"]
    (record,) = table.filter(pl.col("line_count") > 1).iter_rows(named=True)
    assert record["position"] == 22
    assert record["severity"] == 17
    assert record["body"].split("\n")[1] == "Traceback (most recent call last):"
    assert record["body"].split("\n")[-1].startswith("pymysql.err.OperationalError")
    assert '  File "/srv/inventory/db/store.py", line 142, in replace' in record["body"]
