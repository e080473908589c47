"""What a simulated case says is true: the label side, in the words of the dataset format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.domain import FAULT_TYPES


@dataclass(frozen=True, slots=True)
class RootCause:
    """The truth about one fault. `component` is a file path or `kind/name`; `function` only where a frame shows it."""

    service: str
    component: str
    fault_type: str
    text: str
    function: str | None = None

    @property
    def category(self) -> str:
        return FAULT_TYPES[self.fault_type].value

    def to_json(self) -> dict[str, str]:
        """The `root_cause` object of a case."""
        values = {"service": self.service, "component": self.component}
        if self.function is not None:
            values["function"] = self.function
        return {**values, "fault_type": self.fault_type, "category": self.category, "text": self.text}


@dataclass(frozen=True, slots=True)
class TrueIncident:
    """One fault of a case: first effect to last effect (`ends_at`), its cause, and what a user would have noticed."""

    id: str
    starts_at: datetime
    ends_at: datetime
    root_cause: RootCause
    symptom: str


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a case: physical lines without their line ends, and which of them (1-based) a fault caused.

    `changes`: those that report the change behind a fault.
    """

    name: str
    lines: tuple[str, ...]
    anomalous: tuple[int, ...] = ()
    changes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A generated case: files and labels. A healthy case has no incident."""

    case_id: str
    window_start: datetime
    window_end: datetime
    logs: tuple[LogFile, ...]
    baseline: tuple[LogFile, ...] = ()
    incidents: tuple[TrueIncident, ...] = ()
    grey: tuple[tuple[datetime, datetime], ...] = ()
    traits: tuple[str, ...] = ()
    """What makes the case special: `healthy`, `red_herring`, `two_faults`, `no_error_line`, `slow_burn`, `silence`,
    `stream`. For breaking results down; never an input."""
