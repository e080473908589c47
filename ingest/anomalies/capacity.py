"""A resource at its stated capacity, as a dump prints it: a full node, disk or quota, a throttled container.

No line of such a dump tells of a failure; its figures do. They are read as `kubectl describe`, `kubectl top nodes`,
`kubectl get hpa`, `df`, a cgroup's `cpu.stat` and cAdvisor's metrics print them. A figure counts where nothing is left
to take: nodes that are well filled or limits that are overcommitted work as they were meant to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from core.units import SUFFIXES

FULL: Final = 0.95
"""Share in use from which nothing is left, as the alerts of kubernetes-mixin have it (KubeletTooManyPods)."""

THROTTLED: Final = 0.25
"""Share of a container's CPU periods that it was throttled in, from which it suffers (CPUThrottlingHigh)."""

LEAST_PERIODS: Final = 100.0
"""CPU periods (of a tenth of a second) below which their share says nothing."""

LEAST_CPU: Final = 0.01
"""Cores: the smallest limit that Kubernetes enforces (1 ms of 100 ms). Whatever works under it is throttled."""

_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)([numkMGT]|[KMGT]i)?")
_PROPERTY: Final = re.compile(r"( *)([A-Za-z][\w()./-]*(?: [\w()./-]+)*):(?: +(\S.*))?")
"""`Name:   value` of a description, with its indent; the columns of a table are more than one blank apart."""

_REQUESTED: Final = re.compile(r" +(cpu|memory|ephemeral-storage) +\S+ \((\d+)%\)")
_IN_TOTAL: Final = re.compile(r"\((\d+) in total\)")
_PERIODS: Final = re.compile(
    r"(?:nr_(periods|throttled)|container_cpu_cfs_(throttled_periods|periods)_total(\{[^}]*\})?) +([\d.e+]+)(?: \d+)?"
)
_IMAGE: Final = re.compile(r"/dev/loop|/dev/sr\d|/snap/|squashfs|iso9660|devfs")
"""File systems that are full by nature."""


class Full(NamedTuple):
    """Line `place` (an index) shows that `used` of the `room` there is in use; `why` says of what, in one sentence."""

    place: int
    used: str
    room: str
    why: str


def full(lines: Sequence[str]) -> list[Full]:
    """The figures of a dump that are at their capacity, in order of place. Empty for text that is no dump."""
    dump = _Dump()
    return sorted(found for place, line in enumerate(lines) for found in dump.read(place, line.rstrip()))


def quantity(text: str) -> float | None:
    """A Kubernetes quantity as a number: `250m` is 0.25, `64Mi` 67108864; None for what is none."""
    match = _QUANTITY.fullmatch(text)
    return float(match[1]) * SUFFIXES[match[2] or ""] if match else None


@dataclass
class _Dump:
    """What was read so far: where the reader stands, and the figures that later ones are compared with.

    `path` holds the open sections of a description with their indents; `columns` the table that is being read.
    """

    path: list[tuple[int, str]] = field(default_factory=list)
    name: str = ""
    room: str = ""
    columns: tuple[str, ...] = ()
    periods: dict[tuple[str, str], float] = field(default_factory=dict)

    def read(self, place: int, line: str) -> Iterator[Full]:
        header = tuple(line.split())
        reader = _reader_of(self.columns)
        if _reader_of(header) is not None:
            self.columns = header
        elif (periods := _PERIODS.fullmatch(line.strip())) is not None:
            yield from self._throttling(place, periods)
        elif (each := _PROPERTY.fullmatch(line)) is not None:
            self.columns = ()
            yield from self._property(place, len(each[1]), each[2], each[3] or "")
        elif (requested := _REQUESTED.match(line)) is not None and self._inside("Allocated resources"):
            if int(requested[2]) >= 100:
                yield _nothing_left(place, f"{requested[2]}%", "100%", f"requested {requested[1]} of {self.name}")
        elif reader is not None and (cells := _cells(line, len(self.columns))):
            yield from reader(place, dict(zip(self.columns, cells, strict=False)))
        elif not line or line.strip("- "):
            self.columns = ()

    def _inside(self, section: str) -> bool:
        return any(name == section for _, name in self.path)

    def _property(self, place: int, indent: int, name: str, value: str) -> Iterator[Full]:
        while self.path and self.path[-1][0] >= indent:
            self.path.pop()
        parent = self.path[-1][1] if self.path else ""
        if not indent and name == "Name":
            self.name, self.room = value, ""
        elif parent == "Allocatable" and name == "pods":
            self.room = value
        elif name == "Non-terminated Pods" and (total := _IN_TOTAL.search(value)) and self.room.isdigit():
            if int(total[1]) >= FULL * int(self.room):
                yield _nothing_left(place, total[1], self.room, f"pods of {self.name}")
        elif parent == "Limits" and name == "cpu" and 0 < (quantity(value) or 0.0) <= LEAST_CPU:
            why = f"the CPU limit of {self.name} is {value}, the least that is enforced: all work is throttled"
            yield Full(place, value, value, why)
        self.path.append((indent, name))

    def _throttling(self, place: int, match: re.Match[str]) -> Iterator[Full]:
        kind, labels = (match[1] or match[2]).removesuffix("_periods"), match[3] or ""
        self.periods[kind, labels] = float(match[4])
        if ("periods", labels) in self.periods and ("throttled", labels) in self.periods:
            periods, throttled = (self.periods.pop((each, labels)) for each in ("periods", "throttled"))
            if periods >= LEAST_PERIODS and throttled >= THROTTLED * periods:
                why = f"throttled in {100 * throttled / periods:.0f} % of its CPU periods {labels}".rstrip()
                yield Full(place, f"{throttled:.0f}", f"{periods:.0f}", why)


