"""Folding: which physical lines make one record.

Everything is decided in columns. A line *continues* the record before it when it is

- glued to it (partial lines of CRI and Docker), or a detail of it (PostgreSQL);
- indented or blank, and the record has a header;
- part of a stack trace: a frame, a cause, a separator, the last line of a Python traceback, a Go function above its
  file, a Rust message below its location, with a header of its own or without.

Any other line without a header is a record of its own: what a program prints beside its log (`Killed`, a banner) must
not vanish in the record before it, and text without headers must not collapse into one record.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from core import severity

MAX_LINES: Final = 1000
"""Physical lines in a record; further ones begin the next record."""

APART_US: Final = 10_000
"""Microseconds between two lines of one trace that repeat its header: collectors stamp each line as they read it."""

MESSAGE_LINES: Final = 8
"""Lines by which the message of an exception goes on, where each repeats the header of its trace."""

MAX_BYTES: Final = 1 << 16
"""Bytes of a record's body; the rest of it is left out."""

_QUICK: Final = (
    r"^(?:[ \t}\])(#]|$|Traceback |Caused by|Suppressed|The above|During handling|goroutine |created by|\[|Node|"
    r"exit status|note: |stack backtrace|Stack ?trace:|--- |thread '|thrown in|"
    r"(?:[A-Za-z_$][A-Za-z0-9_$.:]*)?(?:Exception|Error|Throwable|Fault|Interrupt|Exit|Warning|Iteration)\b)"
)
"""Beginnings that can make a line a continuation: where none occurs there is nothing to fold."""

_FRAME: Final = (
    r"^\s+(?:at |File \x22|\.\.\. [0-9]+ (?:more|common frames|lines matching)|from [^ ]+:[0-9]+:in |--- End of |---> |"
    r"[0-9]+: +(?:0x)?[0-9A-Za-z_<]|in [A-Za-z_.]+\(|[^ ]+\.go:[0-9]+(?: \+0x|$)|[0-9]+ +[^ ]+ +0x[0-9a-f]+ |"
    r"#[0-9]+ +0x|~+\^*~*\s*$|\^+\s*$|\[Previous line repeated |\[CIRCULAR REFERENCE)|"
    r"^#[0-9]+ +(?:[^ ]+\([0-9]+\)|\{main\}|\[internal function\]|0x[0-9a-f]+ in |[A-Za-z_:~<>]+ ?\()"
)
"""Lines that only a stack trace has; indented, but for PHP's and gdb's numbered frames."""

_LINK: Final = (
    r"^(?:Caused by: |Suppressed: |\s+Suppressed: |The above exception was the direct cause|"
    r"During handling of the above exception|goroutine [0-9]+ \[|created by [A-Za-z]|\[signal |exit status [0-9]|"
    r"note: run with|note: [Ss]ome details|stack backtrace:|Stack ?trace:$|--- End of |\s*-{3}> |"
    r"\[\.\.\. [0-9]+ more|\s*thrown in |\s+\.\.\. [0-9]+ more|\[CIRCULAR REFERENCE|Node\.js v[0-9.]+$|"
    r"\[SQL: |\[parameters: |\(Background on this error)"
)
"""Lines that connect the parts of a trace."""

