"""Lines -> decoded columns: finds the format of each line, unwraps what is wrapped, decodes again what was inside.

Which format a line has depends on that line, and on a sample from the beginning of its source, never on the batch it
came in: a record read again alone gives the same fields.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import polars as pl

from ingest.parsing import columns, headers, layout_columns, layouts, structured
from ingest.parsing.catalogue import FORMATS
from ingest.parsing.columns import DECODED
from ingest.parsing.formats import ANY, Format, Variant
from ingest.parsing.layouts import Layout
from ingest.parsing.rest import Rest, placed, without
from ingest.parsing.shapes import Shapes
from ingest.parsing.timestamps import BY_NAME, SHAPES, Clock, shapes_in

SAMPLE_LINES: Final = 1000
"""Lines at the beginning of a source that decide which formats are tried first."""

_MAX_DEPTH: Final = 3
_FEW: Final = 2000  # odd lines of a block: where there are more, finding their formats is worth its cost
_MIN_ACTIVE: Final = 0.02  # share of the sample from which a format is tried on all lines

_LINE_GATE: Final = r"^[^ \t]|^[ \t]{1,8}(?:(?:Normal|Warning) |[\[(]?[0-9]{4}[-/])"
"""Indented lines have no header, but for those of `kubectl describe` and of some consoles."""

_TIME_GATE: Final = (
    r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}|[0-9]{2}\.[0-9]{2}\.[0-9]{2}|[0-9]{6} [0-9]{6}|[0-9]{4}/[0-9]{6}|[0-9]{8}T[0-9]{6}|"
    r"[0-9]{9}|[0-9]{2}:[0-9]{2}|-[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
)
"""What every timestamp has."""

_INNER_GATE: Final = (
    r"^(?:\{|\[|[IWEF][0-9]{4} |[0-9.]+:[0-9]+ \[|[A-Za-z_@]+=|[0-9]{4}[-/][0-9]{2}|[0-9]{2}:[0-9]{2}|"
    r"(?i:trace|debug|info|notice|warn|err|fatal|crit|severe))"
)
"""What a header inside a syslog message begins with (its bodies are mostly plain: they need not be searched)."""


_READERS: Final[dict[str, structured.Reader]] = {"json": structured.read_json, "logfmt": structured.read_logfmt}

_Note = Callable[[Format, headers.Match], None]


class Decoder:
    """Decodes lines of one source (or what one wrapper of it contains). Once it has learned, threads may share it."""

    def __init__(
        self,
        clock: Clock,
        names: list[str] | None = None,
        prefix: str = "",
        depth: int = 0,
        lock: threading.Lock | None = None,
    ) -> None:
        self._clock = clock
        self.names = names if names is not None else [""]
        self._prefix = prefix
        self._depth = depth
        self._lock = (
            lock or threading.Lock()
        )  # of `names`, which all decoders of a source share, and what goes with them
        self._codes: dict[str, int] = {}
        self._active: list[tuple[Format, Variant]] = []
        self._shared: set[Format] = set()
        self._children: dict[str, Decoder] = {}
        self._learning = False
        self._shapes = Shapes()
        self._layouts: dict[str, list[Layout]] = {"json": [], "logfmt": []}

    def learn(self, lines: pl.Series) -> None:
        """Finds the formats of a sample. Without it every format is tried on every line."""
        self._shared = {
            fmt
            for fmt in FORMATS
            if fmt.share
            and lines.str.contains(fmt.needs, literal=True).any()
            and lines.str.contains(fmt.pattern()).sum() >= max(fmt.share * len(lines), 1)
        }
        objects = lines.filter(lines.str.starts_with("{"))
        pairs = lines.filter(lines.str.contains(structured.LOGFMT) & lines.str.contains(structured.LOGFMT_KEY))
        self._layouts = {"json": layouts.learn_json(objects.to_list()), "logfmt": layouts.learn_logfmt(pairs.to_list())}
        seen: dict[Format, _Seen] = {}

        def note(fmt: Format, found: headers.Match) -> None:
            seen.setdefault(fmt, _Seen()).add(found)

        self._learning = True
        self._decode(lines, note)
        self._learning = False
        floor, left = max(_MIN_ACTIVE * len(lines), 1), sum(each.count for each in seen.values())
        self._active = []
        for fmt in FORMATS:
            if fmt in seen and seen[fmt].count >= floor:
                self._active += [(fmt, variant) for variant in seen[fmt].variants(left)]
                left -= seen[fmt].count

    def decode(self, lines: pl.Series, places: pl.Series | None = None) -> pl.DataFrame:
        """DECODED columns of lines, one row per line, in order.

        `places` are the lines' row numbers in the source's frame (none: they follow each other): only neighbours can be
        parts of one line.
        """
        return self._decode(lines, None, places)

    def names_in(self, lines: pl.Series) -> pl.DataFrame:
        """DECODED columns of lines in which only `service`, `program` and `fallback` mean something.

        As `decode` finds them, for lines in the usual formats of the source. Formats that name no service are not
        tried, and lines are only decoded where the name may be inside of them.
        """
        rest = Rest(lines, None)
        if any(self._layouts.values()):
            whole = lines.str.starts_with("{") | lines.str.contains(structured.LOGFMT)
            if whole.any():
                rest.take(whole.arg_true(), self.decode(lines.filter(whole)))
        for fmt, variant in self._active:
            inside = fmt.wraps and self._child(fmt.name).names_services
            if rest.empty or not (inside or headers.names_service(fmt)):
                continue
            found = headers.match(fmt, rest.lines, variant)
            if found is not None:
                rest.take(found.rows, self.decode(found.lines) if inside else headers.names(found))
        return rest.result(self._clock)

    @property
    def names_services(self) -> bool:
        """Whether usual lines say which service wrote them."""
        return any(self._layouts.values()) or any(
            headers.names_service(fmt) or (fmt.wraps and self._child(fmt.name).names_services)
            for fmt, _ in self._active
        )

    def _decode(self, lines: pl.Series, note: _Note | None, places: pl.Series | None = None) -> pl.DataFrame:
        rest = Rest(lines, places)
        first = lines.str.starts_with("{")
        if first.any():
            self._structured(rest, first, "json")
        pairs = None if rest.empty else rest.lines.str.contains(structured.LOGFMT)
        if pairs is not None and pairs.any():
            pairs = pairs & rest.lines.str.contains(structured.LOGFMT_KEY)
            if pairs.any():
                self._structured(rest, pairs, "logfmt")
        for fmt, variant in self._active:
            if rest.empty:
                break
            self._try(rest, fmt, variant, note)
        if not rest.empty:
            self._others(rest, note)
        return rest.result(self._clock)

    def _odd(self, rest: Rest) -> None:
        """Lines that no usual format of this source has, where they are few: the format of their shape, where known."""
        texts = rest.lines.to_list()
        known = [self._shapes.find(text) for text in texts]
        for fmt in dict.fromkeys(fmt for fmt, is_known in known if is_known):
            rows = pl.Series([n for n, each in enumerate(known) if each == (fmt, True)], dtype=pl.UInt32)
            if fmt is None:
                rest.take(rows, columns.frame(len(rows), body=rest.lines.gather(rows).alias("body")))
                taken = rows
            else:
                taken = self._try(rest, fmt, ANY, None, rows)
            gone = set(taken.to_list())
            known = [each for n, each in enumerate(known) if n not in gone]

    def _others(self, rest: Rest, note: _Note | None) -> None:
        """Tries every format on lines that no usual one of this source has."""
        few = note is None and len(rest.lines) <= _FEW
        if few and len(self._shapes):
            self._odd(rest)
        aside = rest.set_aside(~rest.lines.str.contains(_LINE_GATE))
        untimed = None
        for timed in (True, False):
            if timed:
                untimed = rest.set_aside(~rest.lines.str.contains(_TIME_GATE))
            elif untimed is not None:
                rest.restore(untimed)
            times = shapes_in(rest.lines.to_list()) if few and timed else frozenset(BY_NAME)
            for fmt in FORMATS:
                if rest.empty:
                    break
                if fmt.timed == timed and (not fmt.share or fmt in self._shared) and fmt.fits_times(times):
                    before = rest.lines
                    taken = self._try(rest, fmt, ANY, note)
                    if few and len(taken):
                        self._shapes.remember(before.gather(taken).to_list(), fmt)
        if few:
            self._shapes.remember(rest.lines.to_list(), None)
        rest.restore(aside)

    def _try(
        self, rest: Rest, fmt: Format, variant: Variant, note: _Note | None, among: pl.Series | None = None
    ) -> pl.Series:
        """Takes the lines that have a format, of all or of the rows `among`; their rows."""
        lines = rest.lines if among is None else rest.lines.gather(among)
        found = headers.match(fmt, lines, variant)
        if found is None:
            return pl.Series([], dtype=pl.UInt32)
        if note is not None:
            note(fmt, found)
        rows = found.rows if among is None else among if found.rows is None else among.gather(found.rows)
        code = self._code(fmt.name)
        if fmt.wraps and self._depth < _MAX_DEPTH:
            decoded = headers.decode([(found, code)], self._clock)
            rest.take(rows, self._unwrapped(fmt.name, decoded, found.partial, rest.places(rows)))
        else:
            rest.take_match(rows, found, code)
        return pl.int_range(0, len(lines), dtype=pl.UInt32, eager=True) if rows is None else rows

    def _unwrapped(self, name: str, outer: pl.DataFrame, partial: pl.Series | None, places: pl.Series) -> pl.DataFrame:
        content = outer["body"]
        if partial is not None and partial.any():
            content, glued = _joined(content, partial, places)
            outer = outer.with_columns(glued, content.alias("body"), partial.alias("partial"))
        if name.startswith("syslog"):
            rows = content.str.contains(_INNER_GATE)
            if not rows.any():
                return outer
            if not rows.all():
                inner = self._inside(name, content.filter(rows), places.filter(rows))
                merged = _merged(outer.filter(rows), inner, True)
                where = rows.arg_true()
                return placed([(None, outer), (where, merged)], outer.height)
        inner = self._inside(name, content, places)
        return _merged(outer, inner, name.startswith("syslog"))

    def _inside(self, name: str, lines: pl.Series, places: pl.Series) -> pl.DataFrame:
        """Decodes what was inside a wrapper; what is inside the sample's lines is the sample of the inside."""
        child = self._child(name)
        if self._learning:
            child.learn(lines)
        return child.decode(lines, places)

    def _child(self, name: str) -> Decoder:
        with self._lock:
            if name not in self._children:
                prefix = f"{self._prefix}{name}+"
                self._children[name] = Decoder(self._clock, self.names, prefix, self._depth + 1, self._lock)
            return self._children[name]

    def _code(self, name: str) -> int:
        with self._lock:
            if name not in self._codes:
                self._codes[name] = len(self.names)
                self.names.append(f"{self._prefix}{name}")
            return self._codes[name]

    def _structured(self, rest: Rest, rows: pl.Series, syntax: str) -> None:
        """Decodes the lines of JSON or logfmt among `rows`: by the layouts of the sample, the others one by one."""
        where = None if rows.all() else rows.arg_true()
        lines = rest.lines if where is None else rest.lines.gather(where)
        numbers = pl.int_range(0, len(lines), dtype=pl.UInt32, eager=True)
        found: list[tuple[pl.Series, pl.DataFrame]] = []
        for layout in self._layouts[syntax]:
            fitting = layout_columns.fit(layout, lines, self._clock)
            if fitting is not None:
                found.append((numbers if fitting.rows is None else numbers.gather(fitting.rows), fitting.columns))
                lines, numbers = without(lines, fitting.rows), without(numbers, fitting.rows)
        entries = [_READERS[syntax](text) for text in lines.to_list()]
        good = [entry for entry in entries if entry is not None]
        if good:
            kept = pl.Series([entry is not None for entry in entries])
            found.append((numbers.filter(kept), structured.of_entries(good, self._clock)))
        if not found:
            return
        taken, outer = found[0]
        if len(found) > 1:  # in order again: neighbours may be parts of one line
            taken = pl.concat([each for each, _ in found])
            order = taken.arg_sort()
            taken, outer = taken.gather(order), pl.concat([each for _, each in found])[order]
        taken = taken if where is None else where.gather(taken)
        all_rows = len(taken) == len(rest.lines)
        rest.take(None if all_rows else taken, self._opened(outer, rest.places(taken)))

    def _opened(self, outer: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
        """DECODED of structured lines; log lines inside them are decoded, too."""
        kinds = outer["kind"].unique(maintain_order=True).to_list()
        codes = [self._code(kind) for kind in kinds]
        decoded = columns.frame(
            outer.height,
            format=outer["kind"].replace_strict(kinds, codes, return_dtype=pl.UInt16).alias("format"),
            **{name: outer[name] for name in outer.columns if name in DECODED},
        )
        inside = outer["content"].is_not_null()
        if self._depth >= _MAX_DEPTH or not inside.any():
            return decoded
        parts: list[tuple[pl.Series | None, pl.DataFrame]] = [(None, decoded)]
        for kind in kinds:
            rows = (inside & (outer["kind"] == kind)).arg_true()
            if not len(rows):
                continue
            chosen, content, partial = decoded[rows], outer["content"].gather(rows), outer["partial"].gather(rows)
            if partial.any():
                content, glued = _joined(content, partial, places.gather(rows))
                chosen = chosen.with_columns(glued, content.alias("body"))
            inner = self._inside(kind, content, places.gather(rows))
            merged = _merged(chosen, inner, False)
            if kind == "envelope":
                merged = merged.with_columns(chosen["service"])
            parts.append((rows, merged))
        return placed(parts, outer.height)


class _Seen:
    """What the lines of a sample show of one format."""

    def __init__(self) -> None:
        self.count = 0
        self._shapes: set[str] = set()
        self._zoned = False

    def add(self, found: headers.Match) -> None:
        self.count += len(found.lines)
        self._zoned = self._zoned or found.zoned
        if found.bases is not None:
            self._shapes |= _shapes_of(found.bases)

    def variants(self, lines: int) -> list[Variant]:
        """One for each shape of time: an expression that allows one shape only is matched several times faster.

        `lines`: lines of the sample that no format before this one has.
        """
        shapes: list[tuple[str, ...]] = [(shape.name,) for shape in SHAPES if shape.name in self._shapes]
        usual = 2 * self.count > lines * max(len(shapes), 1)
        return [Variant(shape, self._zoned, usual) for shape in shapes or [()]]


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
        pl.col("outer_partial").alias("partial") | pl.col("partial"),
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
