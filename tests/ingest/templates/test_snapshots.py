"""Snapshots: whole or refused, the previous one kept, fast to load."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import polars as pl
import pytest
import zstandard

from core.errors import InputError
from ingest.templates import snapshots
from ingest.templates.merging import fingerprint
from ingest.templates.miner import DrainMiner, MinerConfig
from ingest.templates.store import Template, Variant


def mined(*messages: str) -> DrainMiner:
    miner = DrainMiner()
    miner.assign(pl.DataFrame({"body": list(messages)}))
    return miner


def test_a_snapshot_comes_back_whole_and_the_previous_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state" / "templates.json.zst"
    first = mined("job 1 done")
    snapshots.save(first, path)
    second = mined("job 1 done", "job 1 failed for bob")
    snapshots.save(second, path)
    assert fingerprint(snapshots.load(path)) == fingerprint(second)
    assert fingerprint(snapshots.load(snapshots.previous(path))) == fingerprint(first)
    assert sorted(each.name for each in path.parent.iterdir()) == ["templates.json.zst", "templates.json.zst.previous"]


def test_it_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "t"
    snapshots.save(mined("job 1 done"), path)
    header, _, payload = zstandard.ZstdDecompressor().decompress(path.read_bytes()).partition(b"\n")
    assert orjson.loads(header)["version"] == snapshots.VERSION
    assert orjson.loads(payload)["templates"]["texts"] == [["job <NUM> done"]]


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:-7], lambda data: data[:30] + b"\x00\x01" + data[32:], lambda data: b"{}"],
)
def test_a_damaged_snapshot_is_refused_and_the_previous_offered(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "t"
    snapshots.save(mined("job 1 done"), path)
    snapshots.save(mined("job 1 done"), path)
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=rf"(damaged|no snapshot).*mv {snapshots.previous(path)} {path}"):
        snapshots.load(path)


def test_a_changed_payload_fails_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "t"
    snapshots.save(mined("job 1 done"), path)
    data = zstandard.ZstdDecompressor().decompress(path.read_bytes()).replace(b"done", b"gone")
    path.write_bytes(zstandard.ZstdCompressor().compress(data))
    with pytest.raises(InputError, match=r"checksum.*no older one can be read"):
        snapshots.load(path)


def test_a_newer_snapshot_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t"
    header = orjson.dumps({"schema": snapshots.SCHEMA, "version": snapshots.VERSION + 1, "sha256": "", "bytes": 0})
    path.write_bytes(zstandard.ZstdCompressor().compress(header + b"\n{}"))
    with pytest.raises(InputError, match=r"newer than this CALI reads.*upgrade"):
        snapshots.load(path)


def test_a_missing_snapshot_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        snapshots.load(tmp_path / "none")


def test_twenty_thousand_templates_load_fast(tmp_path: Path) -> None:
    miner = DrainMiner(MinerConfig(max_templates=50_000))
    for number in range(20_000):
        words = ("job", f"kind{number}x", "done", "in", "<NUM>", "ms")
        layout = " ".join(["\x00"] * len(words))
        miner.store.templates[number] = Template(number, 1, 1, None, [" ".join(words)], 1, 1, [number])
        miner.store.variants[number] = Variant(number, layout, words)
    snapshots.save(miner, tmp_path / "t")

    def seconds() -> float:
        started = time.process_time()
        assert len(snapshots.load(tmp_path / "t").store.templates) == 20_000
        return time.process_time() - started

    assert min(seconds() for _ in range(5)) < 0.25  # 0.1 on a quiet machine


def test_the_schedule_keeps_its_share(tmp_path: Path) -> None:
    now = [0.0]
    schedule = snapshots.Schedule(lambda: now[0], every=10, share=0.05)
    assert not schedule.due()
    now[0] = 10.0
    assert schedule.due()
    schedule.save(mined("a 1"), tmp_path / "t")
    assert not schedule.due()
    now[0] = 20.0
    assert schedule.due()
