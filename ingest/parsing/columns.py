"""The columns that decoding fills in for each physical line, before folding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from core.batch import TIMESTAMP

DECODED: Final = pl.Schema(
    {
        "timestamp": TIMESTAMP,
        "severity": pl.UInt8(),
        "service": pl.String(),  # certain: a field of the line or of its envelope
        "program": pl.String(),  # derived: pod, program, compose service
        "fallback": pl.String(),  # a name for when nothing else is known: the root of a logger
        "body": pl.String(),
        "trace_id": pl.String(),
        "span_id": pl.String(),
        "attributes": pl.String(),
        "format": pl.UInt16(),  # index into the decoder's names; 0 is "nothing matched"
        "headered": pl.Boolean(),  # indented lines after it belong to it
        "glued": pl.Boolean(),  # continues the line before it without a line end (partial lines of CRI, Docker)
        "partial": pl.Boolean(),  # goes on in the next line without a line end
        "opens": pl.Boolean(),  # the next line belongs to it, whatever that is
        "detail": pl.Boolean(),  # a detail of the record before it (DETAIL, HINT, STATEMENT of PostgreSQL)
    }
)

_DEFAULTS: Final[dict[str, object]] = {
    "severity": 0,
    "format": 0,
    "headered": False,
    "glued": False,
    "partial": False,
    "opens": False,
    "detail": False,
}
_FEW_VALUES: Final = 8
"""Distinct values up to which comparing with each is faster than a join."""

_EMPTY: Final = {name: pl.Series([_DEFAULTS.get(name)], dtype=dtype) for name, dtype in DECODED.items()}

_SHARED: Final = ("pid", "tid", "thread", "logger", "host", "component", "stream", "uptime", "container", "node")
"""Names of attributes that a wrapper and its content may both have."""

_SPECIAL: Final = r"[\x22\\\x00-\x1f]"
"""What JSON strings escape."""

_DIGITS: Final = frozenset({"pid", "tid"})  # mostly digits by their expressions, and never quotes: need no escapes


def frame(height: int, **columns: pl.Series) -> pl.DataFrame:
    """A frame of DECODED of `height` rows with some columns given, the rest empty."""
    made: list[pl.Series] = []
    for name, dtype in DECODED.items():
        column = columns.get(name)
        if column is None:
            column = _EMPTY[name].new_from_index(0, height)
        elif column.dtype != dtype:
            column = column.cast(dtype)
        made.append(column.alias(name))
    return pl.DataFrame(made)


def mapped(column: pl.Series, derive: Callable[[Any], object], dtype: pl.DataType) -> pl.Series:
    """What is derived from each value, null among them; from each distinct one once."""
    distinct = column.unique()
    derived = pl.Series([derive(value) for value in distinct], dtype=dtype)
    if len(distinct) > _FEW_VALUES:
        return column.replace_strict(distinct, derived, return_dtype=dtype)
    result = derived.head(1).new_from_index(0, len(column))
    for number in range(1, len(distinct)):
        rows = column.eq_missing(distinct[number])
        result = derived.new_from_index(number, len(column)).zip_with(rows, result)
    return result


def merge_attributes(outer: pl.Series, inner: pl.Series) -> pl.Series:
    """Two columns of JSON objects as one; where both name one of the usual fields, the inner one's counts."""
    if outer.null_count() == len(outer):
        return inner
    if inner.null_count() == len(inner):
        return outer
    for name in _SHARED:
        twice = inner.str.contains(f'"{name}":', literal=True) & outer.str.contains(f'"{name}":', literal=True)
        if twice.any():
            without = outer.str.replace(rf'"{name}":(?:"(?:[^"\\]|\\.)*"|[^",}}]*),?', "").str.replace(
                ",}", "}", literal=True
            )
            outer = outer.zip_with(~twice.fill_null(False), without)
    table = pl.DataFrame({"outer": outer.set(outer == "{}", None), "inner": inner})
    both = pl.concat_str(pl.col("outer").str.head(-1), pl.lit(","), pl.col("inner").str.slice(1))
    return table.select(pl.coalesce(both, "inner", "outer")).to_series()


def json_objects(columns: Sequence[pl.Series]) -> pl.Series | None:
    """One JSON object per row of the named columns of texts, without nulls; null where all are; None for no columns."""
    members: list[pl.Expr] = []
    quoted: list[pl.Series] = []
    filled = [column for column in columns if column.null_count() < len(column)]
    texts = [column.name for column in filled if column.name not in _DIGITS]
    found = pl.DataFrame(filled).select(pl.col(texts).str.contains(_SPECIAL).any()) if texts else None
    special = {} if found is None else found.row(0, named=True)
    for column in filled:
        if special.get(column.name):
            column = (
                column.str.replace_all("\\", "\\\\", literal=True)
                .str.replace_all('"', '\\"', literal=True)
                .str.replace_all("\t", "\\t", literal=True)
                .str.replace_all(r"[\x00-\x1f]", " ")
            )
        quoted.append(column)
        members.append(pl.concat_str(pl.lit(f'"{column.name}":"'), pl.col(column.name), pl.lit('"')))
    if not members:
        return None
    table = pl.DataFrame(quoted)
    if not any(column.null_count() for column in quoted):
        pieces: list[pl.Expr] = [pl.lit("{")]
        for number, column in enumerate(quoted):
            pieces += [pl.lit(f'{"," if number else ""}"{column.name}":"'), pl.col(column.name), pl.lit('"')]
        return table.select(pl.concat_str(*pieces, pl.lit("}"))).to_series()
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return table.select(pl.when(joined != "").then(pl.concat_str(pl.lit("{"), joined, pl.lit("}")))).to_series()
