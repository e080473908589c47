"""Counts under the same keys: merged templates, files that name one service twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def log(folder: Path, name: str, hour: int, extra: str = "") -> str:
    lines = []
    for second in range(0, 1800, 3):
        stamp = f"2026-03-02T{hour:02d}:{second // 60:02d}:{second % 60:02d}Z"
        lines.append(f"{stamp} INFO order {second} placed in {second % 7} ms")
        if second % 30 == 0:
            lines.append(f"{stamp} ERROR mail to customer {second} bounced: mailbox full")
    path = folder / name
    path.write_text("\n".join(lines) + "\n" + extra)
    return str(path)


def test_a_baseline_in_a_file_of_another_name_is_the_same_service(tmp_path: Path) -> None:
    good, later = log(tmp_path, "orders-monday.log", 9), log(tmp_path, "orders-tuesday.log", 10)
    detection = detect(
        open_sources([later]).sources,
        miner=DrainMiner(),
        options=DetectionOptions(),
        baseline=open_sources([good]).sources,
        observed_at=NOW,
    )
    assert detection.incidents == ()
    row = next(row for row in detection.history.activity(None, None) if "bounced" in row.text)
    assert row.before == 60


def test_early_records_of_a_merged_template_count_under_its_final_id(tmp_path: Path) -> None:
    # More than one batch: words that vary are only known to vary after some of them were seen.
    names = ["anna", "boris", "chen", "dora", "emil", "fatma", "goran", "hana", "ivan", "jun"]
    path = tmp_path / "users.log"
    with path.open("w") as file:
        for number in range(120_000):
            name = names[min(number // 12_000, 9)]
            file.write(
                f"2026-03-02T10:{number // 2000:02d}:{number // 34 % 60:02d}Z INFO users: session of {name} opened\n"
            )
    miner = DrainMiner()
    detection = detect(open_sources([str(path)]).sources, miner=miner, options=DetectionOptions(), observed_at=NOW)
    ids = {row.template_id for row in detection.history.activity(None, None)}
    assert ids == {miner.resolve(each) for each in ids}
    assert sum(row.during for row in detection.history.activity(None, None)) == 120_000
