"""What a text format is: one regular expression for its header.

An expression describes the header only, up to where the message begins; the message is what follows it. In templates,
`{TS}` stands for a timestamp with its fraction and zone, `{TSF}` for one without a zone, `{TS0}` for the bare base,
`{LEVEL}` for a severity word in any usual case, `{UPPER}` for one in capitals, `{LOGGER}` for a logger's name,
`{DOTTED}` for one that has a dot (a single word before a colon may as well be the message's own). Named groups carry
the fields:

    base, frac, zone            the timestamp
    level, letter, pri, status  what gives the severity (also `mark` of Redis, `event` of Kubernetes)
    service                     a name that the wrapper gives the program
    program, pod, file, object  names that a service is derived from
    request, trace_id, span_id  identities
    anything else               goes to attributes under its own name

Rust's engine matches several times faster where each byte allows one continuation only ("one-pass"), hence the
careful ends of some expressions, and variants without zone for logs that have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from ingest.parsing.timestamps import BY_NAME, FRACTION, SHAPES, ZONE

_WORDS: Final = (
    "TRACE|DEBUG|DBG|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|FTL|PANIC|ALERT|"
    "EMERGENCY|EMERG|FINEST|FINER|FINE|CONFIG|VERBOSE|FAILURE|AUDIT"
)
_TITLE: Final = "|".join(word.title() for word in _WORDS.split("|"))
_FRAGMENTS: Final = {
    "{LEVEL}": f"(?P<level>{_WORDS}|{_TITLE}|{_WORDS.lower()})",
    "{UPPER}": f"(?P<level>{_WORDS})",
    "{LOGGER}": r"[A-Za-z_$][A-Za-z0-9_.$/#<>-]*",
    "{DOTTED}": r"[A-Za-z_][A-Za-z0-9_/#<>-]*(?:[.$][A-Za-z0-9_/#<>-]+)+",
    "{PID}": r"(?P<pid>[0-9]+)",
    "{THREAD}": r"\[(?P<thread>[^\]]*)\]",
}


@dataclass(frozen=True)
class Variant:
    """What a source's sample showed of a format: the shapes of its times (none: any), whether they have a zone, and
    whether most lines that no format before it has are in it (`usual`)."""

    shapes: tuple[str, ...] = ()
    zoned: bool = True
    usual: bool = False


ANY: Final = Variant()


@dataclass(frozen=True)
class Format:
    """A way to write a header.

    `shapes`: names of the shapes of time that it has (none: any). `strong`: indented lines after such a record belong
    to it. `wraps`: what follows is itself a log line, and is parsed again. `share`: the format counts only where at
    least this share of the sample has it (for shapes that ordinary text has too). `keeps`: the header stays in the
    body. `opens`: the next line belongs to the record, whatever it is. `needs`: a text that every such line has; where
    no line has it, the expression need not be compiled, which matters for many small files.
    """

    name: str
    template: str
    needs: str = ""
    shapes: tuple[str, ...] = ()
    wraps: bool = False
    strong: bool = True
    share: float = 0.0
    keeps: bool = False
    opens: bool = False

    @property
    def timed(self) -> bool:
        """Whether the header holds a time of day, so that lines without one need not be tried."""
        return "{TS" in self.template or "<base>" in self.template

    def fits_times(self, shapes: frozenset[str]) -> bool:
        """Whether a line in which only these shapes of time stand may have the format."""
        return "{TS" not in self.template or not shapes.isdisjoint(self.shapes or BY_NAME)

    def captures(self, name: str) -> bool:
        """Whether the expression has a group of this name."""
        return f"(?P<{name}>" in self.template

    def pattern(self, variant: Variant = ANY) -> str:
        """The expression, with the group `head` around the whole header."""
        return _pattern(self, variant)


@cache
def _pattern(fmt: Format, variant: Variant) -> str:
    names = variant.shapes or fmt.shapes or tuple(shape.name for shape in SHAPES)
    bases = "|".join(BY_NAME[name].pattern for name in names)
    base = f"(?P<base>{bases})"
    zone = ZONE if variant.zoned else ""
    text = fmt.template
    for name, fragment in _FRAGMENTS.items():
        text = text.replace(name, fragment)
    text = text.replace("{TS}", base + FRACTION + zone).replace("{TSF}", base + FRACTION).replace("{TS0}", base)
    return f"^(?P<head>{text})"


ISO: Final = ("iso",)
EPOCHS: Final = tuple(shape.name for shape in SHAPES if shape.unit)
DATED: Final = tuple(shape.name for shape in SHAPES if not shape.unit and shape.missing != "date")
CLOCKED: Final = (*DATED, "time")
