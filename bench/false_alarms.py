"""How often CALI opens an incident on real logs in which nothing is known to have failed.

    python bench/false_alarms.py [--data ../shared/data] [--show]

Each log is judged alone, and its second half against its first half as `--baseline`. Healthy by label are: Thunderbird
and BGL without the lines that their operators marked as alerts, slices of HDFS with the lines of normal blocks only,
and the logs of CI jobs that passed (also against another passing log of the same project). The other systems carry no
such labels, and hold true faults: their rows say how often CALI speaks up, not how often it is wrong. `--show` prints
what was found, to be read by a person.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from core import severity
from core.domain import Incident
from core.findings import Detection
from ingest.pipeline import DetectionOptions, detect
from ingest.sources.files import open_sources
from ingest.templates.miner import DrainMiner

SLICES = 10
"""Parts of the HDFS log that are judged one by one."""

OBSERVED = datetime(2026, 1, 1, tzinfo=UTC)


class Log(NamedTuple):
    """A log to judge: `kind` is the row of the table that it counts in; `before` is its baseline, empty for none."""

    kind: str
    name: str
    lines: Sequence[str]
    before: Sequence[str] = ()


def logs(data: Path) -> Iterator[Log]:
    """All logs to judge."""
    for path in sorted((data / "loghub_2k").glob("*/*_2k.log")):
        name = path.stem.removesuffix("_2k")
        lines = _lines(path)
        labelled = {"BGL": "healthy: BGL without alerts", "Thunderbird": "healthy: Thunderbird"}.get(name)
        if labelled:
            yield from _both(labelled, name, [line for line in lines if line.startswith("- ")])
        if name != "Thunderbird":
            yield from _both("unlabelled: loghub_2k", name, lines)
    yield from _normal_blocks(data / "hdfs_sessions")
    yield from _passing_jobs(data / "ci_failures")


def _normal_blocks(folder: Path) -> Iterator[Log]:
    """The log in slices: each alone, each but the first against the one before it."""
    lines = _lines(folder / "logs" / "hdfs-01.log")
    with (folder / "sessions.jsonl").open(encoding="utf-8") as file:
        sessions = [json.loads(line) for line in file]
    normal = sorted({n for each in sessions if not each["is_anomalous"] for n in each["lines"]})
    size = -(-len(normal) // SLICES)
    slices = [[lines[n - 1] for n in normal[i : i + size]] for i in range(0, len(normal), size)]
    for i, part in enumerate(slices):
        yield Log("healthy: HDFS, normal blocks, alone", f"HDFS/{i}", part)
    for i, (before, part) in enumerate(pairwise(slices)):
        yield Log("healthy: HDFS, normal blocks, against the slice before", f"HDFS/{i + 1}", part, before)


def _passing_jobs(folder: Path) -> Iterator[Log]:
    """Passing logs alone, and against the one before it of the same project."""
    of_project: dict[str, tuple[str, ...]] = {}
    with (folder / "cases.jsonl").open(encoding="utf-8") as file:
        cases = [json.loads(line) for line in file]
    for case in cases:
        lines = tuple(_lines(folder / case["baseline_logs"][0]))
        yield Log("healthy: passing CI jobs, alone", case["case_id"], lines)
        before = of_project.get(case["group"])
        if before is not None and before != lines:
            yield Log("healthy: passing CI jobs, against another of the project", case["case_id"], lines, before)
        of_project[case["group"]] = lines


def _both(kind: str, name: str, lines: Sequence[str]) -> Iterator[Log]:
    middle = len(lines) // 2
    yield Log(f"{kind}, alone", name, lines)
    yield Log(f"{kind}, second half against the first", name, lines[middle:], lines[:middle])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n")


def judged(log: Log, folder: Path) -> Detection:
    """What CALI finds in a log, by a fresh miner."""
    path, known = folder / "app.log", folder / "known" / "app.log"
    known.parent.mkdir(exist_ok=True)
    for lines, target in ((log.lines, path), (log.before, known)):
        target.write_text("\n".join(lines), encoding="utf-8")
    return detect(
        open_sources([str(path)]).sources,
        miner=DrainMiner(),
        options=DetectionOptions(threads=1),
        baseline=open_sources([str(known)]).sources if log.before else (),
        observed_at=OBSERVED,
    )


def _shown(log: Log, incidents: Sequence[Incident]) -> str:
    rows = [f"{log.kind}: {log.name}"]
    for incident in incidents:
        span = f"{incident.starts_at} .. {incident.ends_at}"
        rows.append(f"  {incident.level} {span} {incident.title}\n    {incident.level_reason}")
        rows += [
            f"    {a.kind} {a.score:.2f} {severity.name(a.severity)} {a.template[:100]!r}: {a.why}"
            for a in incident.anomalies[:6]
        ]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[1].parent / "shared" / "data")
    parser.add_argument("--show", action="store_true", help="print what was found")
    options = parser.parse_args()
    found: dict[str, list[Sequence[Incident]]] = {}
    with tempfile.TemporaryDirectory(prefix="cali-bench-") as temporary:
        for log in logs(options.data):
            incidents = judged(log, Path(temporary)).incidents
            found.setdefault(log.kind, []).append(incidents)
            if options.show and incidents:
                print(_shown(log, incidents))
    print("| logs | judged | with incident | disaster | high | warning |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in sorted(found):
        each = found[kind]
        levels = [sum(incident.level == level for one in each for incident in one) for level in severity.LEVELS[::-1]]
        print(f"| {kind} | {len(each)} | {sum(map(bool, each))} | {' | '.join(map(str, levels))} |")


if __name__ == "__main__":
    main()
