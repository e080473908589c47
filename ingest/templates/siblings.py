"""Siblings: templates of different layouts that are one template, found by their texts.

Eight statements about logs, each an index from a reduced text to templates:

- *pairs*: texts that are equal but for the values after `key=` are one template (quoted, braced and bare values);
- *runs*: texts that are equal but for the length of a run of one wildcard (`<ID> <ID> <ID>`) are one template, whose
  parameter is a list;
- *lists*: texts that are equal but for lists of words with commas between (`[a, b, c]`), of `lists` different lengths,
  are one template;
- *keyed*: texts with the same keys (`key: value`, `key=value`, two at least) are one template, whatever the values;
- *enclosed*: texts that are equal but for what stands in brackets of one kind, or in quotes, are one template (single
  quotes: from `quoted` of them on);
- *actors*: see `ingest.templates.actors`;
- *tails*: texts that begin alike up to a colon are one template where `tails` of them go on in as many ways, of several
  lengths: they end in free text;
- *fans*: texts that are equal but for one blank-separated word are one template where that word is a mere value in one
  of them (only wildcards and punctuation); where `bearing` of them hold a wildcard among letters; or, for the first
  word, from `first` plain ones on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.templates import skeletons
from ingest.templates.alignment import aligned
from ingest.templates.words import GENERAL, WILD, WILDCARD

_BRACED: Final = r"[^\s,;(){}\[\]]*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_PAIR_VALUE: Final = re.compile(rf"(?<=[0-9A-Za-z_)>\]]=)(?:\"[^\"]*\"|'[^']*'|{_BRACED}|[^\s,;)\]}}]+)")
_PLAIN: Final = r"[^\s,;:=<>(){}\[\]\"']*"
_RUN: Final = re.compile(rf"({_PLAIN}{WILD}{_PLAIN})(?:[ ,]+\1)+(?![^\s,;:=(){{}}\[\]\"'])")
_ITEM: Final = r"[^\s,;:=(){}\[\]\"']+"
_LIST: Final = re.compile(rf"(?<![^\s(\[{{:=]){_ITEM}(?:, ?{_ITEM})+(?=[\s)\]}}.]|$)|(?<=\[){_ITEM}(?=\])")
_BRACKETS: Final = re.compile(rf"\[{_ITEM}(?:, ?{_ITEM})*\]")
_CHUNK: Final = re.compile(r"[^\s=]*=|[^\s=]+")
_ONLY_WILDCARDS: Final = re.compile(rf"(?:[^0-9A-Za-z<>]*{WILD})+[^0-9A-Za-z<>]*")
_NAME: Final = re.compile(rf"(?:[\w./@#-]|{WILD})+[:,]?")
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")
_FEW_DIFFERENCES: Final = 2
_CORE: Final = re.compile(r"[0-9A-Za-z<]")


@dataclass(frozen=True, slots=True)
class SiblingRules:
    """Which siblings join, and from how many on."""

    pairs: bool = True
    runs: bool = True
    fans: bool = True
    keyed: bool = True
    enclosed: bool = True
    quoted: int = 3
    actors: bool = True
    tails: int = 8
    lists: int = 3
    bearing: int = 3
    bearing_first: int = 2
    first: int = 20


def chunks(text: str) -> list[str]:
    """The blank-separated words of a text; `key=` is a word of its own."""
    return _CHUNK.findall(text)


def keys(text: str, rules: SiblingRules) -> Iterator[tuple[str, int, int]]:
    """The keys under which a text may find siblings: (rule, position, hash of the reduced text)."""
    if rules.pairs and "=" in text:
        reduced = _PAIR_VALUE.sub("\x00", text)
        if reduced != text and len(_LETTERS.findall(WILDCARD.sub("", reduced))) >= 2:
            yield "pairs", 0, hash(reduced)
    if rules.runs:
        yield "runs", 0, hash(_RUN.sub(r"\1", text))
    if rules.lists and ("," in text or "[" in text or GENERAL in text):
        reduced, lists = _LIST.subn(GENERAL, _RUN.sub(r"\1", text))
        if lists or GENERAL in text:
            yield "lists", 0, hash(reduced)
    if rules.keyed and (reduced_keys := skeletons.skeleton(text)) is not None:
        yield "keyed", 0, hash(reduced_keys)
    if rules.enclosed:
        for kind, reduced in skeletons.emptied(text):
            yield "enclosed", ord(kind), hash(reduced)
    if rules.tails:
        for beginning in skeletons.beginnings(text):
            yield "tails", len(beginning), hash(beginning)
    if rules.fans:
        parts = [WILDCARD.sub(GENERAL, part) for part in chunks(text)]
        lettered = [bool(_LETTERS.search(part.replace(GENERAL, ""))) for part in parts]
        total = sum(lettered)
        prefix = 0
        suffixes = [0] * (len(parts) + 1)
        for at in range(len(parts) - 1, -1, -1):
            suffixes[at] = hash((parts[at], suffixes[at + 1]))
        for at, part in enumerate(parts):
            if total - lettered[at] >= 1:
                yield "fans", at, hash((len(parts), at, prefix, suffixes[at + 1]))
            prefix = hash((prefix, part))


def together(rule: str, at: int, texts: Mapping[int, str], rules: SiblingRules) -> list[int]:
    """Which of some texts that share a key of `rule` are one template (none, or two and more), by id."""
    if len(texts) < 2:
        return []
    if rule == "lists":
        return _lists(texts, rules)
    if rule == "enclosed":
        return sorted(texts) if at != ord("'") or len(texts) >= rules.quoted else []
    if rule == "tails":
        return sorted(texts) if skeletons.are_free({text[at:] for text in texts.values()}, rules.tails) else []
    if rule != "fans":
        return sorted(texts)
    values = {each: _chunk(text, at) for each, text in texts.items()}
    pure = [each for each, value in values.items() if _ONLY_WILDCARDS.fullmatch(value)]
    bearing = [each for each, value in values.items() if WILDCARD.search(value) and each not in pure]
    plain = [each for each, value in values.items() if not WILDCARD.search(value)]
    if at == 0 and len({values[each] for each in plain}) >= rules.first:
        group = [*pure, *bearing, *plain]
    elif at == 0:
        names = [each for each in bearing if _NAME.fullmatch(values[each])]
        group = [*pure, *names] if pure or len({values[each] for each in names}) >= rules.bearing_first else []
    elif pure:
        group = [*pure, *bearing, *plain]
    elif len({values[each] for each in bearing}) >= rules.bearing:
        group = bearing
    else:
        group = []
    return sorted(group) if len(group) > 1 else []


def _lists(texts: Mapping[int, str], rules: SiblingRules) -> list[int]:
    """Lists of enough lengths; and with a template that such lists made already, lists that can be nothing else."""
    lengths = {each: text.count(",") for each, text in texts.items()}
    if len(set(lengths.values())) >= rules.lists:
        return sorted(texts)
    made = [each for each, text in texts.items() if _LIST.sub(GENERAL, text) == text]
    clear = [each for each, text in texts.items() if each not in made and (lengths[each] > 1 or _BRACKETS.search(text))]
    return sorted([*made, *clear]) if made and clear else []


def _chunk(text: str, at: int) -> str:
    found = chunks(text)
    return found[at] if at < len(found) else ""


def unify(texts: Sequence[str]) -> str:
    """The text of one template that several texts are versions of. Does not depend on their order."""
    ordered = sorted(set(texts), key=lambda text: (len(text), text))
    result = ordered[0]
    for text in ordered[1:]:
        result = _unify(result, text)
    return result


def _unify(a: str, b: str) -> str:
    left, right = chunks(a), chunks(b)
    if len(left) != len(right):
        a, b = _RUN.sub(r"\1", a), _RUN.sub(r"\1", b)
        left, right = chunks(a), chunks(b)
    if len(left) != len(right):
        one, other = _LIST.sub(GENERAL, a), _LIST.sub(GENERAL, b)
        if one == other:
            return one
    if len(left) != len(right):
        return aligned(a, b)
    pieces, last = [], 0
    for match, ours, theirs in zip(_CHUNK.finditer(a), left, right, strict=True):
        pieces.append(a[last : match.start()])
        pieces.append(ours if ours == theirs else _general(ours, theirs))
        last = match.end()
    unified = "".join([*pieces, a[last:]])
    if sum(ours != theirs for ours, theirs in zip(left, right, strict=True)) <= _FEW_DIFFERENCES:
        return unified
    return max(unified, aligned(a, b), key=_letters)  # as many words, but not the same ones side by side


def _letters(text: str) -> int:
    return sum(map(str.isalpha, WILDCARD.sub("", text)))


def _general(a: str, b: str) -> str:
    """Two values of one place: a wildcard between the punctuation that both have."""
    lead, trail = 0, 0
    while lead < min(len(a), len(b)) and a[lead] == b[lead] and not _CORE.match(a[lead]):
        lead += 1
    while trail < min(len(a), len(b)) - lead and a[-1 - trail] == b[-1 - trail] and _is_edge(a[-1 - trail]):
        trail += 1
    return a[:lead] + GENERAL + a[len(a) - trail :]


def _is_edge(char: str) -> bool:
    return not char.isalnum() and char != ">"
