"""Redaction: personal data and secrets become typed, reversible masks (`<EMAIL_1>`) before anything leaves the process.

A `Redactor` is one session: the same value gets the same mask for as long as it lives, and only it can undo them. The
detectors are in `core.redaction_patterns` (keys and tokens by their shape), `core.redaction_pairs` (secrets by the
words before them) and `core.redaction_identifiers` (personal data by form and checksum); `core.redaction_views` lets
them see through JSON, URL and HTML escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core import redaction_identifiers as identifiers
from core import redaction_pairs as pairs
from core import redaction_patterns as patterns
from core.errors import ConfigError
from core.redaction_patterns import Span
from core.redaction_views import views

_TYPES: Final = """
API_KEY AWS_KEY AZURE_KEY CARD COOKIE EMAIL GCP_KEY GITHUB_TOKEN GITLAB_TOKEN IBAN IP JWT OPENAI_KEY PASSWORD PHONE
PRIVATE_KEY RRN SECRET SLACK_TOKEN STRIPE_KEY TOKEN
"""
_WILDCARD: Final = r"<(?:[A-Z][A-Z_]{0,15}|\*)>"
"""What a template has in place of a parameter."""
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,30}")
_PASSES: Final = 3
_REMEMBERED: Final = 512
"""Secrets that a session looks for wherever they stand; the oldest are forgotten first."""
_SHORTEST: Final = {"PASSWORD": 7, "TOKEN": 7, "SECRET": 12}
"""How long a value of a type has to be for that: shorter ones are words of other sentences too."""

_Detector = Callable[[str], Iterable[Span]]
_DETECTORS: Final[tuple[_Detector, ...]] = (
    patterns.private_keys,
    patterns.tokens,
    pairs.url_passwords,
    pairs.pairs,
    pairs.command_lines,
    pairs.inserted,
    patterns.bearer_and_basic,
    patterns.docker_logins,
    identifiers.emails,
    identifiers.resident_registration_numbers,
    identifiers.cards,
    identifiers.ibans,
    identifiers.phone_numbers,
    patterns.random_strings,
)
"""Where two find overlapping spans, the mask has the type of the earlier one here."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text that may leave. `mapping` is what its masks stand for (mask -> value): it may not."""

    text: str
    mapping: Mapping[str, str] = field(repr=False, default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether anything was masked."""
        return bool(self.mapping)


class Redactor:
    """One session of redaction.

    `mask_ips` masks IP addresses too: off by default, because which host failed is what an incident is about, and the
    addresses inside a system are no personal data; switch it on where the logs hold the addresses of users.
    `own` maps the name of a type to a regular expression (Rust syntax, no look-around: linear time) of what to mask.
    Raises ConfigError for a name or an expression that cannot be used.
    """

    def __init__(self, *, mask_ips: bool = False, own: Mapping[str, str] | None = None) -> None:
        self._own = {_own_name(name): _own_pattern(name, pattern) for name, pattern in (own or {}).items()}
        names = "|".join(sorted({*_TYPES.split(), *self._own}, key=len, reverse=True))
        self._mask = re.compile(rf"<(?:{names})_[1-9][0-9]{{0,8}}>")
        self._held = re.compile(rf"{self._mask.pattern}|{_WILDCARD}")
        self._detectors = _DETECTORS + ((identifiers.ip_addresses,) if mask_ips else ())
        self._mask_of: dict[str, str] = {}
        self._value_of: dict[str, str] = {}
        self._next: dict[str, int] = {}
        self._reserved: set[str] = set()
        self._secrets: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<Redactor: {len(self._value_of)} masks>"

    def mask(self, text: str) -> str:
        """`text` with everything to hide masked. Masking it again changes nothing."""
        for _ in range(_PASSES):
            masked = self._pass(text)
            if masked == text:
                break
            text = masked
        return text

    def redact(self, text: str) -> Redacted:
        """`mask`, with what the masks in the result stand for."""
        masked = self.mask(text)
        found = dict.fromkeys(self._mask.findall(masked)) if masked != text else {}
        return Redacted(masked, {name: self.restore(name) for name in found if name in self._value_of})

    def restore(self, text: str) -> str:
        """`text` with the masks of this session undone. For local output only: never for what is sent or stored."""
        for _ in range(_PASSES):
            restored = self._mask.sub(lambda match: self._value_of.get(match.group(), match.group()), text)
            if restored == text:
                break
            text = restored
        return text

    def _pass(self, text: str) -> str:
        self._reserve(text)
        spans = _merged(self._spans(text), [match.span() for match in self._held.finditer(text)])
        if not spans:
            return text
        parts: list[str] = []
        at = 0
        for span in spans:
            parts += [text[at : span.start], self._mask_for(span.type, text[span.start : span.end])]
            at = span.end
        return "".join([*parts, text[at:]])

    def _spans(self, text: str) -> Iterator[tuple[int, Span]]:
        """Spans of the text with the rank of their detector."""
        for view in views(text):
            for rank, detector in enumerate(self._detectors):
                for span in detector(view.text):
                    if span.end > span.start:
                        yield rank, Span(span.type, *view.origin(span.start, span.end))
            for name, pattern in self._own.items():
                for start, end in _matches(pattern, view.text):
                    yield -1, Span(name, *view.origin(start, end))
        for value, kind in self._secrets.items():
            for start in _occurrences(value, text):
                yield len(self._detectors), Span(kind, start, start + len(value))

    def _reserve(self, text: str) -> None:
        """A log may hold what looks like a mask: that name is never given out, so that it stands for nothing."""
        for match in self._mask.finditer(text):
            if match.group() not in self._value_of:
                self._reserved.add(match.group())

    def _mask_for(self, kind: str, value: str) -> str:
        if value not in self._mask_of:
            number = self._next.get(kind, 1)
            while f"<{kind}_{number}>" in self._reserved:
                number += 1
            self._next[kind] = number + 1
            self._mask_of[value] = f"<{kind}_{number}>"
            self._value_of[f"<{kind}_{number}>"] = value
            self._remember(kind, value)
        return self._mask_of[value]

    def _remember(self, kind: str, value: str) -> None:
        """A secret once known by the words before it is masked without them too, such as where it is a parameter."""
        if _tells(kind, value):
            self._secrets[value] = kind
            if len(self._secrets) > _REMEMBERED:
                del self._secrets[next(iter(self._secrets))]


def _tells(kind: str, value: str) -> bool:
    """Whether a value can be looked for without the words before it: long enough, and no word of a language."""
    plain = value.isalpha() or value.isdigit()
    return _SHORTEST.get(kind, 1 << 30) <= len(value) <= 256 and not plain and not re.search(r"[\s<>]", value)


def _occurrences(value: str, text: str) -> Iterator[int]:
    """Where a value stands as a word of its own."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not (text[at - 1 : at].isalnum() and value[0].isalnum()) and not (
            text[end : end + 1].isalnum() and value[-1].isalnum()
        ):
            yield at
        at = text.find(value, end)


