"""Do citations resolve? `source:position` must exist in the case's logs, and the quoted text be that line.

A citation resolves when the file is one of the case's logs, has that line, and the text equals it (ends of lines
apart). In `.jsonl` envelopes the text may be the line or the first line of its `message`. Typed masks (`<EMAIL_1>`)
in a quote stand for up to four words. Measured: share of all citations of a case's suspects that resolve.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from eval.system import PredictedEvidence

_MASK: Final = re.compile(r"<[A-Z][A-Z_]*_\d+>")

_MASKED: Final = r"\S+(?: \S+){0,3}"  # a phone number or a key header has spaces; a sentence is no secret


def resolved(citations: Iterable[PredictedEvidence], files: Mapping[str, Path]) -> list[bool]:
    """Whether each citation resolves, in order. `files`: the readable file of each name that may be cited."""
    wanted = list(citations)
    lines = {
        name: _lines(files[name], {c.position for c in wanted if c.source == name}) for name in _names(wanted, files)
    }
    return [_quotes(c.text, lines.get(c.source, {}).get(c.position)) for c in wanted]


def _names(citations: Iterable[PredictedEvidence], files: Mapping[str, Path]) -> list[str]:
    return sorted({c.source for c in citations if c.source in files})


def _lines(path: Path, positions: set[int]) -> dict[int, str]:
    """The lines at some positions; only `\\n` ends a line."""
    found: dict[int, str] = {}
    last = max(positions, default=0)
    with path.open("rb") as source:
        for number, raw in enumerate(source, 1):
            if number in positions:
                found[number] = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            if number >= last:
                break
    return found


def _quotes(text: str, line: str | None) -> bool:
    if line is None:
        return False
    quoted = text.rstrip("\r\n")
    candidates = [line, *_message(line)]
    if quoted in candidates:
        return True
    if not _MASK.search(quoted):
        return False
    pattern = re.compile(_MASKED.join(re.escape(part) for part in _MASK.split(quoted)))
    return any(pattern.fullmatch(candidate) for candidate in candidates)


def _message(line: str) -> list[str]:
    if not line.startswith("{"):
        return []
    try:
        message = json.loads(line).get("message")
    except (ValueError, AttributeError):
        return []
    return [message.split("\n", 1)[0].rstrip("\r")] if isinstance(message, str) else []
