"""Text formats, applied to columns of lines: headers -> fields.

`match` finds the lines that have a format and takes their headers apart; `decode` makes columns of what several formats
matched. An operation on a column costs about the same whether it has ten rows or a thousand, so everything that does
not depend on the format is done once for the rows of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import polars as pl

from core import severity
from core.batch import TIMESTAMP
from ingest.parsing import columns, services, timestamps
from ingest.parsing.fields import EVENT_TYPES
from ingest.parsing.formats import ANY, Format, Variant
from ingest.parsing.timestamps import Clock

_CONSUMED: Final = frozenset(
    [
        *("head", "base", "frac", "zone", "level", "letter", "pri", "mark", "event", "epoch", "partial", "rest"),
        *("request", "program", "pod", "service", "file", "trace_id", "span_id", "app", "app2", "fallback"),
    ]
)
_ERROR_TYPE: Final = r"(?:Exception|Error|Throwable)$"
_PLACE: Final = r"(:[A-Za-z0-9_$.]+@[0-9]+)$"  # not anchored at the beginning: it is searched from the end
_DETAILS: Final = ("DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION")
_REDIS: Final = {".": severity.DEBUG, "-": severity.INFO, "*": severity.INFO + 1, "#": severity.WARN}
_EVENT_TYPE: Final = r"^(?:\x22?Event occurred\x22? |Event\().*\btype(?:=\x22|: ')(Normal|Warning)['\x22]"
"""What a component writes about an event that it records; its own level is always INFO."""
_DOTNET: Final = {"trce": severity.TRACE, "dbug": severity.DEBUG, "crit": severity.ERROR + 1}


@dataclass(frozen=True)
class Match:
    """The lines of a column that have a header in a format, and what its groups captured (`groups`, by name)."""

    format: Format
    variant: Variant
    rows: pl.Series | None  # UInt32 row numbers; None: all
    lines: pl.Series
    groups: pl.DataFrame

    @property
    def bases(self) -> pl.Series | None:
        """The timestamps as they are written, to the second."""
        return self.groups["base"] if "base" in self.groups.columns else None

    @property
    def zoned(self) -> bool:
        """Whether a timestamp has a zone."""
        return "zone" in self.groups.columns and self.groups["zone"].null_count() < self.groups.height

    @property
    def partial(self) -> pl.Series | None:
        """Which lines say that they go on in the next one."""
        return self.groups["partial"] == "P" if "partial" in self.groups.columns else None


def match(fmt: Format, lines: pl.Series, variant: Variant) -> Match | None:
    """The lines that have a header in `fmt`, taken apart; None where none has."""
    if fmt.needs and variant == ANY and not lines.str.contains(fmt.needs, literal=True).any():
        return None
    pattern = fmt.pattern(variant)
    rows = None
    if not variant.usual:
        # Without captures the engine passes a line several times faster.
        found = lines.str.contains(pattern)
        if not found.any():
            return None
        if not found.all():
            rows, lines = found.arg_true(), lines.filter(found)
    groups = lines.str.extract_groups(pattern).struct.unnest()
    if groups["head"].null_count():
        found = groups["head"].is_not_null()
        rows, lines, groups = found.arg_true(), lines.filter(found), groups.filter(found)
    return Match(fmt, variant, rows, lines, groups) if len(lines) else None


def decode(matches: Sequence[tuple[Match, int]], clock: Clock) -> pl.DataFrame:
    """DECODED columns of the rows of matches, one match after the other. Each comes with the number of its format."""
    parts = [_Part(found, code) for found, code in matches]
    heights = [part.height for part in parts]
    body = _bodies(parts)
    severities, times = _severities(parts), _times(parts, clock)
    given = {
        "timestamp": _joined(times, heights, TIMESTAMP),
        "severity": _joined(severities, heights, pl.UInt8()),
        "format": _joined([_constant(part.code, part, pl.UInt16()) for part in parts], heights, pl.UInt16()),
        "headered": _joined([_constant(part.format.strong, part) for part in parts], heights, pl.Boolean()),
        "opens": _joined([_constant(part.format.opens, part) for part in parts], heights, pl.Boolean()),
    }
    for name in ("program", "fallback", "trace_id", "span_id"):
        given[name] = _joined([part.field(name) for part in parts], heights, pl.String())
    given["attributes"] = _joined(_attributes(parts), heights, pl.String())
    given["body"] = body
    decoded = columns.frame(sum(heights), **{name: column for name, column in given.items() if column is not None})
    start = 0
    for number, part in enumerate(parts):
        if (revise := _REVISIONS.get(part.format.name)) is not None:
            revised = revise(part, decoded.slice(start, part.height))
            decoded = pl.concat([decoded.head(start), revised, decoded.slice(start + heights[number])])
        start += part.height
    return decoded


def names(found: Match) -> pl.DataFrame:
    """DECODED columns of a match of which only `program` and `fallback` are filled, as `decode` does it."""
    part = _Part(found, 0)
    return columns.frame(
        part.height,
        **{name: column for name in ("program", "fallback") if (column := part.field(name)) is not None},
    )


class _Part:
    """The rows of one match, with what only its format has."""

    def __init__(self, found: Match, code: int) -> None:
        self.format = found.format
        self.code = code
        self.lines = found.lines
        self.height = len(found.lines)
        self.shapes = found.variant.shapes or found.format.shapes
        self.groups = _PREPARATIONS.get(found.format.name, _as_captured)(found.groups)
        self.names = frozenset(self.groups.columns)
        self.grades = next((name for name in _GRADES if name in self.names), "")

    def field(self, name: str) -> pl.Series | None:
        """A column of names or identities of these rows."""
        if name == "program":
            return _program(self.groups, self.names)
        if name == "trace_id" and name not in self.names and "request" in self.names:
            return self.groups["request"]
        if name not in self.names:
            return None
        column = self.groups[name]
        return column.set(column == "", None) if name in ("trace_id", "span_id") else column


def _joined(parts: Sequence[pl.Series | None], heights: Sequence[int], dtype: pl.DataType) -> pl.Series | None:
    """Columns one after the other, with nulls where there is none; None where there are none at all."""
    if all(part is None for part in parts):
        return None
    nulls = pl.Series([None], dtype=dtype)
    filled = [
        nulls.new_from_index(0, height) if part is None else part.alias("")
        for part, height in zip(parts, heights, strict=True)
    ]
    return filled[0] if len(filled) == 1 else pl.concat(filled, rechunk=True)


def _together(parts: Sequence[pl.Series], function: Callable[[pl.Series], pl.Series]) -> list[pl.Series]:
    """A function of each row, applied to several columns at once."""
    if len(parts) == 1:
        return [function(parts[0])]
    whole = function(pl.concat([part.alias("") for part in parts], rechunk=True))
    found, start = [], 0
    for part in parts:
        found.append(whole.slice(start, len(part)))
        start += len(part)
    return found


def _constant(value: object, part: _Part, dtype: pl.DataType | None = None) -> pl.Series:
    return pl.Series([value], dtype=dtype).new_from_index(0, part.height)


# what only some formats have


def _as_captured(groups: pl.DataFrame) -> pl.DataFrame:
    return groups


def _of_log4j(groups: pl.DataFrame) -> pl.DataFrame:
    """`ERROR java.io.IOException: closed` names an exception where a logger could stand."""
    logger = groups["logger"]
    types = logger.str.contains(_ERROR_TYPE)
    if not types.any():
        return groups
    none = pl.Series([""], dtype=pl.String).new_from_index(0, len(logger))
    return groups.hstack([(logger + ": ").zip_with(types, none).alias("rest")])


def _of_zookeeper(groups: pl.DataFrame) -> pl.DataFrame:
    """thread:Logger@line"""
    place = pl.col("place")
    threads = groups.select("thread", place=pl.col("thread").str.extract(_PLACE)).select(
        thread=pl.when(place.is_null()).then("thread").otherwise(pl.col("thread").str.strip_suffix(place)),
        logger=place.str.strip_prefix(":").str.replace("@[0-9]+$", ""),
    )
    return groups[[name for name in groups.columns if name != "thread"]].hstack(threads)


def _of_apache(groups: pl.DataFrame) -> pl.DataFrame:
    """module:level"""
    module = groups["level"].str.extract("^([^:]+):", 1).alias("module")
    return pl.DataFrame([module, *groups.get_columns()])


def _of_oslo(groups: pl.DataFrame) -> pl.DataFrame:
    fallback = groups["logger"].str.extract(r"^([A-Za-z0-9_]+)\.", 1)
    return groups.hstack([fallback.alias("fallback")])


_PREPARATIONS: Final[dict[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "log4j": _of_log4j,
    "zookeeper": _of_zookeeper,
    "apache_error": _of_apache,
    "oslo": _of_oslo,
}
"""What is made of the groups of some formats first."""


def _klog_events(part: _Part, decoded: pl.DataFrame) -> pl.DataFrame:
    """Severities with those of the events' own types, where a record tells of an event."""
    recorded = part.groups["logger"].str.starts_with("event.go:")
    if not recorded.any():
        return decoded
    types = decoded["body"].set(~recorded, None).str.extract(_EVENT_TYPE, 1)
    severities = _mapped(types, EVENT_TYPES).zip_with(types.is_not_null(), decoded["severity"])
    return decoded.with_columns(severities.alias("severity"))


