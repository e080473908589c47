"""Typed masks: what varies in a message by its form alone is replaced by the name of its type.

Polars' regular expressions are Rust's: no look-around, no back-references, time linear in the length of the input, so
no message can hang a mask. Where a mask must see what stands before or after a value it captures that and writes it
back (`$1`).

The order of `DEFAULT_MASKS` is part of the definition: a mask sees what those before it left. A value that two masks
could take goes to the earlier one, so the specific (URL, path, time) come before the general (identifier, number).

Words with a single digit in them (`eth0`, `ssh2`, `Log4jLogger`) are not masked: form does not tell whether they vary.
They stay, and the evidence of `ingest.templates.evidence` decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from core.errors import ConfigError

MAX_CHARACTERS: Final = 4096
"""Characters of a message that are mined; what follows belongs to no template (a 1 MB token is data, not shape)."""

_B: Final = r"(?-u:\b)"
_DIGITS: Final = r"[0-9A-Za-z_]*[0-9][0-9A-Za-z_]*"

_NUMBERED: Final = r"(?:[0-9]|[A-Za-z][0-9][0-9A-Za-z_]|[A-Za-z_]+[0-9][A-Za-z_]*[0-9])[0-9A-Za-z_]*"
COARSE_PATTERN: Final = _B + _NUMBERED
"""A word with digits in it: the one pattern of the coarse key. It takes nothing that the masks leave as it is, and
leaves every separator, so that a template made of one message fits every message of its key."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A typed mask: a Rust regular expression and what replaces a match (`$1` is a captured context)."""

    name: str
    pattern: str
    replacement: str


def _mask(name: str, pattern: str, replacement: str | None = None) -> Mask:
    return Mask(name, pattern, f"<{name}>" if replacement is None else replacement)


_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY: Final = rf"(?:{_B}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?"
_CLOCK: Final = r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?"
_IP: Final = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?"
_NAME: Final = r"[0-9A-Za-z_.$@+\-~%*#]"
_TLD: Final = r"(?:com|net|org|edu|gov|mil|info|biz|io|local|internal|lan|localdomain|arpa)"
_END: Final = r"([\s\"'()\[\],;:=]|\.?$|\.\s)"
_LABELS: Final = r"(?:[0-9A-Za-z_\-]+\.)+"
_PHRASE: Final = r"[^Q<>=]*[^Q<>=\s] [^Q<>=]*[^Q<>=.!?]"
_SIGNED: Final = r"(^|[\s=\"'(\[,:])-"
_LASTING: Final = r"(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+"  # 18.7ms, 980µs, 1m30.5s
_NUMBERED_LABEL: Final = r"[0-9A-Za-z_\-]*[0-9][0-9A-Za-z_\-]*\."

DEFAULT_MASKS: Final[tuple[Mask, ...]] = (
    _mask("URL", _B + r"[A-Za-z][A-Za-z0-9+.\-]{1,15}://[^\s\"'<>()\[\]{},;\\]+"),
    _mask("URL", r"/[^\s\"]* HTTP/\d(?:\.\d)?"),  # the target and version of a request line
    _mask("EMAIL", _B + r"[0-9A-Za-z._%+\-]+@[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)+" + _B),
    _mask("PATH", _B + r"[A-Za-z]:\\[^\s\"'<>|,;]*"),
    _mask("IP", rf"(?:{_B}[0-9A-Za-z_.\-]+)?/{_IP}{_B}"),  # Java writes host/address:port
    _mask("PATH", rf"(^|[\s=\"'(\[,:])(?:\.{{0,2}}|~)(?:/+(?:{_NAME}|:{_NAME})+)+/*", "$1<PATH>"),
    _mask("UUID", _B + r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}" + _B),
    _mask("TIME", rf"{_DAY}{_B}{_MONTH} +\d{{1,2}},? +(?:\d{{4}} +)?{_CLOCK}(?: +[A-Z]{{3,4}}{_B})?(?: +\d{{4}}{_B})?"),
    _mask("TIME", rf"{_B}\d{{1,2}}/{_MONTH}/\d{{4}}:{_CLOCK}(?: [+\-]\d{{4}})?"),
    _mask("TIME", rf"{_DAY}{_B}\d{{1,2}} {_MONTH} \d{{4}} {_CLOCK}(?: +(?:[A-Z]{{3,4}}{_B}|[+\-]\d{{4}}))?"),
    _mask(
        "TIME",
        _B
        + r"\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}"
        + r"(?:[T _]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?Z| ?[+\-]\d{2}:?\d{2})?)?"
        + _B,
    ),
    _mask("MAC", _B + r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){3,}" + _B),
    _mask("IP", rf"{_B}[0-9A-Fa-f]{{1,4}}(?::[0-9A-Fa-f]{{1,4}}){{7}}{_B}"),
    _mask("HEX", _B + r"[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{2})+(?:\.[0-9A-Fa-f])?" + _B),  # a bus address
    _mask("IP", rf"{_B}{_IP}{_B}"),
    _mask("TIME", _B + _CLOCK + _B),
    _mask("TIME", _B + r"\d{1,2}:\d{2}" + _B),
    _mask("DURATION", r"<\d+ (?:ms|secs?|s)" + _B),  # "<1 sec"
    _mask("STR", r"=\"[^\"<>]*\"", '="<STR>"'),
    _mask("STR", r"='[^'<>]*'", "='<STR>'"),
    _mask("STR", r"\\\"[^\"\\]*\\\"", '\\"<STR>\\"'),  # quoted inside of quoted text
    # Quoted text of several words, unless it ends like a sentence: that is somebody else's message, not a value. Nor is
    # what a message begins with in double quotes: the kubelet's own message, before its pairs.
    _mask("STR", r"([\s(\[:,])\"" + _PHRASE.replace("Q", '"') + '"', '$1"<STR>"'),
    _mask("STR", r"(^|[\s(\[:,])'" + _PHRASE.replace("Q", "'") + r"'([\s)\],;:.]|$)", "$1'<STR>'$2"),
    _mask("HOST", rf"{_B}{_LABELS}{_TLD}(?:\.[a-z]{{2}})?(?::\d+)?{_END}", "<HOST>$1"),
    _mask("HOST", rf"{_B}{_NUMBERED_LABEL}{_LABELS}[a-z]{{2,6}}(?::\d+)?{_END}", "<HOST>$1"),
    _mask("HOST", _B + r"[A-Za-z]+(?:-[A-Za-z]+)*-\d+:\d{2,5}" + _B),
    _mask("HEX", _B + r"0[xX][0-9A-Fa-f]+" + _B),
    _mask("USER", _B + r"(for|invalid|as|by) user [^\s=,;:()\[\]]+", "$1 user <USER>"),
    _mask("USER", _B + r"(user|username|ruser|login)=[^\s,;)\]]+", "$1=<USER>"),
    _mask("BOOL", r"([=:\s(\[])(?:true|false|True|False|TRUE|FALSE)" + _B, "$1<BOOL>"),
    _mask("DURATION", rf"{_SIGNED}{_LASTING}{_B}", "$1<DURATION>"),
    _mask("DURATION", _B + _LASTING + _B),
    _mask("SIZE", _B + r"\d+(?:\.\d+)?(?:[kKMGTP]i?[Bb]|B)" + _B),
    _mask("NUM", rf"{_SIGNED}\d+(?:\.\d+)*{_B}", "$1<NUM>"),
    _mask("NUM", _B + r"[A-Za-z]?\d+(?:\.\d+)+(?:\.?[A-Za-z][0-9A-Za-z]*)?" + _B),  # versions, and any unit: 2.08x
    _mask("ID", _B + r"[A-Za-z]+_-\d+" + _B),
    _mask("ID", _B + r"[0-9]+[A-Za-z_][0-9A-Za-z_]*(?:\.[0-9A-Za-z_]+)*" + _B),
    _mask(
        "ID",
        _B + r"(?:[A-Za-z][0-9][0-9A-Za-z_]+|[A-Za-z_]+[0-9][A-Za-z_]*[0-9][0-9A-Za-z_]*)" + rf"(?:\.{_DIGITS})*" + _B,
    ),
    _mask("NUM", _B + r"\d+"),
    _mask("IP", r"<IP>(?:,<IP>)+"),  # lists without spaces are one value
    _mask("NUM", r"<NUM>(?:,<NUM>){2,}"),
    _mask("HOST", r"<HOST>(?:[,:]<HOST>)+"),
)

