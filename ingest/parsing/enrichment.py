# ruff: noqa: E501
"""What a record's text tells beyond its header: a severity where the header has none, the id of a trace or request."""

from __future__ import annotations

from typing import Final

import polars as pl

from core import severity
from ingest.parsing import headers

_WORD: Final = (
    r"^\s*(?:\*+ |##\[|\[|<|\()?((?i:fatal|panic|emerg|alert|critical|crit|error|err|severe|warning|warn|notice|info|debug[1-5]?|trace))"
    r"(?:\]|>|\))?(?:\[[^\]]*\])?:"
)
"""A severity word that begins the message."""

_TRACE: Final = (
    r"^(?:Traceback \(most recent call last\):|Exception in thread |Unhandled exception|Uncaught |PHP Fatal error|"
    r"(?:[a-zA-Z_$][A-Za-z0-9_$]*\.)*[A-Z][A-Za-z0-9_$]*(?:Exception|Error)(?::|$))|\nTraceback \(most recent|\n\s+at [^ ]+\(.*\)"
)
_CRASH: Final = r"^(?:panic: |fatal error: |thread '.*' (?:\([0-9]+\) )?panicked at )"

_ID_HINT: Final = r"(?:[Tt]race|[Rr]equest|[Cc]orrelation|TRACE|REQUEST)[-_. ]?[iI][dD]|\breq-|traceparent"
_ID: Final = (
    r"(?:(?:[Tt]race|TRACE)[-_. ]?[iI][dD]|(?:[Rr]equest|REQUEST|[Cc]orrelation)[-_. ]?[iI][dD]|[Xx]-[Rr]equest-[Ii][dD])"
    r"[\x22']?\s*[=:]\s*[\x22']?([A-Za-z0-9][A-Za-z0-9_-]{3,63})|\[(req-[0-9a-f-]{4,})|traceparent[\x22']?\s*[=:]\s*[\x22']?00-([0-9a-f]{32})-"
)


def enrich(records: pl.DataFrame) -> pl.DataFrame:
    """Fills severity where it is 0, and trace_id where it is null, from the body."""
    return _identified(_graded(records))


def _graded(records: pl.DataFrame) -> pl.DataFrame:
    rows = records["severity"] == 0
    if not rows.any():
        return records
    everywhere = bool(rows.all())
    texts = records["body"] if everywhere else records["body"].filter(rows)
    found = headers.of_words(texts.str.extract(_WORD, 1))
    table = pl.DataFrame({"found": found, "text": texts})
    graded = table.select(
        pl.when(pl.col("found") > 0)
        .then(pl.col("found"))
        .when(pl.col("text").str.contains(_CRASH))
        .then(pl.lit(severity.FATAL, dtype=pl.UInt8))
        .when(pl.col("text").str.contains(_TRACE))
        .then(pl.lit(severity.ERROR, dtype=pl.UInt8))
        .otherwise(pl.lit(severity.UNSPECIFIED, dtype=pl.UInt8))
        .alias("severity")
    ).to_series()
    if everywhere:
        return records.with_columns(graded)
    return records.with_columns(records["severity"].clone().scatter(rows.arg_true(), graded))


def _identified(records: pl.DataFrame) -> pl.DataFrame:
    rows = records["body"].str.contains(_ID_HINT) & records["trace_id"].is_null()
    if not rows.any():
        return records
    table = records.filter(rows).select(
        pl.coalesce(pl.col("body").str.extract(_ID, group) for group in (1, 2, 3)).alias("trace_id")
    )
    return records.with_columns(records["trace_id"].clone().scatter(rows.arg_true(), table["trace_id"]))
