"""Lines -> decoded columns: finds the format of each line, unwraps what is wrapped, decodes again what was inside.

Which format a line has depends on that line, and on a sample from the beginning of its source, never on the batch it
came in: a record read again alone gives the same fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from core.batch import TIMESTAMP
from ingest.parsing import columns, headers, structured, timestamps
from ingest.parsing.catalogue import FORMATS
from ingest.parsing.columns import DECODED
from ingest.parsing.fields import Entry
from ingest.parsing.formats import ANY, Format, Variant
from ingest.parsing.timestamps import SHAPES, Clock

SAMPLE_LINES: Final = 1000
"""Lines at the beginning of a source that decide which formats are tried first."""

_MAX_DEPTH: Final = 3
_MIN_ACTIVE: Final = 0.02  # share of the sample from which a format is tried on all lines

_LINE_GATE: Final = r"^[^ \t]|^[ \t]{1,8}(?:(?:Normal|Warning) |[\[(]?[0-9]{4}[-/])"
"""Indented lines have no header, but for those of `kubectl describe` and of some consoles."""

_TIME_GATE: Final = (
    r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}|[0-9]{2}\.[0-9]{2}\.[0-9]{2}|[0-9]{6} [0-9]{6}|[0-9]{4}/[0-9]{6}|[0-9]{8}T[0-9]{6}|"
    r"[0-9]{9}|[0-9]{2}:[0-9]{2}|-[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
)
"""What every timestamp has."""

_INNER_GATE: Final = (
    r"^(?:\{|\[|[IWEF][0-9]{4} |[A-Za-z_@]+=|[0-9]{4}[-/][0-9]{2}|[0-9]{2}:[0-9]{2}|"
    r"(?i:trace|debug|info|notice|warn|err|fatal|crit|severe))"
)
"""What a header inside a syslog message begins with (its bodies are mostly plain: they need not be searched)."""


_Note = Callable[[Format, headers.Match], None]


class Decoder:
    """Decodes lines of one source (or what one wrapper of it contains)."""

    def __init__(self, clock: Clock, names: list[str] | None = None, prefix: str = "", depth: int = 0) -> None:
        self._clock = clock
        self.names = names if names is not None else [""]
        self._prefix = prefix
        self._depth = depth
        self._codes: dict[str, int] = {}
        self._active: list[tuple[Format, Variant]] = []
        self._shared: set[Format] = set()
        self._children: dict[str, Decoder] = {}
        self._learning = False

    def learn(self, lines: pl.Series) -> None:
        """Finds the formats of a sample. Without it every format is tried on every line."""
        self._shared = {
            fmt
            for fmt in FORMATS
            if fmt.share
            and lines.str.contains(fmt.needs, literal=True).any()
            and lines.str.contains(fmt.pattern()).sum() >= max(fmt.share * len(lines), 1)
        }
        seen: dict[Format, _Seen] = {}

        def note(fmt: Format, found: headers.Match) -> None:
            seen.setdefault(fmt, _Seen()).add(found)

        self._learning = True
        self._decode(lines, note)
        self._learning = False
        floor = max(_MIN_ACTIVE * len(lines), 1)
        self._active = [(fmt, seen[fmt].variant()) for fmt in FORMATS if fmt in seen and seen[fmt].count >= floor]

    def decode(self, lines: pl.Series, places: pl.Series | None = None) -> pl.DataFrame:
        """DECODED columns of lines, one row per line, in order.

        `places` are the lines' row numbers in the source's frame (none: they follow each other): only neighbours can be
        parts of one line.
        """
        return self._decode(lines, None, places)

    def _decode(self, lines: pl.Series, note: _Note | None, places: pl.Series | None = None) -> pl.DataFrame:
        rest = _Rest(lines, places)
        first = lines.str.starts_with("{")
        if first.any():
            self._structured(rest, first, structured.read_json)
        pairs = None if rest.empty else rest.lines.str.contains(structured.LOGFMT)
        if pairs is not None and pairs.any():
            self._structured(rest, pairs & rest.lines.str.contains(structured.LOGFMT_KEY), structured.read_logfmt)
        for fmt, variant in self._active:
            if rest.empty:
                break
            self._try(rest, fmt, variant, note)
        if not rest.empty:
            self._others(rest, note)
        return rest.result()

    def _others(self, rest: _Rest, note: _Note | None) -> None:
        """Tries every format on lines that no usual one of this source has."""
        aside = rest.set_aside(~rest.lines.str.contains(_LINE_GATE))
        untimed = None
        for timed in (True, False):
            if timed:
                untimed = rest.set_aside(~rest.lines.str.contains(_TIME_GATE))
            elif untimed is not None:
                rest.restore(untimed)
            for fmt in FORMATS:
                if rest.empty:
                    break
                if fmt.timed == timed and (not fmt.share or fmt in self._shared):
                    self._try(rest, fmt, ANY, note)
        rest.restore(aside)

    def _try(
        self,
        rest: _Rest,
        fmt: Format,
        variant: Variant,
        note: _Note | None,
    ) -> None:
        found = headers.match(fmt, rest.lines, variant, self._clock, self._code(fmt.name))
        if found is None:
            return
        if note is not None:
            note(fmt, found)
        decoded = found.decoded
        if fmt.wraps and self._depth < _MAX_DEPTH:
            decoded = self._unwrapped(fmt.name, decoded, found, rest.places(found.rows))
        rest.take(found.rows, decoded)

    def _unwrapped(self, name: str, outer: pl.DataFrame, found: headers.Match, places: pl.Series) -> pl.DataFrame:
        content, partial = found.content, found.partial
        if partial is not None and partial.any():
            content, glued = _joined(content, partial, places)
            outer = outer.with_columns(glued, content.alias("body"))
        if name.startswith("syslog"):
            rows = content.str.contains(_INNER_GATE)
            if not rows.any():
                return outer
            if not rows.all():
                inner = self._inside(name, content.filter(rows), places.filter(rows))
                merged = _merged(outer.filter(rows), inner, True)
                where = rows.arg_true()
                return _placed([(None, outer), (where, merged)], outer.height)
        inner = self._inside(name, content, places)
        return _merged(outer, inner, name.startswith("syslog"))

    def _inside(self, name: str, lines: pl.Series, places: pl.Series) -> pl.DataFrame:
        """Decodes what was inside a wrapper; what is inside the sample's lines is the sample of the inside."""
        child = self._child(name)
        if self._learning:
            child.learn(lines)
        return child.decode(lines, places)

    def _child(self, name: str) -> Decoder:
        if name not in self._children:
            prefix = f"{self._prefix}{name}+"
            self._children[name] = Decoder(self._clock, self.names, prefix, self._depth + 1)
        return self._children[name]

    def _code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(f"{self._prefix}{name}")
        return self._codes[name]

    def _structured(self, rest: _Rest, rows: pl.Series, read: structured.Reader) -> None:
        texts = rest.lines if rows.all() else rest.lines.filter(rows)
        entries = [read(text) for text in texts.to_list()]
        good = [entry for entry in entries if entry is not None]
        if not good:
            return
        if len(good) < len(entries):
            rows = rows.scatter(rows.arg_true(), [entry is not None for entry in entries])
        where = None if rows.all() else rows.arg_true()
        rest.take(where, self._from_entries(good, rest.places(where)))

    def _from_entries(self, entries: list[Entry], places: pl.Series) -> pl.DataFrame:
        stamps = pl.Series([entry.stamp for entry in entries], dtype=pl.String)
        times = pl.Series([entry.micros for entry in entries], dtype=pl.Int64).cast(TIMESTAMP)
        if stamps.null_count() < len(stamps):
            times = (
                times.fill_null(timestamps.parse(stamps, self._clock))
                if times.null_count() < len(times)
                else timestamps.parse(stamps, self._clock)
            )
        texts = {
            name: pl.Series(name, [getattr(entry, name) for entry in entries], dtype=pl.String)
            for name in ("service", "program", "body", "trace_id", "span_id", "attributes")
        }
        decoded = columns.frame(
            len(entries),
            timestamp=times.alias("timestamp"),
            severity=pl.Series("severity", [entry.severity for entry in entries], dtype=pl.UInt8),
            format=pl.Series("format", [self._code(entry.format) for entry in entries], dtype=pl.UInt16),
            **texts,
        )
        inside = [number for number, entry in enumerate(entries) if entry.content is not None]
        if not inside or self._depth >= _MAX_DEPTH:
            return decoded
        where = pl.Series(inside, dtype=pl.UInt32)
        kinds = pl.Series([entries[number].format for number in inside])
        parts: list[tuple[pl.Series | None, pl.DataFrame]] = [(None, decoded)]
        for kind in kinds.unique(maintain_order=True).to_list():
            rows = where.filter(kinds == kind)
            chosen = [entries[number] for number in rows.to_list()]
            outer = decoded[rows]
            content = pl.Series([entry.content for entry in chosen], dtype=pl.String)
            if any(entry.partial for entry in chosen):
                content, glued = _joined(content, pl.Series([entry.partial for entry in chosen]), places[rows])
                outer = outer.with_columns(glued, content.alias("body"))
            inner = self._inside(kind, content, places[rows])
            merged = _merged(outer, inner, False)
            if kind == "envelope":
                merged = merged.with_columns(outer["service"])
            parts.append((rows, merged))
        return _placed(parts, len(entries))


