"""What a record's text tells beyond its header: a severity where the header has none, the id of a trace or request."""

from __future__ import annotations

from typing import Final

import polars as pl

from core import severity
from ingest.parsing import headers

_SEVERITY: Final = (
    r"(?i:fatal|panic|emerg|alert|critical|crit|error|err|severe|warning|warn|notice|info|debug[1-5]?|trace)"
)
_WORD: Final = rf"^\s*(?:\*+ |##\[|\[|<|\(|PHP |npm )?({_SEVERITY})(?:\]|>|\))?(?:\[[^\]]*\])?(?: error)?[:!]"
"""A severity word that begins the message."""

_ERROR_TYPE: Final = r"(?:[a-zA-Z_$][A-Za-z0-9_$]*\.)*[A-Z][A-Za-z0-9_$]*(?:Exception|Error)(?::|\n|$)"
_TRACE: Final = (
    r"^(?:Traceback \(most recent call last\):|Exception in thread |Unhandled exception|Uncaught |"
    rf"Unhandled Exception|http: panic serving |[^ ]+\.rb:[0-9]+:in .*\([A-Z][A-Za-z:]*\)(?:\n|$)|{_ERROR_TYPE})"
)
_LATER_TRACE: Final = r"\nTraceback \(most recent|\n\s+at [^ ]+ ?\(.*\)|\ngoroutine [0-9]+ \["
_CRASH: Final = r"^(?:panic: |fatal error: |thread '.*' (?:\([0-9]+\) )?panicked at )"
_CANDIDATE: Final = rf"{_WORD}|{_TRACE}|{_CRASH}"
"""One expression for all of them: most bodies are ruled out by it at once."""

_ID_HINT: Final = r"(?:[Tt]race|[Rr]equest|[Cc]orrelation|TRACE|REQUEST)[-_. ]?[iI][dD]|\breq-|traceparent"
_ID_NAME: Final = (
    r"(?:[Tt]race|TRACE)[-_. ]?[iI][dD]|(?:[Rr]equest|REQUEST|[Cc]orrelation)[-_. ]?[iI][dD]|[Xx]-[Rr]equest-[Ii][dD]"
)
_ID: Final = (
    rf"(?:{_ID_NAME})[\x22']?\s*[=:]\s*[\x22']?([A-Za-z0-9][A-Za-z0-9_-]{{3,63}})|\[(req-[0-9a-f-]{{4,}})|"
    r"traceparent[\x22']?\s*[=:]\s*[\x22']?00-([0-9a-f]{32})-"
)


def enrich(records: pl.DataFrame) -> pl.DataFrame:
    """Fills severity where it is 0, and trace_id where it is null, from the body."""
    return _identified(_graded(records))


def _graded(records: pl.DataFrame) -> pl.DataFrame:
    ungraded = records["severity"] == 0
    if not ungraded.any():
        return records
    text = pl.col("body")
    hopeful = text.str.contains(_CANDIDATE) | ((pl.col("line_count") > 1) & text.str.contains(_LATER_TRACE))
    chosen = records.filter(ungraded)
    found = chosen.select(hopeful).to_series()
    if not found.any():
        return records
    rows, chosen = ungraded.arg_true().filter(found), chosen.filter(found)
    written = headers.of_words(chosen["body"].str.extract(_WORD, 1))
    graded = chosen.select(
        pl.when(written > 0)
        .then(written)
        .when(text.str.contains(_CRASH))
        .then(pl.lit(severity.FATAL, dtype=pl.UInt8))
        .otherwise(pl.lit(severity.ERROR, dtype=pl.UInt8))
        .alias("severity")
    ).to_series()
    return records.with_columns(records["severity"].clone().scatter(rows, graded))


def _identified(records: pl.DataFrame) -> pl.DataFrame:
    if not records["trace_id"].null_count():
        return records
    rows = records["body"].str.contains(_ID_HINT) & records["trace_id"].is_null()
    if not rows.any():
        return records
    table = records.filter(rows).select(
        pl.coalesce(pl.col("body").str.extract(_ID, group) for group in (1, 2, 3)).alias("trace_id")
    )
    return records.with_columns(records["trace_id"].clone().scatter(rows.arg_true(), table["trace_id"]))
