"""`cali analyze` against `logsleuth --dry-run --plain` on the same file, in the same run: wall time and peak memory.

    python bench/analyze_speed.py --lines 1000000 --systems HDFS OpenSSH mix json logfmt

Whole processes, start-up included; each is run `--runs` times in turn and the medians are compared. The processor time
(user and system) of each says more where other work keeps the machine busy; CALI uses two cores, the peer one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from replay import MIX, write


def measure(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak resident memory (MB) of one run of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{command[0]} failed: {errors.decode(errors='replace')[-500:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6


def _median(runs: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Median seconds, most memory."""
    walls, processors, memories = zip(*runs, strict=True)
    return statistics.median(walls), statistics.median(processors), max(memories)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--systems", nargs="+", default=["HDFS", "OpenSSH"])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cali, peer = shutil.which("cali"), shutil.which("logsleuth")
    if cali is None or peer is None:
        raise SystemExit("cali and logsleuth must be on PATH: pip install -c requirements.lock -e '.[bench]'")
    version = sys.version.split()[0]
    print(f"{options.lines:,} lines each, median of {options.runs} runs, {os.cpu_count()} cores, Python {version}")
    print("| replay | CALI wall | CPU | lines/s | memory | logsleuth wall | CPU | lines/s | memory | wall | CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="cali-bench-") as temporary:
        folder = Path(temporary)
        for system in options.systems:
            path = folder / f"{system}.log"
            write(MIX if system == "mix" else (system,), options.lines, 0.0, path)
            ours, theirs = [], []
            for _ in range(options.runs):
                ours.append(measure([cali, "analyze", path.name, "--no-state", "--quiet"], folder))
                theirs.append(measure([peer, path.name, "--dry-run", "--plain"], folder))
            sides = [_median(ours), _median(theirs)]
            cells = [
                f"{wall:.2f} s | {cpu:.2f} s | {options.lines / wall:,.0f} | {memory:.0f} MB"
                for wall, cpu, memory in sides
            ]
            ratios = [f"{theirs / ours:.1f}x" for ours, theirs in zip(sides[0][:2], sides[1][:2], strict=True)]
            print(f"| {' | '.join([system, *cells, *ratios])} |", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