def _postgresql_details(part: _Part, decoded: pl.DataFrame) -> pl.DataFrame:
    """Bodies of details keep the word that says what they are."""
    level = part.groups["level"]
    named = pl.concat_str(pl.lit(level), pl.lit(":  "), pl.col("body"))
    detail = level.is_in(_DETAILS).alias("detail")
    return decoded.with_columns(detail, pl.when(detail).then(named).otherwise(pl.col("body")).alias("body"))


_REVISIONS: Final[dict[str, Callable[[_Part, pl.DataFrame], pl.DataFrame]]] = {
    "klog": _klog_events,
    "postgresql": _postgresql_details,
}
"""What is changed of the decoded rows of some formats at the end."""


# what all formats have


def _bodies(parts: Sequence[_Part]) -> pl.Series:
    """What follows the headers, with the part of the header that belongs to the message."""
    heights = [part.height for part in parts]
    nothing = pl.Series([""], dtype=pl.String)
    heads = [nothing.new_from_index(0, part.height) if part.format.keeps else part.groups["head"] for part in parts]
    table = {
        "line": _joined([part.lines for part in parts], heights, pl.String()),
        "head": _joined(heads, heights, pl.String()),
    }
    body = pl.DataFrame(table).select(pl.col("line").str.strip_prefix(pl.col("head"))).to_series()
    if not any("rest" in part.names for part in parts):
        return body
    pieces, start = [], 0
    for part in parts:
        piece = body.slice(start, part.height)
        pieces.append(part.groups["rest"].alias(body.name) + piece if "rest" in part.names else piece)
        start += part.height
    return pl.concat(pieces, rechunk=True)