def _merged(found: Iterable[tuple[int, Span]], held: Sequence[tuple[int, int]]) -> list[Span]:
    """Spans in order, overlapping ones joined, masks swallowed whole, spans inside a mask dropped."""
    ranked = sorted(found, key=lambda item: (item[1].start, -item[1].end))
    merged: list[tuple[int, Span]] = []
    for rank, span in ranked:
        if merged and span.start < merged[-1][1].end:
            best, last = merged[-1]
            name = span.type if rank < best else last.type
            merged[-1] = (min(rank, best), Span(name, last.start, max(last.end, span.end)))
        else:
            merged.append((rank, span))
    return _around(merged, held)


def _around(merged: Sequence[tuple[int, Span]], held: Sequence[tuple[int, int]]) -> list[Span]:
    spans: list[Span] = []
    index = 0
    for _, (name, start, end) in merged:
        while index < len(held) and held[index][1] <= start:
            index += 1
        inside = False
        following = index
        while following < len(held) and held[following][0] < end:
            left, right = held[following]
            inside = inside or (left <= start and end <= right)
            start, end = min(start, left), max(end, right)
            following += 1
        if inside:
            continue
        if spans and start < spans[-1].end:
            spans[-1] = Span(spans[-1].type, spans[-1].start, max(end, spans[-1].end))
        else:
            spans.append(Span(name, start, end))
    return spans


def _own_name(name: str) -> str:
    upper = name.strip().upper().replace("-", "_").replace(" ", "_")
    if not _NAME.fullmatch(upper):
        raise ConfigError("redaction_patterns", name, "a type name of letters, digits and _, such as EMPLOYEE_ID")
    return upper


def _own_pattern(name: str, pattern: str) -> str:
    import polars as pl  # slow to import, and few have patterns of their own

    try:
        matches_nothing = bool(pl.Series([""]).str.contains(pattern, strict=True)[0])
    except (pl.exceptions.PolarsError, TypeError) as exc:
        reason = str(exc).strip().splitlines()[-1] if str(exc).strip() else "not a pattern"
        expected = f"a regular expression in Rust syntax, without look-around ({reason})"
        raise ConfigError(f"redaction_patterns.{name}", pattern, expected) from exc
    if matches_nothing:
        raise ConfigError(f"redaction_patterns.{name}", pattern, "a regular expression that does not match empty text")
    return pattern


def _matches(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a pattern of the user's matches: Polars puts a mark that the text does not hold around each match."""
    import polars as pl

    mark = next(char for char in map(chr, range(0xE000, 0xF8FF)) if char not in text)
    marked = str(pl.Series([text]).str.replace_all(pattern, f"{mark}${{0}}{mark}")[0])
    at = 0
    for index, part in enumerate(marked.split(mark)):
        if index % 2 and part:
            yield at, at + len(part)
        at += len(part)