def _nothing_left(place: int, used: str, room: str, what: str) -> Full:
    return Full(place, used, room, f"{what}: {used} in use of {room}, nothing is left")


def _disk(place: int, row: Mapping[str, str]) -> Iterator[Full]:
    share = row.get("Use%") or row.get("IUse%") or row.get("Capacity", "")
    if _percent(share) >= FULL and not _IMAGE.search(" ".join(row.values())):
        yield _nothing_left(place, share, "100%", f"file system {row.get('Mounted', row['Filesystem'])}")


def _top(place: int, row: Mapping[str, str]) -> Iterator[Full]:
    for column, value in row.items():
        if "%" in column and _percent(value) >= FULL:
            resource = "CPU" if column.startswith("CPU") else "memory"
            yield _nothing_left(place, value, "100%", f"{resource} of {row['NAME']}")


def _quota(place: int, row: Mapping[str, str]) -> Iterator[Full]:
    used, hard = quantity(row.get("Used", "")), quantity(row.get("Hard", ""))
    if used is not None and hard and used >= hard:
        yield _nothing_left(place, row["Used"], row["Hard"], f"quota of {row['Resource']}")


def _autoscaler(place: int, row: Mapping[str, str]) -> Iterator[Full]:
    now, _, wanted = row["TARGETS"].rpartition(": ")[2].partition("/")
    if row.get("REPLICAS", "") == row.get("MAXPODS") and _percent(now) > _percent(wanted) > 0:
        what = f"replicas of {row['NAME']}, at {now} of its load where {wanted} is wanted"
        yield _nothing_left(place, row["REPLICAS"], row["MAXPODS"], what)


_Reader = Callable[[int, Mapping[str, str]], Iterator[Full]]

_TABLES: Final[tuple[tuple[frozenset[str], _Reader], ...]] = (
    (frozenset({"Filesystem", "Use%"}), _disk),
    (frozenset({"Filesystem", "IUse%"}), _disk),
    (frozenset({"Filesystem", "Capacity"}), _disk),
    (frozenset({"NAME", "CPU%", "MEMORY%"}), _top),
    (frozenset({"NAME", "CPU(%)", "MEMORY(%)"}), _top),
    (frozenset({"Resource", "Used", "Hard"}), _quota),
    (frozenset({"NAME", "TARGETS", "MAXPODS", "REPLICAS"}), _autoscaler),
)


def _reader_of(header: Sequence[str]) -> _Reader | None:
    """What reads the rows of a table with this header, None for what heads no table of use."""
    return next((reader for needed, reader in _TABLES if needed <= set(header)), None)


def _cells(line: str, columns: int) -> list[str]:
    """The cells of a table's row, empty where the line is none: as many as columns, or with some of several words."""
    cells = line.split()
    if len(cells) > columns:
        cells = re.split(r" {2,}|\t", line.strip())
    return cells if len(cells) >= min(columns - 1, 3) else []


def _percent(text: str) -> float:
    """`97%` as 0.97; 0 for what is no percentage."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    return float(match[1]) / 100 if match else 0.0