def _times(parts: Sequence[_Part], clock: Clock) -> list[pl.Series | None]:
    """Timestamps of each part; those written alike are converted together."""
    found: list[pl.Series | None] = [None] * len(parts)
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, part in enumerate(parts):
        if "epoch" in part.names:
            found[number] = _of_epoch(part)
        elif "base" in part.names:
            alike.setdefault(part.shapes, []).append(number)
    for shapes, numbers in alike.items():
        heights = [parts[number].height for number in numbers]
        base, fraction, zone = (
            _joined(
                [part.groups[name] if name in part.names else None for part in (parts[number] for number in numbers)],
                heights,
                pl.String(),
            )
            for name in ("base", "frac", "zone")
        )
        assert base is not None
        times, start = timestamps.to_utc(base, fraction, zone, clock, shapes), 0
        for number, height in zip(numbers, heights, strict=True):
            found[number] = times.slice(start, height)
            start += height
    return found


def _of_epoch(part: _Part) -> pl.Series:
    """Exact, where the written stamp is in an unknown local zone; that one has the fraction."""
    micros = part.groups["epoch"].cast(pl.Int64, strict=False) * 1_000_000
    if "frac" in part.names:
        fraction = part.groups["frac"].str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False)
        micros = micros + fraction.fill_null(0)
    return micros.cast(TIMESTAMP)


def _mapped(column: pl.Series, table: dict[str, int]) -> pl.Series:
    return columns.mapped(column, lambda value: table.get(value, 0), pl.UInt8())


def of_words(column: pl.Series) -> pl.Series:
    """Severity numbers of a column of words; 0 where a row has none."""
    return columns.mapped(column, _of_word, pl.UInt8())


@cache
def _of_word(word: str | None) -> int:
    return 0 if word is None else _DOTNET.get(word) or severity.of_word(word.rpartition(":")[2])


def _by(table: dict[str, int]) -> Callable[[pl.Series], pl.Series]:
    return lambda column: _mapped(column, table)


_GRADES: Final[dict[str, Callable[[pl.Series], pl.Series]]] = {
    "level": of_words,
    "letter": _by(severity.LETTERS),
    "mark": _by(_REDIS),
    "event": _by(EVENT_TYPES),
    "status": _by({str(status): severity.of_http_status(status) for status in range(100, 600)}),
    "pri": _by({str(pri): severity.SYSLOG[pri & 7] for pri in range(192)}),
}
"""Groups that give a severity, and how; the first one that a format has counts."""


def _severities(parts: Sequence[_Part]) -> list[pl.Series]:
    found = [pl.Series([0], dtype=pl.UInt8).new_from_index(0, part.height) for part in parts]
    for name, grade in _GRADES.items():
        numbers = [number for number, part in enumerate(parts) if part.grades == name]
        graded = _together([parts[number].groups[name] for number in numbers], grade) if numbers else []
        for number, column in zip(numbers, graded, strict=True):
            found[number] = column
    return found


_NAMES: Final[dict[str, Callable[[str], str | None]]] = {
    "pod": services.of_pod,
    "service": str,
    "program": services.of_program,
    "file": services.of_file,
    "object": services.of_object,
    "app": str,
}
"""Groups that name a service, and how it is derived; the first one that a format has counts."""


def names_service(fmt: Format) -> bool:
    """Whether the headers of a format say which service wrote the line."""
    return any(fmt.captures(name) for name in _NAMES)


def _program(groups: pl.DataFrame, names: frozenset[str]) -> pl.Series | None:
    for name, derive in _NAMES.items():
        if name in names:
            return columns.mapped(groups[name], partial(_named, derive), pl.String())
    return None


def _named(derive: Callable[[str], str | None], text: str | None) -> str | None:
    return None if text is None or text == "-" else derive(text) or None


def _attributes(parts: Sequence[_Part]) -> list[pl.Series | None]:
    """One JSON object for each row, of the groups that nothing else is made of."""
    return [
        columns.json_objects([part.groups[name] for name in part.groups.columns if name not in _CONSUMED])
        for part in parts
    ]