class _Seen:
    """What the lines of a sample show of one format."""

    def __init__(self) -> None:
        self.count = 0
        self._shapes: set[str] = set()
        self._zoned = False

    def add(self, found: headers.Match) -> None:
        self.count += found.decoded.height
        self._zoned = self._zoned or found.zoned
        if found.bases is not None:
            self._shapes |= _shapes_of(found.bases)

    def variant(self) -> Variant:
        return Variant(tuple(shape.name for shape in SHAPES if shape.name in self._shapes), self._zoned)


class _Rest:
    """Rows that no format has taken yet, and what the taken ones became."""

    def __init__(self, lines: pl.Series, places: pl.Series | None) -> None:
        self._height = len(lines)
        self._places = places
        self.lines = lines
        self._rows: pl.Series | None = None  # row numbers of `lines`; None: all rows, in order
        self._taken: list[tuple[pl.Series | None, pl.DataFrame]] = []
        self._all = lines

    @property
    def empty(self) -> bool:
        return not len(self.lines)

    def _numbers(self) -> pl.Series:
        if self._rows is None:
            self._rows = pl.int_range(0, self._height, dtype=pl.UInt32, eager=True)
        return self._rows

    def places(self, rows: pl.Series | None) -> pl.Series:
        """The row numbers, in the source's frame, of some rows of `lines` (None: all of them)."""
        numbers = self._numbers() if rows is None else self._numbers().gather(rows)
        return numbers if self._places is None else self._places.gather(numbers)

    def take(self, rows: pl.Series | None, decoded: pl.DataFrame) -> None:
        """Notes what some rows of `lines` (None: all of them) became, and drops them."""
        if rows is None:
            self._taken.append((self._rows, decoded))
            self.lines = self.lines.clear()
            self._rows = pl.Series([], dtype=pl.UInt32)
            return
        numbers = self._numbers()
        self._taken.append((numbers.gather(rows), decoded))
        keep = pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(self.lines)).scatter(rows, False)
        self.lines, self._rows = self.lines.filter(keep), numbers.filter(keep)

    def set_aside(self, mask: pl.Series) -> pl.Series | None:
        """Takes rows out for a while; returns their numbers."""
        if not mask.any():
            return None
        numbers = self._numbers()
        aside = numbers.filter(mask)
        self.lines, self._rows = self.lines.filter(~mask), numbers.filter(~mask)
        return aside

    def restore(self, aside: pl.Series | None) -> None:
        """Puts rows back."""
        if aside is None:
            return
        self._rows = pl.concat([self._numbers(), aside]).sort()
        self.lines = self._all.gather(self._rows)

    def result(self) -> pl.DataFrame:
        if not self.empty:
            self.take(None, columns.frame(len(self.lines), body=self.lines.alias("body")))
        return _placed(self._taken, self._height)


