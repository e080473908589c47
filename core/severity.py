"""OpenTelemetry severity numbers, incident levels, and the one mapping between the two.

Source of the numbers: OpenTelemetry logs data model, "Field: SeverityNumber" (TRACE 1-4, DEBUG 5-8, INFO 9-12,
WARN 13-16, ERROR 17-20, FATAL 21-24; 0 is unspecified).
"""

from __future__ import annotations

from typing import Final, Literal

Level = Literal["warning", "high", "disaster"]
"""Level of an incident: degraded, partly failing, down."""

UNSPECIFIED: Final = 0
TRACE: Final = 1
DEBUG: Final = 5
INFO: Final = 9
WARN: Final = 13
ERROR: Final = 17
FATAL: Final = 21

LEVELS: Final[tuple[Level, ...]] = ("warning", "high", "disaster")

WORDS: Final[dict[str, int]] = {
    "trace": TRACE,
    "finest": TRACE,
    "finer": TRACE,
    "verbose": TRACE,
    "all": TRACE,
    "debug": DEBUG,
    "dbg": DEBUG,
    "debug1": DEBUG,
    "debug2": DEBUG,
    "debug3": DEBUG,
    "debug4": DEBUG,
    "debug5": DEBUG,
    "fine": DEBUG,
    "config": DEBUG,
    "info": INFO,
    "information": INFO,
    "informational": INFO,
    "inf": INFO,
    "log": INFO,
    "statement": INFO,
    "detail": INFO,
    "hint": INFO,
    "audit": INFO,
    "notice": INFO + 1,
    "note": INFO + 1,
    "warning": WARN,
    "warn": WARN,
    "wrn": WARN,
    "error": ERROR,
    "err": ERROR,
    "eror": ERROR,
    "severe": ERROR,
    "failure": ERROR,
    "fail": ERROR,
    "critical": ERROR + 1,
    "crit": ERROR + 1,
    "dpanic": ERROR + 1,
    "alert": ERROR + 2,
    "fatal": FATAL,
    "panic": FATAL,
    "emerg": FATAL,
    "emergency": FATAL,
    "ftl": FATAL,
}
"""Severity words, lower case, of the usual loggers (syslog, log4j, java.util.logging, zap, structlog, PostgreSQL)."""

LETTERS: Final[dict[str, int]] = {
    "T": TRACE,
    "V": TRACE,
    "D": DEBUG,
    "I": INFO,
    "N": INFO + 1,
    "W": WARN,
    "E": ERROR,
    "C": ERROR + 1,
    "F": FATAL,
    "A": ERROR + 2,
}
"""One-letter severities (klog, glog, Android)."""

SYSLOG: Final[tuple[int, ...]] = (FATAL, ERROR + 2, ERROR + 1, ERROR, WARN, INFO + 1, INFO, DEBUG)
"""Severity number by syslog severity 0 (emergency) to 7 (debug), RFC 5424 table 2."""

BUNYAN: Final[dict[int, int]] = {10: TRACE, 20: DEBUG, 30: INFO, 40: WARN, 50: ERROR, 60: FATAL}
"""Severity number by the numeric level of Bunyan and pino."""


def of_word(word: str) -> int:
    """Severity number of a severity word or letter in any case; 0 where it is none."""
    stripped = word.strip("[]<>(): ")
    return WORDS.get(stripped.lower()) or (LETTERS.get(stripped, UNSPECIFIED) if len(stripped) == 1 else UNSPECIFIED)


def of_http_status(status: int) -> int:
    """Severity number of a served HTTP status: 5xx is an error, 4xx a warning, the rest information."""
    if status >= 500:
        return ERROR
    return WARN if status >= 400 else INFO


def name(severity: int) -> str:
    """Short name of a severity number: `TRACE` ... `FATAL`, or `-` for 0."""
    for floor, text in ((FATAL, "FATAL"), (ERROR, "ERROR"), (WARN, "WARN"), (INFO, "INFO"), (DEBUG, "DEBUG")):
        if severity >= floor:
            return text
    return "TRACE" if severity >= TRACE else "-"


def level_of(severity: int) -> Level:
    """The incident level that a severity alone justifies: FATAL is a disaster, ERROR high, anything else a warning."""
    if severity >= FATAL:
        return "disaster"
    return "high" if severity >= ERROR else "warning"


def worst(*levels: Level) -> Level:
    """The worst of some levels; `warning` where there are none."""
    return max(levels, key=LEVELS.index, default="warning")
