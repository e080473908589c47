"""Speed of template mining: `cali templates` as a whole process against drain3's mining alone, on one core.

    python bench/template_speed.py [--lines N] [--drain3-lines N] [--masks same|plain] [--only NAME ...]
    python bench/template_speed.py --lengths 32000 1000000 [--only NAME ...]
    python bench/template_speed.py --snapshots 1 [--only NAME ...]

Replays of real logs (bench/replay.py). CALI: start of the interpreter, reading, header parsing, mining and output, in a
process pinned to one core. drain3: only the calls of `TemplateMiner.add_log_message`, in a process pinned to the same
core; messages are read before. Seconds are processor seconds (user and system), so that other work on the machine hurts
less. Memory is the peak of the process. ARI compares the clusters of both with each other and with the labels.

`--lengths` compares the mining alone (bench/mining_alone.py) of replays of several lengths, with and without masks;
`--snapshots` shows what saving every so many seconds costs while a replay is mined.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import replay  # noqa: E402

CORE = max(os.sched_getaffinity(0))
CASES: dict[str, tuple[tuple[str, ...], float]] = {
    "HDFS": (("HDFS",), 0.0),
    "OpenSSH": (("OpenSSH",), 0.0),
    "BGL": (("BGL",), 0.0),
    "mix": (replay.MIX, 0.0),
    "mix, 10 % unique": (replay.MIX, 0.1),
    "HDFS, 10 % unique": (("HDFS",), 0.1),
    "mix, all unique": (replay.MIX, 1.0),
    "HDFS, all unique": (("HDFS",), 1.0),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a child process took."""

    processor: float
    wall: float
    peak_mib: float
    output: str


def child(command: Sequence[str]) -> Usage:
    """Runs a command on one core."""
    environment = {
        **os.environ,
        "POLARS_MAX_THREADS": "1",
        "CALI_DETECTION_THREADS": "1",
        "PYTHONPATH": str(HERE.parent),
    }
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        process = subprocess.Popen(["taskset", "-c", str(CORE), *command], stdout=out, env=environment, cwd=HERE.parent)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed")
        out.seek(0)
        return Usage(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, out.read())


def adjusted_rand(a: Sequence[object], b: Sequence[object]) -> float:
    """Adjusted Rand index of two clusterings (Hubert and Arabie 1985)."""
    _, left = np.unique(np.asarray(a, dtype=str), return_inverse=True)
    _, right = np.unique(np.asarray(b, dtype=str), return_inverse=True)
    _, cells = np.unique(left.astype(np.int64) * (right.max() + 1) + right, return_counts=True)

    def pairs(counts: np.ndarray) -> float:
        counts = counts.astype(float)
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(cells), pairs(np.bincount(left)), pairs(np.bincount(right))
    total = len(left) * (len(left) - 1) / 2
    expected, most = rows * columns / total, (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def lengths(names: Sequence[str], sizes: Sequence[int]) -> None:
    """Rates of mining by the length of the log, with and without masks."""
    print("| replay | masks | lines | lines/s | templates | of them overflow, lines | MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        for size in sizes:
            for masks in ("default", "none"):
                found = _mined(name, size, *(["--no-masks"] if masks == "none" else []))
                print(
                    f"| {name} | {masks} | {size:,} | {found['rate']:,.0f} | {found['templates']:,} |"
                    f" {found['overflow']:,} | {found['peak_mib']:.0f} |",
                    flush=True,
                )


def saving(names: Sequence[str], lines: int, seconds: float) -> None:
    """What snapshots on a schedule cost while a log is mined."""
    print(f"| replay, saved every {seconds:g} s | saved | share of the time | templates | bytes | loaded in |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names:
        found = _mined(name, lines, "--snapshots", str(seconds))
        print(
            f"| {name} | {found['saves']} times | {found['saving_share']:.1%} | {found['templates']:,} |"
            f" {found['snapshot_bytes']:,} | {found['load_seconds'] * 1000:.0f} ms |",
            flush=True,
        )


def _mined(name: str, lines: int, *options: str) -> dict[str, float]:
    systems, unique = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "replay.log"
        replay.write(systems, lines, unique, log)
        output = child([sys.executable, str(HERE / "mining_alone.py"), str(log), *options]).output
    found: dict[str, float] = json.loads(output)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--drain3-lines", type=int, default=1_000_000, help="fewer save time: its rate hardly changes")
    parser.add_argument("--masks", choices=("same", "plain"), default="same", help="masks of drain3")
    parser.add_argument("--only", nargs="*", choices=tuple(CASES))
    parser.add_argument("--lengths", nargs="+", type=int, metavar="LINES", help="compare the rates of these lengths")
    parser.add_argument("--snapshots", type=float, metavar="SECONDS", help="save this often while mining")
    args = parser.parse_args()
    if args.lengths:
        lengths(args.only or tuple(CASES), args.lengths)
        return
    if args.snapshots:
        saving(args.only or tuple(CASES), args.lines, args.snapshots)
        return
    cali = [sys.executable, "-c", "from cali.main import main; main()", "templates", "--no-state"]
    print(f"core {CORE}, {args.lines:,} lines, drain3 on {args.drain3_lines:,} with {args.masks} masks\n")
    print(
        "| replay | CALI lines/s | drain3 lines/s | ratio | CALI MiB | drain3 MiB | templates CALI / drain3 / labels |"
        " ARI CALI-drain3 | ARI CALI-labels |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in args.only or CASES:
        systems, unique = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            log, part = Path(folder) / "replay.log", Path(folder) / "part.log"
            truth = replay.write(systems, args.lines, unique, log)
            ours = child([*cali, str(log), "--format", "json"])
            count = min(args.lines, args.drain3_lines)
            replay.write(systems, count, unique, part)
            clusters, assigned = Path(folder) / "clusters", Path(folder) / "assigned.csv"
            theirs = json.loads(
                child(
                    [
                        sys.executable,
                        str(HERE / "drain3_baseline.py"),
                        str(part),
                        "--masks",
                        args.masks,
                        "--lines",
                        str(count),
                        "--clusters",
                        str(clusters),
                    ]
                ).output.splitlines()[-1]
            )
            child([*cali, str(part), "--format", "json", "--top", "1", "--assignments", str(assigned)])
            with assigned.open(encoding="utf-8", newline="") as file:
                ids = [row["template_id"] for row in csv.DictReader(file)]
            drained = clusters.read_text().split("\n")
            same = len(drained) == len(ids) == count
            rate = args.lines / ours.processor
            print(
                f"| {name} | {rate:,.0f} | {theirs['rate']:,.0f} | {rate / theirs['rate']:.1f} | {ours.peak_mib:.0f} |"
                f" {theirs['peak_mib']:.0f} | {json.loads(ours.output)['templates_found']} / {theirs['templates']} /"
                f" {len(set(truth))} | {adjusted_rand(ids, drained) if same else float('nan'):.3f} |"
                f" {adjusted_rand(ids, truth[:count]) if len(ids) == count else float('nan'):.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