def _placed(parts: list[tuple[pl.Series | None, pl.DataFrame]], height: int) -> pl.DataFrame:
    """Frames put where their row numbers say; a later one replaces an earlier one. None: all rows."""
    if not parts:
        return columns.frame(height)
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    source = pl.concat([part for _, part in parts])
    order = pl.Series([0], dtype=pl.UInt32).new_from_index(0, height)
    start = 0
    for rows, part in parts:
        numbers = pl.int_range(start, start + part.height, dtype=pl.UInt32, eager=True)
        order = numbers if rows is None else order.scatter(rows, numbers)
        start += part.height
    return source[order]


def _joined(content: pl.Series, partial: pl.Series, places: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Partial lines: the first row of each run holds the whole text, the others none and are marked as glued."""
    glued = partial.shift(1).fill_null(False) & (places.cast(pl.Int64).diff() == 1).fill_null(False)
    groups = (~glued).cum_sum()
    table = pl.DataFrame({"content": content, "group": groups, "glued": glued})
    whole = pl.col("content").str.join("").over("group")
    joined = table.select(pl.when("glued").then(pl.lit("")).otherwise(whole).alias("content")).to_series()
    return joined, glued.alias("glued")


def _merged(outer: pl.DataFrame, inner: pl.DataFrame, inner_time: bool) -> pl.DataFrame:
    """What a wrapper said and what its content says. `inner_time`: the content's time is the better one."""
    both = pl.concat([outer.rename({name: f"outer_{name}" for name in outer.columns}), inner], how="horizontal")

    def first(*names: str) -> pl.Expr:
        return pl.coalesce(pl.col(name) for name in names)

    times = ("timestamp", "outer_timestamp") if inner_time else ("outer_timestamp", "timestamp")
    return both.select(
        first(*times).alias("timestamp"),
        pl.when(pl.col("severity") > 0).then(pl.col("severity")).otherwise(pl.col("outer_severity")).alias("severity"),
        first("service", "outer_service").alias("service"),
        first("outer_program", "program").alias("program"),
        first("fallback", "outer_fallback").alias("fallback"),
        pl.col("body"),
        first("trace_id", "outer_trace_id").alias("trace_id"),
        first("span_id", "outer_span_id").alias("span_id"),
        columns.merge_attributes(outer["attributes"], inner["attributes"]).alias("attributes"),
        pl.when(pl.col("format") > 0).then(pl.col("format")).otherwise(pl.col("outer_format")).alias("format"),
        pl.col("headered"),
        pl.col("outer_glued").alias("glued") | pl.col("glued"),
        pl.col("opens"),
        pl.col("detail"),
    ).cast(DECODED)


def _shapes_of(bases: pl.Series) -> set[str]:
    found: set[str] = set()
    rest = bases.drop_nulls().unique()
    for shape in SHAPES:
        if not len(rest):
            break
        rows = rest.str.contains(rf"^(?:{shape.pattern})$")
        if rows.any():
            found.add(shape.name)
            rest = rest.filter(~rows)
    return found
