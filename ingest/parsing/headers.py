"""One text format, applied to a column of lines: header -> fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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
        *("request", "program", "pod", "service", "file", "trace_id", "span_id", "app", "app2"),
    ]
)
_ERROR_TYPE: Final = r"(?:Exception|Error|Throwable)$"
_DETAILS: Final = ("DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY", "LOCATION")
_REDIS: Final = {".": severity.DEBUG, "-": severity.INFO, "*": severity.INFO + 1, "#": severity.WARN}
_EVENT_TYPE: Final = r"^(?:\x22?Event occurred\x22? |Event\().*\btype(?:=\x22|: ')(Normal|Warning)['\x22]"
"""What a component writes about an event that it records; its own level is always INFO."""
_DOTNET: Final = {"trce": severity.TRACE, "dbug": severity.DEBUG, "crit": severity.ERROR + 1}


@dataclass(frozen=True)
class Match:
    """The rows of a column that a format matched, decoded; `content` is what follows the header."""

    rows: pl.Series | None  # UInt32 row numbers; None: all
    decoded: pl.DataFrame
    content: pl.Series
    partial: pl.Series | None
    bases: pl.Series | None
    zoned: bool


def match(fmt: Format, lines: pl.Series, variant: Variant, clock: Clock, code: int) -> Match | None:
    """The lines that have a header in `fmt`, taken apart; None where none has. `code` marks them."""
    if fmt.needs and variant == ANY and not lines.str.contains(fmt.needs, literal=True).any():
        return None
    groups = lines.str.extract_groups(fmt.pattern(variant)).struct.unnest()
    found = groups["head"].is_not_null()
    rows: pl.Series | None = None
    if not found.all():
        if not found.any():
            return None
        rows = found.arg_true()
        groups, lines = groups.filter(found), lines.filter(found)
    return _decoded(fmt, groups, lines, rows, variant, clock, code)


def _decoded(
    fmt: Format,
    groups: pl.DataFrame,
    lines: pl.Series,
    rows: pl.Series | None,
    variant: Variant,
    clock: Clock,
    code: int,
) -> Match:
    names = set(groups.columns)
    table = pl.DataFrame({"line": lines, "head": groups["head"]})
    content = table.select(pl.col("line").str.strip_prefix(pl.col("head"))).to_series()
    body = lines if fmt.keeps else content
    if fmt.name == "log4j" and (types := groups["logger"].str.contains(_ERROR_TYPE)).any():
        # `ERROR java.io.IOException: closed` names an exception where a logger could stand.
        body = (groups["logger"] + ": " + body).zip_with(types, body)
    if "rest" in names:
        body = groups["rest"] + content
    given: dict[str, pl.Series] = {"body": body.alias("body"), "severity": _severities(groups, names)}
    if fmt.name == "klog" and (recorded := groups["logger"].str.starts_with("event.go:")).any():
        given["severity"] = _severities_of_events(given["severity"], recorded, content)
    if "base" in names:
        given["timestamp"] = _times(groups, names, variant.shapes or fmt.shapes, clock)
    if (program := _program(groups, names)) is not None:
        given["program"] = program
    if "request" in names:
        given["trace_id"] = groups["request"].alias("trace_id")
    for name in ("trace_id", "span_id"):
        if name in names:
            given[name] = groups[name].set(groups[name] == "", None)
    extra: list[pl.Series] = []
    if fmt.name == "zookeeper":  # thread:Logger@line
        parts = (
            groups["thread"].str.extract_groups(r"^(?P<thread>.*):(?P<logger>[A-Za-z0-9_$.]+)@[0-9]+$").struct.unnest()
        )
        extra = [parts["thread"].fill_null(groups["thread"]), parts["logger"]]
        groups = groups.drop("thread")
    elif fmt.name == "apache_error":  # module:level
        extra = [groups["level"].str.extract("^([^:]+):", 1).alias("module")]
    if fmt.name == "oslo":
        given["fallback"] = groups["logger"].str.extract(r"^([A-Za-z0-9_]+)\.", 1).alias("fallback")
    if fmt.name == "postgresql":
        given["detail"] = groups["level"].is_in(_DETAILS).alias("detail")
        given["body"] = _with_level(body, groups["level"])
    attributes = columns.json_objects([*extra, *(groups[name] for name in groups.columns if name not in _CONSUMED)])
    if attributes is not None:
        given["attributes"] = attributes.alias("attributes")
    given["format"] = pl.Series("format", [code], dtype=pl.UInt16).new_from_index(0, len(lines))
    given["headered"] = pl.Series("headered", [fmt.strong]).new_from_index(0, len(lines))
    given["opens"] = pl.Series("opens", [fmt.opens]).new_from_index(0, len(lines))
    decoded = columns.frame(len(lines), **given)
    partial = groups["partial"] == "P" if "partial" in names else None
    zoned = "zone" in names and groups["zone"].null_count() < groups.height
    return Match(rows, decoded, content, partial, groups["base"] if "base" in names else None, zoned)


def _with_level(body: pl.Series, level: pl.Series) -> pl.Series:
    """Bodies of details keep the word that says what they are."""
    table = pl.DataFrame({"body": body, "level": level})
    named = pl.concat_str(pl.col("level"), pl.lit(":  "), pl.col("body"))
    return table.select(
        pl.when(pl.col("level").is_in(_DETAILS)).then(named).otherwise(pl.col("body")).alias("body")
    ).to_series()


def _times(groups: pl.DataFrame, names: set[str], shapes: tuple[str, ...], clock: Clock) -> pl.Series:
    fraction = groups["frac"] if "frac" in names else None
    zone = groups["zone"] if "zone" in names else None
    if "epoch" in names:  # exact, where the written stamp is in an unknown local zone; that one has the fraction
        seconds = groups["epoch"].cast(pl.Int64, strict=False) * 1_000_000
        if fraction is not None:
            seconds = seconds + fraction.str.pad_end(6, "0").str.head(6).cast(pl.Int64, strict=False).fill_null(0)
        return seconds.cast(TIMESTAMP).alias("timestamp")
    return timestamps.to_utc(groups["base"], fraction, zone, clock, shapes).alias("timestamp")


def _mapped(column: pl.Series, table: dict[str, int]) -> pl.Series:
    return column.replace_strict(table, default=0, return_dtype=pl.UInt8)


def of_words(column: pl.Series) -> pl.Series:
    """Severity numbers of a column of words; 0 where a row has none."""
    words = column.unique()
    numbers = pl.Series([_of_word(word) for word in words], dtype=pl.UInt8)
    if len(words) == 1:
        return numbers.new_from_index(0, len(column))
    return column.replace_strict(words, numbers, return_dtype=pl.UInt8)


@cache
def _of_word(word: str | None) -> int:
    return 0 if word is None else _DOTNET.get(word) or severity.of_word(word.rpartition(":")[2])


def _severities(groups: pl.DataFrame, names: set[str]) -> pl.Series:
    result: pl.Series | None = None
    if "level" in names:
        result = of_words(groups["level"])
    elif "letter" in names:
        result = _mapped(groups["letter"], severity.LETTERS)
    elif "mark" in names:
        result = _mapped(groups["mark"], _REDIS)
    elif "event" in names:
        result = _mapped(groups["event"], EVENT_TYPES)
    elif "status" in names:
        table = {str(status): severity.of_http_status(status) for status in range(100, 600)}
        result = _mapped(groups["status"], table)
    elif "pri" in names:
        table = {str(pri): severity.SYSLOG[pri & 7] for pri in range(192)}
        result = _mapped(groups["pri"], table)
    if result is None:
        result = pl.Series([0], dtype=pl.UInt8).new_from_index(0, groups.height)
    return result.fill_null(0).alias("severity")


def _severities_of_events(severities: pl.Series, recorded: pl.Series, content: pl.Series) -> pl.Series:
    """Severities with those of the events' own types, where a record tells of an event."""
    types = content.set(~recorded, None).str.extract(_EVENT_TYPE, 1)
    return _mapped(types, EVENT_TYPES).zip_with(types.is_not_null(), severities).alias("severity")


def _program(groups: pl.DataFrame, names: set[str]) -> pl.Series | None:
    for name, derive in (
        ("pod", services.of_pod),
        ("service", str),
        ("program", services.of_program),
        ("file", services.of_file),
        ("object", services.of_object),
        ("app", str),
    ):
        if name not in names:
            continue
        column = groups[name]
        table = {text: derive(text) or None for text in column.unique().drop_nulls().to_list() if text != "-"}
        return column.replace_strict(table, default=None, return_dtype=pl.String).alias("program")
    return None
