"""From what the programs wrote to files: order, envelopes, physical line numbers, labels of lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from eval.simulator.labels import LogFile
from eval.simulator.world import Line, World

CHANGE = "change:"


def in_order(world: World) -> list[Line]:
    """The lines of a world by time; ties keep the order of writing."""
    return sorted(world.lines, key=lambda line: (line.t, line.sequence))


def raw_file(name: str, lines: Iterable[Line]) -> LogFile:
    """Lines as the programs wrote them; what a fault caused is marked, physical line by physical line."""
    texts: list[str] = []
    marked: list[int] = []
    changes: list[int] = []
    for line in lines:
        for text in line.text.split("\n"):
            texts.append(text)
            if line.cause is not None:
                (changes if line.cause.startswith(CHANGE) else marked).append(len(texts))
    return LogFile(name, tuple(texts), tuple(marked), tuple(changes))


def envelope(world: World, line: Line) -> list[str]:
    """One JSON object per physical line, as a collector writes them: time, service, and the line itself."""
    head = f'{{"timestamp": "{world.clock.iso(line.t)}", "service": "{line.stream}", "message": '
    return [f"{head}{json.dumps(text, ensure_ascii=False)}}}" for text in line.text.split("\n")]


def envelope_file(name: str, lines: Iterable[Line], world: World) -> LogFile:
    """Lines in envelopes; marks as in `raw_file`."""
    texts: list[str] = []
    marked: list[int] = []
    changes: list[int] = []
    for line in lines:
        for text in envelope(world, line):
            texts.append(text)
            if line.cause is not None:
                (changes if line.cause.startswith(CHANGE) else marked).append(len(texts))
    return LogFile(name, tuple(texts), tuple(marked), tuple(changes))


def split_files(stem: str, lines: Sequence[Line]) -> tuple[LogFile, ...]:
    """One raw file per stream; `gateway/access` becomes `gateway-access.log`."""
    by_stream: dict[str, list[Line]] = {}
    for line in lines:
        by_stream.setdefault(line.stream, []).append(line)
    # The gateway's first: `anomalous_lines` are those of the first log, and every symptom of a customer is in it.
    names = sorted(by_stream, key=lambda stream: (stream != "gateway/access", stream))
    return tuple(raw_file(f"{stem}{stream.replace('/', '-')}.log", by_stream[stream]) for stream in names)