_TRACEBACK: Final = r"^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):"
_TAGS: Final = r"^(?:\[[^\]\n]{1,200}\](?: |$))+"
"""Context in brackets that a program repeats on each line of a trace: `[instance: 5f1c] Traceback ...`."""
_TAGGED_TRACE: Final = _TAGS + r"(?:Traceback \(most recent|  File \x22|\s+at [^ ]+\()"
_EXCEPTION: Final = (
    r"^(?:[a-zA-Z_$][A-Za-z0-9_$]*[.:]+)*"
    r"(?:[A-Za-z_$][A-Za-z0-9_$]*)?(?:Exception|Error|Throwable|Fault|Interrupt|Exit|Iteration|Warning)"
    r"(?:\([^)]*\))?(?:: |:$|$)"
)
_GO_FILE: Final = r"^\t[^ ]+\.(?:go|s):[0-9]+(?: \+0x[0-9a-f]+)?"
_GO_CALL: Final = r"^[A-Za-z0-9_./*()%@-]+(?:\.[A-Za-z0-9_()*\[\].{}-]+)*\(.*\)$|^created by "
_PANICKED: Final = r"^thread '.*' (?:\([0-9]+\) )?panicked at [^ ]+:[0-9]+:[0-9]+:$"
_NODE_PLACE: Final = r"^[^ ]+\.[cm]?[jt]sx?:[0-9]+$"
_NODE_CARET: Final = r"^\s+\^+\s*$"
_OPEN_BRACE: Final = r"^\s+at .*\{$"
_CHAIN: Final = r"^(?:The above exception was the direct cause|During handling of the above exception)"


def starts(decoded: pl.DataFrame, positions: pl.Series) -> pl.Series:
    """Which rows begin a record. `positions` are line numbers: after a gap in them a record begins anew."""
    gap = (positions.cast(pl.Int64).diff() != 1).fill_null(True)
    special = decoded["glued"] | decoded["detail"] | decoded["opens"].shift(1).fill_null(False)
    quick = decoded["body"].str.contains(_QUICK) | special
    if not quick.any():
        return pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(quick))
    table = pl.DataFrame(
        {
            "row": pl.int_range(0, len(quick), dtype=pl.UInt32, eager=True),
            "text": _untagged(decoded["body"]),
            "headered": decoded["headered"],
            "opens": decoded["opens"],
            "special": special,
            "gap": gap,
            "timestamp": decoded["timestamp"],
            "severity": decoded["severity"],
            "attributes": decoded["attributes"],
            "request": decoded["trace_id"],
        }
    )
    table = table.with_columns(_same_header().alias("same"))
    # Only the surroundings of such lines need the full look. A line next to none of them continues nothing, and is
    # neither indented nor part of a trace: the first line of each stretch is one, so nothing before it matters.
    near = quick | quick.shift(1).fill_null(False) | quick.shift(-1).fill_null(False) | _of_headered_trace(table)
    stretch = table if near.all() else table.filter(near)
    adjacent = pl.col("row").cast(pl.Int64).diff() == 1
    continued = _continues(stretch).filter(pl.col("continues") & ~pl.col("gap") & adjacent)["row"]
    return pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(quick)).scatter(continued, False)


def _same_header() -> pl.Expr:
    """Whether a row has the header of the row before it: the program repeats it on each line of what it writes."""
    time = pl.col("timestamp")
    at_once = time.eq_missing(time.shift(1)) | time.diff().dt.total_microseconds().is_between(0, APART_US)
    # Some programs write the message at ERROR and its trace, with the same header, at TRACE.
    level = pl.col("severity").eq_missing(pl.col("severity").shift(1)) | pl.col("severity").is_between(1, 4)
    return at_once.fill_null(False) & pl.col("attributes").eq_missing(pl.col("attributes").shift(1)) & level


def _of_headered_trace(table: pl.DataFrame) -> pl.Series:
    """The rows of runs with one header that hold a traceback."""
    opened = table["headered"] & table["text"].str.contains(_TRACEBACK)
    if not opened.any():
        return opened
    run = (~table["same"] | ~table["headered"]).cum_sum()
    return run.is_in(run.filter(opened).implode())


def _untagged(body: pl.Series) -> pl.Series:
    """Bodies without the tags that they share with a neighbour, where a trace is written so; else as they are."""
    if not body.str.contains(_TAGGED_TRACE).any():
        return body
    tags = body.str.extract(f"({_TAGS})").str.strip_chars_end()
    shared = ((tags == tags.shift(1)) | (tags == tags.shift(-1))).fill_null(False)
    return pl.select(pl.when(shared).then(body.str.replace(_TAGS, "")).otherwise(body)).to_series()