TYPES: Final = tuple(dict.fromkeys(each.name for each in DEFAULT_MASKS))
"""The names of the typed wildcards. `<*>` (variable by evidence) and `<SIZE>` (number and unit) come from mining."""


def user_masks(patterns: Mapping[str, str]) -> tuple[Mask, ...]:
    """Masks of the user's own (type name -> Rust regular expression); they go before the default ones.

    Raises ConfigError that names the mask where a name or an expression is not valid.
    """
    masks = []
    for name, pattern in patterns.items():
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            raise ConfigError("templates_masks", name, "upper-case type names such as ORDER")
        try:
            pl.Series([""]).str.replace_all(pattern, "")
        except pl.exceptions.ComputeError as exc:
            raise ConfigError(f"templates_masks.{name}", pattern, "a Rust regular expression (no look-around)") from exc
        masks.append(Mask(name, pattern, f"<{name}>"))
    return tuple(masks)


def head(body: pl.Expr) -> pl.Expr:
    """The part of a message that is mined: its first line, at most `MAX_CHARACTERS` characters."""
    first = pl.when(body.str.contains("\n", literal=True)).then(body.str.split("\n").list.first()).otherwise(body)
    return pl.when(first.str.len_bytes() > MAX_CHARACTERS).then(first.str.slice(0, MAX_CHARACTERS)).otherwise(first)


def coarse_key(text: pl.Expr, masks: Sequence[Mask] = DEFAULT_MASKS) -> pl.Expr:
    """`text` with each word with digits replaced by `0`: messages of one key have one shape.

    The text itself where `masks` would leave such words as they are.
    """
    return text.str.replace_all(COARSE_PATTERN, "0") if hide_numbers(masks) else text


def hide_numbers(masks: Sequence[Mask]) -> bool:
    """Whether masks leave no word of `COARSE_PATTERN` as it is."""
    return {each.name for each in masks}.issuperset(("ID", "NUM"))


def mask(text: pl.Expr, masks: Sequence[Mask] = DEFAULT_MASKS) -> pl.Expr:
    """`text` with each value replaced by its type in angle brackets (`<NUM>`), runs of blanks by one space."""
    return single_blanks(replaced(text, masks))


def replaced(text: pl.Expr, masks: Sequence[Mask]) -> pl.Expr:
    """`text` with each value replaced by its type."""
    for each in masks:
        text = text.str.replace_all(each.pattern, each.replacement)
    return text


def single_blanks(text: pl.Expr) -> pl.Expr:
    """`text` with runs of blanks replaced by one space, none at its ends."""
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def fired(text: str, masks: Sequence[Mask] = DEFAULT_MASKS) -> tuple[tuple[str, str, str], ...]:
    """The masks that changed a message, in order: (name, before, after)."""
    steps = []
    for each in masks:
        after = pl.Series([text]).str.replace_all(each.pattern, each.replacement)[0]
        if after != text:
            steps.append((each.name, text, after))
            text = after
    return tuple(steps)
