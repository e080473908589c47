"""Typed masks: what varies in a message by its form alone is replaced by the name of its type.

Polars' regular expressions are Rust's: no look-around, no back-references, time linear in the length of the input, so no
message can hang a mask. A mask therefore says what may stand before and after a value by capturing one character and
writing it back (`$1`).

The order of `DEFAULT_MASKS` is part of the definition: a mask sees what the ones before it left. A value that two masks
could take goes to the earlier one, so the specific (URL, UUID, time) come before the general (path, number).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

MAX_CHARACTERS: Final = 4096
"""Characters of a message that are mined; what follows belongs to no template (a 1 MB token is data, not shape)."""

COARSE_PATTERN: Final = r"[0-9A-Za-z_]*[0-9][0-9A-Za-z_.:\-]*"
"""A token with a digit in it: the one pattern of the coarse key."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A typed mask. `pattern` is a Rust regular expression; `replacement` may write captured context back."""

    name: str
    pattern: str
    replacement: str


def _mask(name: str, pattern: str, replacement: str | None = None) -> Mask:
    return Mask(name, pattern, f"<{name}>" if replacement is None else replacement)


_B = r"\b"

DEFAULT_MASKS: Final[tuple[Mask, ...]] = (
    _mask("URL", r"\b[A-Za-z][A-Za-z0-9+.\-]{1,15}://[^\s\"'<>()\[\]{},;]+"),
    _mask("EMAIL", r"\b[0-9A-Za-z._%+\-]+@[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)+\b"),
    _mask("UUID", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    _mask(
        "TIME",
        r"\b\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}(?:[T _]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+\-]\d{2}:?\d{2})?)?\b",
    ),
    _mask("TIME", r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b"),
    _mask("IP", r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"),
    _mask("HEX", r"\b0[xX][0-9A-Fa-f]+\b"),
    _mask("PATH", r"(^|[\s=\"'(\[:,])(?:/[0-9A-Za-z_.$@+\-~%:*]+)+/?", "$1<PATH>"),
    _mask("ID", r"\b[0-9A-Za-z_\-]*[0-9][0-9A-Za-z_\-]*[A-Za-z_][0-9A-Za-z_\-]*\b"),
    _mask("ID", r"\b[A-Za-z_][0-9A-Za-z_\-]*[0-9][0-9A-Za-z_\-]*\b"),
    _mask("NUM", r"\d+(?:\.\d+)*"),
)


def head(body: pl.Expr) -> pl.Expr:
    """The part of a message that is mined: its first line, at most `MAX_CHARACTERS` characters."""
    first = pl.when(body.str.contains("\n", literal=True)).then(body.str.split("\n").list.first()).otherwise(body)
    return pl.when(first.str.len_bytes() > MAX_CHARACTERS).then(first.str.slice(0, MAX_CHARACTERS)).otherwise(first)


def coarse_key(text: pl.Expr) -> pl.Expr:
    """`text` with each token that has a digit replaced by `0`: equal keys have equal masked forms, nearly always."""
    return text.str.replace_all(COARSE_PATTERN, "0")


def mask(text: pl.Expr, masks: Sequence[Mask] = DEFAULT_MASKS) -> pl.Expr:
    """`text` with each value replaced by its type in angle brackets (`<NUM>`)."""
    for each in masks:
        text = text.str.replace_all(each.pattern, each.replacement)
    return text
