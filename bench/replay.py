"""Replays: long logs made of the 2,000 labelled lines of real systems, with the digits of their parameters varied.

    python bench/replay.py SYSTEM... --lines N --unique SHARE --out FILE

`json` and `logfmt` are the messages of HDFS and OpenSSH as programs of today write them: JSON lines and logfmt with a
time to the millisecond, a level, a service and more fields, one of them an id of its own on each line.

The lines of a system are repeated in order; inside each parameter (where the labelled template has `<*>`) each digit is
drawn anew, so that parameters differ as they do in the field while letters, shapes and order stay real. `--unique` adds
a word of random letters to a share of the lines: such a line was never seen before. The seed is fixed.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "loghub_2k"
MIX = ("Apache", "BGL", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark", "Thunderbird", "Zookeeper")
STRUCTURED = ("json", "logfmt")
SEED = 20240917
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)


def parameter_digits(line: str, content: str, template: str) -> np.ndarray:
    """For each byte of a line, whether it is a digit inside a parameter of its message."""
    varied = np.zeros(len(line.encode()), dtype=bool)
    start = line.rfind(content)
    pattern = "(.*?)".join(re.escape(part) for part in template.split("<*>"))
    match = re.fullmatch(pattern, content, re.DOTALL)
    if start < 0 or match is None:
        return varied
    for group in range(1, len(match.groups()) + 1):
        first, last = match.span(group)
        for at in range(start + first, start + last):
            if line[at].isascii() and line[at].isdigit():
                varied[len(line[:at].encode())] = True
    return varied


def _labelled(system: str) -> list[dict[str, str]]:
    with (DATA / system / f"{system}_2k.log_structured_corrected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _json(row: Mapping[str, str]) -> str:
    stamp = datetime.strptime(row["Date"].zfill(6) + row["Time"].zfill(6), "%y%m%d%H%M%S")
    fields = {
        "timestamp": f"{stamp.isoformat()}.000Z",
        "level": row["Level"].lower(),
        "service": "datanode",
        "logger": row["Component"],
        "thread": int(row["Pid"]),
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "message": row["Content"],
    }
    return json.dumps(fields, separators=(",", ":"))


def _logfmt(row: Mapping[str, str]) -> str:
    level = "error" if row["Content"].startswith("error") else "info"
    message = json.dumps(row["Content"])
    stamp = datetime.strptime(f"2023 {row['Date']} {row['Day']} {row['Time']}", "%Y %b %d %H:%M:%S")
    fields = f"service=sshd host=LabSZ pid={row['Pid']} req=9c81e440"
    return f"time={stamp.isoformat()}.000Z level={level} {fields} msg={message}"


def _structured(system: str, write_line: Callable[[Mapping[str, str]], str]) -> list[tuple[bytes, np.ndarray, str]]:
    """The messages of a system in lines of fields: digits of the message, of the id and of the milliseconds vary."""
    entries = []
    for row in _labelled(system):
        line = write_line(row)
        varied = parameter_digits(line, row["Content"], row["EventTemplate"])
        for match in re.finditer(r"(?<=\.)000(?=Z)|4bf92f3577b34da6a3ce929d0e0e4736|9c81e440", line):
            varied[[at for at in range(*match.span()) if line[at].isdigit()]] = True
        entries.append((f"{line}\n".encode(), np.append(varied, False), f"{system}:{row['EventId']}"))
    return entries


def load(system: str) -> list[tuple[bytes, np.ndarray, str]]:
    """The lines of a system: bytes, which of them vary, and the name of the true template."""
    if system in STRUCTURED:
        return _structured("HDFS", _json) if system == "json" else _structured("OpenSSH", _logfmt)
    raw = (DATA / system / f"{system}_2k.log").read_text(encoding="utf-8", errors="replace").split("\n")
    rows = _labelled(system)
    return [
        (
            f"{line}\n".encode(),
            np.append(parameter_digits(line, row["Content"], row["EventTemplate"]), False),
            f"{system}:{row['EventId']}",
        )
        for line, row in zip((each.rstrip("\r") for each in raw), rows, strict=False)
    ]


def write(systems: tuple[str, ...], lines: int, unique: float, out: Path) -> list[str]:
    """Writes a replay; returns the true template of each line."""
    rng = np.random.default_rng(SEED)
    entries = [entry for each in zip(*(load(system) for system in systems), strict=False) for entry in each]
    repeats = -(-lines // len(entries))
    truth = ([entry[2] for entry in entries] * repeats)[:lines]
    out.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with out.open("wb") as file:
        for _ in range(repeats):
            part = entries[: lines - written]
            chunk = np.frombuffer(b"".join(entry[0] for entry in part), dtype=np.uint8).copy()
            varied = np.concatenate([entry[1] for entry in part])
            chunk[varied] = rng.integers(ord("0"), ord("9") + 1, size=int(varied.sum()), dtype=np.uint8)
            text = chunk.tobytes()
            if unique:
                marked = rng.random(len(part)) < unique
                words = LETTERS[rng.integers(0, 26, size=(len(part), 12))]
                text = b"".join(
                    line[:-1] + b" " + words[at].tobytes() + b"\n" if marked[at] else line
                    for at, line in enumerate(text.splitlines(keepends=True))
                )
            file.write(text)
            written += len(part)
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="+", help="system names, mix, json or logfmt")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--unique", type=float, default=0.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    write(MIX if args.systems == ["mix"] else tuple(args.systems), args.lines, args.unique, args.out)


if __name__ == "__main__":
    main()
