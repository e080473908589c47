"""A clue: what one template of one service did in an incident, with one of its records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core import severity as levels
from core.domain import Anomaly, Citation, Evidence, LogRecord, TemplateActivity
from core.stacktrace import StackTrace
from rag.suspects.access import access_of
from rag.suspects.reading import Reading

_LOGGER_KEYS: Final = (
    "logger",
    "logger_name",
    "loggerName",
    "log.logger",
    "component",
    "module",
    "caller",
    "name",
    "file",
)

KERNELS: Final = frozenset({"kernel", "node-kernel", "kmsg", "dmesg"})
"""What the log of a kernel is filed under."""
_KERNEL_LINE: Final = re.compile(
    r"(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]+ )?kernel: |\[ *\d+\.\d{6}\] "
    r"|(?:Memory cgroup o|O)ut of memory: Kill(?:ed)? process \d|oom-kill:constraint=|[\w./-]+ invoked oom-killer:"
)


@dataclass(frozen=True, slots=True)
class Clue:
    """One template of one service in the incident's window, with the first record it has there.

    `novelty` in [0, 1]: 1 where it never happened before, 0 where it happens as it always did. `age` is how far behind
    the first sign of the incident it stands, in [0, 1].
    """

    activity: TemplateActivity
    record: LogRecord
    anomaly: Anomaly | None
    reading: Reading | None
    traces: tuple[StackTrace, ...]
    novelty: float
    service: str | None
    age: float = 0.0
    object: str | None = None
    """The object (`kind/name`) that a record of the platform is about."""

    @property
    def severity(self) -> int:
        served = access_of(self.text)
        if served is not None and served.status < 400:
            return min(self.record.severity, levels.INFO)  # others of its template failed, this request did not
        return max(self.activity.severity, self.record.severity)

    @property
    def text(self) -> str:
        return self.record.body or self.record.line

    @property
    def citation(self) -> Citation:
        return self.record.citation

    @property
    def failing(self) -> bool:
        """Whether it reports trouble, by its severity or by its words."""
        return self.severity >= levels.ERROR or (self.reading is not None and self.reading.strength >= 0.35)

    @property
    def weighty(self) -> bool:
        """Whether it is a new failure of some weight: an error, or a complaint that repeats."""
        return self.failing and self.novelty > 0.6 and (self.severity >= levels.ERROR or self.activity.during >= 5)

    @property
    def troubled(self) -> bool:
        """Whether it reports more than a probe that failed, which every rollout brings."""
        probe = self.reading is not None and self.reading.fault_type == "probe_failure" and self.reading.strength < 0.8
        return self.failing and not probe

    @property
    def kernel(self) -> bool:
        """Whether the operating system's kernel wrote it."""
        told = self.record.attributes.get("facility") == "kernel"
        return told or self.record.service in KERNELS or _KERNEL_LINE.match(self.text) is not None

    @property
    def evidence(self) -> Evidence:
        return evidence_of(self.record, self.activity.template_id)


def evidence_of(record: LogRecord, template_id: int | None = None) -> Evidence:
    """The first physical line of a record, verbatim, as evidence."""
    return Evidence(
        source=record.source,
        position=record.position,
        timestamp=record.timestamp,
        text=record.line,
        service=base_service(record.service),
        template_id=template_id if template_id is not None else record.template_id,
    )


def base_service(service: str | None) -> str | None:
    """The service without the part after the slash: `nova/nova-api` belongs to `nova`."""
    return service.split("/", 1)[0] or None if service else None


def logger_of(record: LogRecord) -> str | None:
    """The dotted logger, or the file, that the record's header names."""
    for key in _LOGGER_KEYS:
        value = record.attributes.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None
