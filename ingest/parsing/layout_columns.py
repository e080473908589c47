"""Lines of one layout -> columns: what `ingest.parsing.fields` reads from one line, for all lines at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import orjson
import polars as pl

from core import severity
from core.batch import TIMESTAMP
from ingest.parsing import fields, services, structured, timestamps
from ingest.parsing.columns import mapped
from ingest.parsing.layouts import Claim, Layout, Part
from ingest.parsing.timestamps import Clock

_EPOCH: Final = r"^[0-9]{9,}\.?[0-9]*$"
_OTHERS: Final = "_unfit"


class Fitting(NamedTuple):
    """The rows of a column of lines that fit a layout (None: all), and their `STRUCTURED` columns."""

    rows: pl.Series | None
    columns: pl.DataFrame


def fit(layout: Layout, lines: pl.Series, clock: Clock) -> Fitting | None:
    """The lines of a layout, taken apart; None where none is."""
    groups = lines.str.extract_groups(layout.pattern).struct.unnest()
    found = groups[next(iter(layout.claims.values())).group].is_not_null()
    if not found.any():
        return None
    if layout.tail and groups["tail"].null_count() < groups.height:
        found = found & ~groups["tail"].str.contains(layout.tail).fill_null(False)
    rows: pl.Series | None = None
    if not found.all():
        rows = found.arg_true()
        groups, lines = groups.filter(found), lines.filter(found)
    if not len(lines):
        return None
    columns = _Columns(layout, groups, lines, clock).columns()
    fits = ~columns[_OTHERS]
    if not fits.all():
        rows = fits.arg_true() if rows is None else rows.filter(fits)
        columns = columns.filter(fits)
    return Fitting(rows, columns.drop(_OTHERS)) if columns.height else None


class _Columns:
    """The columns of lines that an expression of a layout matched."""

    def __init__(self, layout: Layout, groups: pl.DataFrame, lines: pl.Series, clock: Clock) -> None:
        self._layout = layout
        self._groups = groups
        self._lines = lines
        self._clock = clock
        self._height = len(lines)
        self._logfmt = layout.format == "logfmt"
        self._escapes = lines.str.contains("\\", literal=True).any()

    def columns(self) -> pl.DataFrame:
        """`STRUCTURED`, and whether a row does not fit after all."""
        claims = self._layout.claims
        time, unfit = self._time()
        of_level, level = self._severity()
        texts = {role: self._text(claims[role]) for role in ("message", "service", "trace", "span") if role in claims}
        given: dict[str, pl.Series] = {"timestamp": time, "severity": level}
        if "service" in texts:
            given["service"] = texts["service"]
        elif "pod" in claims:
            given["program"] = mapped(self._text(claims["pod"]), _of_host(claims["pod"].path[-1]), pl.String())
        identity = texts.get("trace", self._text(claims["request"]) if "request" in claims else None)
        if identity is not None:
            given["trace_id"] = identity
        if "span" in texts:
            given["span_id"] = texts["span"]
        wrapper = self._layout.format in ("docker", "envelope")
        body, used = (texts["message"], {}) if wrapper else self._body(texts.get("message"))
        if "level" in claims:
            used["level"] = of_level > 0
        if "logger" in claims:
            used["logger"] = self._renamed(given.get("service"))
        given["attributes"] = self._attributes(used)
        given["body"] = body
        if self._layout.format == "envelope":
            given["service"], given["attributes"] = _of_envelope(texts["service"])
        content = self._content(body, level)
        if content is not None:
            given["content"] = content
        frame = pl.DataFrame([column.alias(name) for name, column in given.items()])
        if content is not None and self._layout.format == "json":
            frame = _service_of_wrapper(frame)
        if self._layout.format == "docker":
            frame = frame.with_columns(partial=~pl.col("body").str.ends_with("\n"))
        return structured.completed(frame, self._layout.format).with_columns(unfit.alias(_OTHERS))

    def _raw(self, claim: Claim) -> pl.Series:
        return self._groups[claim.group]

    def _text(self, claim: Claim) -> pl.Series:
        """The values of a claim as texts, without quotes and escapes."""
        raw = self._raw(claim)
        if not self._logfmt:
            return unescaped(raw) if claim.kind == "string" and self._escapes else raw
        quoted = raw.str.starts_with('"')
        if not quoted.any():
            return raw
        inner = raw.str.slice(1).str.head(-1)
        if self._escapes:
            inner = unescaped(inner)
        return inner if quoted.all() else inner.zip_with(quoted, raw)

    def _time(self) -> tuple[pl.Series, pl.Series]:
        """Times, and rows whose times only the reading of single lines can tell."""
        fits = pl.Series([False], dtype=pl.Boolean).new_from_index(0, self._height)
        claim = self._layout.claims.get("time")
        if claim is None:
            return pl.Series([None], dtype=TIMESTAMP).new_from_index(0, self._height), fits
        if claim.kind != "string":
            times = micros_of(self._raw(claim))
            return times.cast(TIMESTAMP), times.is_null()
        text = self._text(claim)
        numbers = text.str.contains(_EPOCH)
        if not numbers.any():
            return timestamps.parse(text, self._clock), fits
        times = micros_of(text).cast(TIMESTAMP)
        if numbers.all():
            return times, times.is_null()
        return times.zip_with(numbers, timestamps.parse(text, self._clock)), numbers & times.is_null()

    def _severity(self) -> tuple[pl.Series, pl.Series]:
        """Severity numbers of the level, and with those of the status where the level gives none."""
        none = pl.Series([0], dtype=pl.UInt8).new_from_index(0, self._height)
        claims = self._layout.claims
        of_level = none
        if "level" in claims:
            claim = claims["level"]
            keys = dict.fromkeys(self._layout.keys)
            whole = claim.kind == "integer"
            of_level = mapped(
                self._text(claim),
                lambda text: fields.severity_of(claim.path[-1], int(text) if whole else text, keys),
                pl.UInt8(),
            )
        if "status" in claims and (of_level == 0).any():
            return of_level, of_level.zip_with(
                of_level > 0, mapped(self._text(claims["status"]), _of_status, pl.UInt8())
            )
        return of_level, of_level

    def _body(self, message: pl.Series | None) -> tuple[pl.Series, dict[str, pl.Series]]:
        """The message, then the error, then the stack trace; and which rows used the error and the trace."""
        claims = self._layout.claims
        table = pl.DataFrame({"body": message if message is not None else self._request()})
        used: dict[str, pl.Series] = {}
        body = pl.col("body")
        if "error" in claims:
            table = table.with_columns(text=self._text(claims["error"]))
            text = pl.col("text")
            line = ~text.str.contains("\n", literal=True)
            used["error"] = table.select(line).to_series()
            joined = pl.when(body == "").then(text).otherwise(pl.concat_str(body, pl.lit(": "), text))
            news = line & ~body.str.contains(text, literal=True)
            table = table.select(body=pl.when(news).then(joined).otherwise(body))
        if "stack" in claims:
            table = table.with_columns(text=self._text(claims["stack"]))
            text = pl.col("text")
            trace = text.str.contains(r"\n|^(?:Traceback|\tat |    at )")
            used["stack"] = table.select(trace).to_series()
            joined = pl.when(body == "").then(text).otherwise(pl.concat_str(body, pl.lit("\n"), text))
            table = table.select(body=pl.when(trace).then(joined).otherwise(body))
        if message is None:
            table = table.select(body=pl.when(body == "").then(self._lines).otherwise(body))
        return table.to_series(), used

    def _request(self) -> pl.Series:
        """The request that a line without a message tells of; empty where it tells of none."""
        claims = self._layout.claims
        if "target" not in claims:
            return pl.Series([""], dtype=pl.String).new_from_index(0, self._height)
        roles = [role for role in (*fields.REQUEST_LINE, "status", *fields.REMARKS) if role in claims]
        line = pl.concat_str([role for role in roles if role in fields.REQUEST_LINE], separator=" ")
        told = [
            pl.when(~pl.col(role).is_in(fields.NO_REMARK)).then(pl.concat_str(pl.lit(" "), role)).otherwise(pl.lit(""))
            for role in roles
            if role in fields.REMARKS
        ]
        table = pl.DataFrame({role: self._text(claims[role]) for role in roles})
        return table.select(pl.concat_str(pl.lit('"'), line, pl.lit('" '), "status", *told)).to_series()

    def _renamed(self, service: pl.Series | None) -> pl.Series:
        """Which rows have the logger under the name `logger`: all but those where it is the service."""
        logger = self._text(self._layout.claims["logger"])
        if service is None:
            return pl.Series([True], dtype=pl.Boolean).new_from_index(0, self._height)
        return logger != service

    def _content(self, body: pl.Series, level: pl.Series) -> pl.Series | None:
        """A message that may be a log line itself: of a wrapper, or of a line without a level of its own."""
        if self._layout.format == "logfmt":
            return None
        if self._layout.format == "json":
            if "message" not in self._layout.claims or (level > 0).all():
                return None
            return body.set(level > 0, None).str.strip_chars_end("\r\n")
        return body.str.strip_chars_end("\r\n")

    # attributes

    def _attributes(self, used: dict[str, pl.Series]) -> pl.Series:
        table = self._groups.with_columns(column.alias(f"used_{role}") for role, column in used.items())
        members = self._joined(self._layout.parts, "logger" in used)
        if members is None:
            return pl.Series([None], dtype=pl.String).new_from_index(0, self._height)
        text = table.select(members.alias("attributes")).to_series()
        whole = pl.concat_str(pl.lit("{"), pl.first(), pl.lit("}"))
        if text.null_count() or (text == "").any():
            return text.to_frame().select(pl.when(pl.first() != "").then(whole)).to_series()
        return text.to_frame().select(whole).to_series()

    def _joined(self, parts: tuple[Part, ...], renamed: bool = False) -> pl.Expr | None:
        """The members of an object, separated by commas; null or empty where a row has none."""
        members = [member for part in parts if (member := self._member(part)) is not None]
        if renamed:
            claim = self._layout.claims["logger"]
            members.append(pl.when("used_logger").then(self._pair("logger", claim.group)))
        if len(members) == 1:
            return members[0]
        return pl.concat_str(members, separator=",", ignore_nulls=True) if members else None

    def _member(self, part: Part) -> pl.Expr | None:
        if part.claim is not None:
            return pl.when(~pl.col(f"used_{part.claim.role}")).then(
                self._pair(part.claim.path[-1], part.claim.group, part.claim.kind == "string")
            )
        if part.key:
            inner = self._joined(part.parts)
            if inner is None:
                return None
            whole = pl.concat_str(pl.lit(f'"{part.key}":{{'), inner, pl.lit("}"))
            return pl.when(inner != "").then(whole)
        if not self._logfmt:
            column = self._groups[part.group]
            return None if column.null_count() == self._height else pl.col(part.group)
        key = next(key for key, group in self._layout.members.items() if group == part.group)
        return self._pair(key, part.group)

    def _pair(self, key: str, group: str, text: bool = True) -> pl.Expr:
        """The member of one value as JSON."""
        value = pl.col(group)
        if not self._logfmt:
            quote = pl.lit('"' if text else "")
            return pl.concat_str(pl.lit(f'"{key}":'), quote, value, quote)
        column = self._groups[group]
        quoted = column.str.starts_with('"')
        bare = pl.concat_str(pl.lit(f'"{key}":"'), value.str.replace_all("\\", "\\\\", literal=True), pl.lit('"'))
        if not quoted.any():
            return bare
        return pl.when(value.str.starts_with('"')).then(pl.concat_str(pl.lit(f'"{key}":'), value)).otherwise(bare)


def unescaped(texts: pl.Series) -> pl.Series:
    """The inside of JSON strings as text."""
    rows = texts.str.contains("\\", literal=True)
    if not rows.any():
        return texts
    where = rows.arg_true()
    quoted = texts.gather(where).to_frame("text").select(pl.concat_str(pl.lit('"'), "text", pl.lit('"'))).to_series()
    return texts.clone().scatter(where, quoted.str.json_decode(pl.String))


def micros_of(numbers: pl.Series) -> pl.Series:
    """`fields.micros_of` of a column of decimal numbers as texts; null also where a single look must tell."""
    whole = numbers.cast(pl.Int64, strict=False)
    value = pl.col("number").cast(pl.Float64, strict=False) if whole.null_count() else pl.col("whole")
    size = value.abs()
    table = pl.DataFrame({"number": numbers, "whole": whole}).select(
        pl.when(size < 1e8)
        .then(None)
        .when(size < 1e10)
        .then((value * 1_000_000).round())
        .when(size < 1e13)
        .then((value * 1000).round())
        .when(size < 1e16)
        .then(value.round())
        .when(pl.col("whole").is_not_null())
        .then(pl.col("whole") // 1000)
        .cast(pl.Int64)
    )
    return table.to_series()


def _of_status(text: str) -> int:
    return severity.of_http_status(int(text)) if text.isdigit() and 100 <= int(text) <= 599 else 0


def _of_host(key: str) -> Callable[[str], str | None]:
    def derive(name: str) -> str | None:
        return services.of_pod(name) if services.looks_like_pod(name) or key not in ("hostname", "name") else None

    return derive


def _of_envelope(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Services of an envelope, and the attributes that keep a name with more than the service."""
    service = mapped(names, services.of_envelope, pl.String())
    return service, mapped(names, _component, pl.String())


def _component(name: str) -> str | None:
    return None if services.of_envelope(name) == name else orjson.dumps({"component": name}).decode()


def _service_of_wrapper(frame: pl.DataFrame) -> pl.DataFrame:
    """What a line without a level calls its service is a name for the program that its message came from."""
    if "service" not in frame.columns:
        return frame
    inside = pl.col("content").is_not_null()
    return frame.with_columns(program=pl.when(inside).then("service"), service=pl.when(~inside).then("service"))
