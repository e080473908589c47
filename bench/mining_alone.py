"""The mining of `cali templates` alone, without the start of the process: lines per second of processor time, as JSON.

    python bench/mining_alone.py LOG [--no-masks] [--snapshots SECONDS]

`--no-masks` mines the messages as they stand. `--snapshots` saves the miner every so many seconds while it mines, as a
long-running command does, and once at the end; the share of the time that this took is reported.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ingest.parsing.parser import Parser
from ingest.sources.files import open_sources
from ingest.templates import snapshots
from ingest.templates.lines import LineMiner
from ingest.templates.masking import DEFAULT_MASKS
from ingest.templates.miner import DrainMiner, MinerConfig


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("log")
    arguments.add_argument("--no-masks", action="store_true")
    arguments.add_argument("--snapshots", type=float)
    args = arguments.parse_args()
    (source,) = open_sources([args.log]).sources
    miner = DrainMiner(MinerConfig(masks=() if args.no_masks else DEFAULT_MASKS))
    parser = Parser(source.name, modified_at=source.modified_at, observed_at=datetime.now(UTC))
    lines, saves, saving = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "templates.json.zst"
        schedule = snapshots.Schedule(time.monotonic, every=args.snapshots or float("inf"))
        started, wall = time.process_time(), time.monotonic()
        for mined in LineMiner(parser, miner).mine(source):
            lines += mined.lines.height
            if schedule.due():
                before = time.monotonic()
                schedule.save(miner, path)
                saves, saving = saves + 1, saving + time.monotonic() - before
        if args.snapshots:
            before = time.monotonic()
            snapshots.save(miner, path)
            saves, saving = saves + 1, saving + time.monotonic() - before
        seconds, wall = time.process_time() - started, time.monotonic() - wall
        loaded = time.process_time()
        if args.snapshots:
            snapshots.load(path)
        loaded = time.process_time() - loaded
        size = path.stat().st_size if path.exists() else 0
    print(
        json.dumps(
            {
                "rate": lines / seconds,
                "templates": len(miner.store.templates),
                "overflow": sum(miner.overflow.values()),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "saves": saves,
                "saving_share": saving / wall,
                "load_seconds": loaded,
                "snapshot_bytes": size,
            }
        )
    )


if __name__ == "__main__":
    main()