def _continues(table: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    # A line that the record before it claims (`opens`) stands for its header.
    table = table.with_columns(pl.col("headered") | pl.col("opens").shift(1).fill_null(False))
    blank = text.str.contains(r"^\s*$") & ~pl.col("headered")
    table = table.with_columns(
        blank.alias("blank"),
        (text.str.contains(r"^[ \t]") & ~blank).alias("indented"),
        text.str.contains(_FRAME).alias("frame"),
        text.str.contains(_LINK).alias("link"),
        text.str.contains(_TRACEBACK).alias("traceback"),
        text.str.contains(_EXCEPTION).alias("exception"),
        text.str.contains(_CHAIN).alias("chain"),
        text.str.contains(_GO_CALL).alias("call"),
        text.str.contains(_GO_FILE).alias("go_file"),
        text.str.contains(_PANICKED).alias("panicked"),
        text.str.contains(_NODE_PLACE).alias("place"),
        text.str.contains(_NODE_CARET).alias("caret"),
        text.str.contains(_OPEN_BRACE).alias("brace"),
        (text == "}").alias("closing"),
    )
    bare = ~pl.col("headered")
    same = pl.col("same")
    flush = ~pl.col("indented") & ~pl.col("blank")
    # The last line that is neither indented nor blank, before this one: what an indented line hangs on.
    table = table.with_columns(
        _last(pl.col("traceback"), flush).alias("in_traceback"),
        _last(pl.col("brace"), pl.col("frame") | (flush & ~pl.col("closing"))).alias("in_brace"),
        (bare | same).alias("open"),
        flush.alias("flush"),
    )
    # The message goes on with the header of its trace; a new record has the identity of a request, or tags of its own.
    told = same & pl.col("headered") & (pl.col("severity") >= severity.WARN) & ~text.str.contains(_TAGS)
    told = told & pl.col("request").eq_missing(pl.col("request").shift(1))
    # What several conditions below ask for is a column: an expression would be computed anew for each.
    table = table.with_columns(
        (pl.col("in_traceback") & pl.col("flush") & (_before("indented") | _before("frame"))).alias("ends"),
        told.fill_null(False).alias("told"),
    )
    row = pl.col("row").cast(pl.Int64)
    end = pl.when(pl.col("ends") & pl.col("told")).then(row).otherwise(None).forward_fill()
    other = pl.when(~pl.col("told")).then(row).otherwise(None).forward_fill().fill_null(-1)
    more = pl.col("told") & (end > other) & (row - end).is_between(1, MESSAGE_LINES)
    # Spring leaves a blank line between the message and its trace.
    troubled = (pl.col("severity") == 0) | (pl.col("severity") >= severity.WARN)
    below_record = _last(pl.col("headered") & troubled, ~pl.col("blank"))
    trace = (
        pl.col("frame")
        | pl.col("link")
        | pl.col("ends")
        | more.fill_null(False)
        | (pl.col("in_traceback") & pl.col("indented"))
        | (pl.col("in_brace") & (pl.col("indented") | pl.col("closing")))
        | (pl.col("call") & _at(1, "go_file"))
        | _before("panicked")
        | (_before("place") & pl.col("indented"))
        | (pl.col("exception") & _at(1, "frame") & (below_record | _last(pl.col("caret"), ~pl.col("blank"))))
        | (pl.col("traceback") & (below_record | _last(pl.col("chain"), ~pl.col("blank"))))
    )
    table = table.with_columns(trace.alias("trace"))
    root_headered = _last(pl.col("headered"), pl.col("flush") & ~(pl.col("trace") & bare))
    loose = bare & ((pl.col("indented") & root_headered) | pl.col("blank"))
    continues = pl.col("special") | (pl.col("open") & pl.col("trace")) | loose
    return table.with_columns(continues.fill_null(False).alias("continues"))


def _at(distance: int, name: str) -> pl.Expr:
    """A column of the row that many rows on (false or 0 beyond the ends)."""
    return pl.col(name).shift(-distance).fill_null(0 if name == "severity" else False)


def _before(name: str) -> pl.Expr:
    return _at(-1, name)


def _last(value: pl.Expr, where: pl.Expr) -> pl.Expr:
    """The value at the last earlier row where `where` holds; false before there is one."""
    return pl.when(where).then(value).otherwise(None).shift(1).forward_fill().fill_null(False)


def may_fold(decoded: pl.DataFrame) -> pl.Series:
    """Which rows (DECODED columns) could make a record of several lines, whatever stands beside them.

    A line that continues a record is one of these or next to one. It depends on the row alone, so that callers who see
    many equal lines may ask once.
    """
    text = pl.col("body")
    anchor = (
        (text.str.contains(r"^(?:\s|$)") & ~pl.col("headered"))
        | text.str.contains(_FRAME)
        | text.str.contains(_LINK)
        | text.str.contains(_TRACEBACK)
        | text.str.contains(_TAGGED_TRACE)
        | text.str.contains(_PANICKED)
        | text.str.contains(_NODE_PLACE)
        | (text == "}")
        | pl.col("glued")
        | pl.col("detail")
        | pl.col("opens")
    )
    return decoded.select(anchor.fill_null(True).alias("may_fold")).to_series()


def capped(start: pl.Series) -> pl.Series:
    """Starts, with the first row and those added that keep records to MAX_LINES."""
    if not len(start) or start.all():
        return start
    start = start.scatter(0, True)
    numbers = pl.int_range(0, len(start), dtype=pl.Int64, eager=True)
    table = pl.DataFrame({"start": start, "number": numbers})
    since = pl.col("number") - pl.when("start").then(pl.col("number")).otherwise(None).forward_fill()
    return table.select((since % MAX_LINES == 0).alias("start")).to_series()


def fold(table: pl.DataFrame, start: pl.Series) -> tuple[pl.DataFrame, list[int]]:
    """Records of rows that have `body`, `glued` and more columns: the first row of each, bodies joined by newlines.

    Adds `line_count`. Returns also the positions of records whose bodies were cut to MAX_BYTES.
    """
    if start.all():
        records = table.with_columns(pl.lit(1, dtype=pl.UInt32).alias("line_count"))
    else:
        group = start.cum_sum() - 1
        lines = pl.DataFrame({"group": group, "body": table["body"], "glued": table["glued"]})
        continued = ~start
        # Only groups of more than one line are put together.
        multiple = lines.filter(continued | continued.shift(-1).fill_null(False))
        body = pl.col("body").filter(~pl.col("glued")).str.join("\n").str.strip_chars_start("\n").str.strip_chars_end()
        joined = multiple.group_by("group", maintain_order=True).agg(
            pl.when(pl.col("body").first() == "").then(body.str.strip_chars_start()).otherwise(body).alias("body"),
            pl.len().cast(pl.UInt32).alias("line_count"),
        )
        records = table.filter(start)
        counts = pl.Series([1], dtype=pl.UInt32).new_from_index(0, records.height)
        bodies = records["body"].clone().scatter(joined["group"], joined["body"])
        counts = counts.scatter(joined["group"], joined["line_count"])
        records = records.with_columns(bodies.alias("body"), counts.alias("line_count"))
    long = records["body"].str.len_bytes() > MAX_BYTES
    if not long.any():
        return records, []
    rows = long.arg_true()
    cut = [text.encode()[:MAX_BYTES].decode(errors="ignore") for text in records["body"].gather(rows)]
    bodies = records["body"].clone().scatter(rows, pl.Series(cut, dtype=pl.String))
    return records.with_columns(bodies.alias("body")), records["position"].gather(rows).to_list()
