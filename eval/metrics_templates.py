"""Metrics of template mining, as Loghub-2.0 defines them.

Source: Jiang et al., "A Large-Scale Evaluation for Log Parsing Techniques: How Far Are We?" (ISSTA 2024) and its
benchmark (logpai/loghub-2.0). GA is of Zhu et al. (ICSE-SEIP 2019), PA of Dai et al. (Logram, TSE 2020), template
accuracy of Khan et al. (ICSE 2022). Texts are compared as strings, as the benchmark does, with typed wildcards written
`<*>`; `form=normalise` first applies the rules of its post-processing to both sides.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Final

_TYPED: Final = re.compile(r"<(?:\*|[A-Z][A-Z0-9_]*)>")
_SPACES: Final = re.compile(r"\s+")
_DELIMITERS: Final = re.compile(r"([\s,!;:=|\"'\[\](){}.\-+@#$%&])")
_DIGITS: Final = re.compile(r"\d+")
_CONCATENATED: Final = re.compile(r"[^\s/]*<\*>[^\s/]*")
_JOINED: Final = re.compile(r"<\*>(?:[:#/@.]?<\*>)+")


def untyped(template: str) -> str:
    """A template with every typed wildcard (`<NUM>`) written `<*>`."""
    return _TYPED.sub("<*>", template)


def normalise(template: str) -> str:
    """A template in the form in which Loghub-2.0 compares: wildcards are `<*>`, spaces single, digits and words that
    are joined to a wildcard are wildcards, adjacent wildcards (also across `. : # / @`) are one.
    """
    text = _SPACES.sub(" ", untyped(template).strip())
    parts = []
    for part in _DELIMITERS.split(text):
        if _DIGITS.fullmatch(part) or (_CONCATENATED.fullmatch(part) and part != "<*>/<*>"):
            part = "<*>"
        parts.append(part)
    text = _JOINED.sub("<*>", "".join(parts))
    text = re.sub(r"(?<= )#<\*>#?(?= )", "<*>", text)
    text = re.sub(r"(?<= )(?:\"<\*>\"|'<\*>')(?= )", "<*>", text)
    return _JOINED.sub("<*>", text)


def _groups(ids: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for row, each in enumerate(ids):
        groups[each].append(row)
    return groups


def _correct_groups(predicted: Sequence[Hashable], true: Sequence[Hashable]) -> list[int]:
    """Sizes of the predicted groups that hold exactly the rows of one true group."""
    if len(predicted) != len(true):
        raise ValueError(f"{len(predicted)} predictions for {len(true)} rows")
    sizes = Counter(true)
    correct = []
    for rows in _groups(predicted).values():
        first = true[rows[0]]
        if len(rows) == sizes[first] and all(true[row] == first for row in rows):
            correct.append(len(rows))
    return correct


def grouping_accuracy(predicted_ids: Sequence[Hashable], true_ids: Sequence[Hashable]) -> float:
    """GA in [0, 1]: the share of messages whose predicted group has exactly the messages of a true group."""
    return sum(_correct_groups(predicted_ids, true_ids)) / len(true_ids) if true_ids else 1.0


def fga(predicted_ids: Sequence[Hashable], true_ids: Sequence[Hashable]) -> float:
    """F1 of grouping accuracy in [0, 1]: exactly right groups against predicted groups and true groups."""
    if not true_ids:
        return 1.0
    return 2 * len(_correct_groups(predicted_ids, true_ids)) / (len(set(predicted_ids)) + len(set(true_ids)))


def parsing_accuracy(predicted: Sequence[str], true: Sequence[str], form: Callable[[str], str] = untyped) -> float:
    """PA in [0, 1]: the share of messages whose template equals the true one, both in `form`."""
    if len(predicted) != len(true):
        raise ValueError(f"{len(predicted)} predictions for {len(true)} rows")
    if not true:
        return 1.0
    forms = {text: form(text) for text in {*predicted, *true}}
    return sum(forms[p] == forms[t] for p, t in zip(predicted, true, strict=True)) / len(true)


def fta(predicted: Sequence[str], true: Sequence[str], form: Callable[[str], str] = untyped) -> float:
    """F1 of template accuracy in [0, 1]: a predicted template is right where every message it holds has that very
    template in truth; counted against predicted templates (precision) and true templates (recall)."""
    if len(predicted) != len(true):
        raise ValueError(f"{len(predicted)} predictions for {len(true)} rows")
    if not true:
        return 1.0
    forms = {text: form(text) for text in {*predicted, *true}}
    truth: dict[str, set[str]] = defaultdict(set)
    for p, t in zip(predicted, true, strict=True):
        truth[forms[p]].add(forms[t])
    right = sum(found == {text} for text, found in truth.items())
    return 2 * right / (len(truth) + len({forms[t] for t in true}))
