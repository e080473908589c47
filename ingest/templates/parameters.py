"""Parameters of messages: the values that stand at a template's wildcards, typed, and the way back to the message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ingest.templates import masking, plain_fit
from ingest.templates.words import WILDCARD

_ONE_WORD: Final = frozenset({"NUM", "IP", "UUID", "HEX", "PATH", "EMAIL", "ID", "MAC", "HOST", "BOOL", "USER"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a message holds beyond its template: values in order of the wildcards, and its exact blanks.

    `blanks` are the blanks before the first word, between words and after the last; `rest` is what follows the part of
    the message that is mined (further lines, or what exceeds `masking.MAX_CHARACTERS`).
    """

    values: tuple[str, ...]
    blanks: tuple[str, ...]
    rest: str = ""


def types(template: str) -> tuple[str, ...]:
    """The types of a template's wildcards in order: `NUM`, `IP`, ..., `*` for one that varies by evidence."""
    return tuple(each[1:-1] for each in WILDCARD.findall(template))


def columns(template: str) -> tuple[str, ...]:
    """The names of the columns of `extract`: position from 1 and type, `1:IP`, `2:*`."""
    return tuple(f"{at}:{kind}" for at, kind in enumerate(types(template), start=1))


def extract(template: str, bodies: pl.Series) -> pl.DataFrame:
    """The parameters of messages (String), one column per wildcard in order, named as `columns` says.

    Null where a message does not fit the template. Regular expressions in linear time; a message of other blanks, or
    with a list where the template has one wildcard, costs a second look.
    """
    names = columns(template)
    if not names:
        return pl.DataFrame(height=len(bodies))
    head = pl.DataFrame({"body": bodies}).select(masking.head(pl.col("body").fill_null("")))["body"]
    found = _groups(head, _pattern(template, 0), names)
    for tolerance in (1, 2):
        if not found[names[0]].null_count():
            break
        missed = found[names[0]].is_null()
        again = _groups(head.filter(missed), _pattern(template, tolerance), names)
        at = missed.arg_true()
        found = found.with_columns(found[name].scatter(at, again[name]) for name in names)
    return found


def match(template: str, body: str) -> Parameters | None:
    """The parameters of one message, with all that `recover` needs; None where it does not fit the template."""
    head = str(pl.DataFrame({"body": [body]}).select(masking.head(pl.col("body")))["body"][0])
    pieces = _pieces(template)
    pattern = "".join(
        r"(\s+)" if piece == " " else "(.*?)" if WILDCARD.fullmatch(piece) else pl.escape_regex(piece)
        for piece in pieces
    )
    groups = pl.Series([head]).str.extract_groups(rf"(?s)^(\s*){pattern}(\s*)$")[0]
    found = list(groups.values())
    if found[0] is None:
        return None
    values: list[str] = []
    blanks: list[str] = [found[0]]
    kinds = [piece for piece in pieces if piece == " " or WILDCARD.fullmatch(piece)]
    for kind, value in zip(kinds, found[1:-1], strict=True):
        (blanks if kind == " " else values).append(value)
    return Parameters(tuple(values), (*blanks, found[-1]), body[len(head) :])


def recover(template: str, parameters: Parameters) -> str:
    """The message that `match` took apart. Raises ValueError where the parameters are not of this template."""
    values, blanks = iter(parameters.values), iter(parameters.blanks)
    try:
        parts = [next(blanks)]
        for piece in _pieces(template):
            parts.append(next(blanks) if piece == " " else next(values) if WILDCARD.fullmatch(piece) else piece)
        parts.append(next(blanks))
    except StopIteration as exc:
        raise ValueError("these parameters are of another template") from exc
    return "".join(parts) + parameters.rest


def examples(template: str, bodies: Sequence[str], limit: int = 3) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For each wildcard: its type and up to `limit` distinct values among some messages, the first ones."""
    kinds = types(template)
    values = _plainly(template, bodies)
    if values is None:
        found = extract(template, pl.Series("body", bodies, dtype=pl.String))
        values = [column.to_list() for column in found.get_columns()]
    return tuple(
        (kind, tuple(dict.fromkeys(value for value in column if value is not None))[:limit])
        for kind, column in zip(kinds, values, strict=True)
    )


def _plainly(template: str, bodies: Sequence[str]) -> list[Sequence[str]] | None:
    """The columns of `extract`, where each message fits the template at first sight; None where one does not."""
    literals = WILDCARD.split(template)
    if len(literals) < 2 or not all(literals[1:-1]) or not bodies:
        return None
    one_word = [kind in _ONE_WORD for kind in types(template)]
    found = []
    for body in bodies:
        if "\n" in body or len(body) * 4 > masking.MAX_CHARACTERS:
            return None
        values = plain_fit.fit(literals, one_word, body)
        if values is None:
            return None
        found.append(values)
    return list(zip(*found, strict=True))


def _pieces(template: str) -> list[str]:
    """A template taken apart: wildcards, single blanks, literal text."""
    pieces: list[str] = []
    last = 0
    for wildcard in WILDCARD.finditer(template):
        pieces += _literals(template[last : wildcard.start()])
        pieces.append(wildcard.group())
        last = wildcard.end()
    return pieces + _literals(template[last:])


def _literals(text: str) -> list[str]:
    pieces = []
    for at, part in enumerate(text.split(" ")):
        if at:
            pieces.append(" ")
        if part:
            pieces.append(part)
    return pieces


def _pattern(template: str, tolerance: int) -> str:
    """A Rust regular expression with one group per wildcard.

    Tolerance 0: single blanks, and typed words hold none; 1: any blanks; 2: typed words may be lists with blanks.
    """
    parts = []
    for piece in _pieces(template):
        if piece == " ":
            parts.append(" " if tolerance == 0 else r"\s+")
        elif WILDCARD.fullmatch(piece):
            parts.append(r"(\S+?)" if tolerance < 2 and piece[1:-1] in _ONE_WORD else "(.*?)")
        else:
            parts.append(pl.escape_regex(piece))
    edge = "" if tolerance == 0 else r"\s*"
    return "".join((r"(?s)^", edge, *parts, edge, "$"))


def _groups(texts: pl.Series, pattern: str, names: Sequence[str]) -> pl.DataFrame:
    found = texts.str.extract_groups(pattern).struct.unnest()
    found.columns = list(names)
    return found.with_columns(pl.all().str.strip_chars())
