"""Findings with personal data and secrets masked: for every form of a report that goes to other people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeVar

from core.domain import Evidence
from core.findings import Findings
from rag.material import Masker

T = TypeVar("T")

_NAMES: Final = frozenset(
    {"source", "id", "fingerprint", "level", "status", "kind", "category", "model", "prompt_version"}
)
"""Fields that name a thing and hold no log text; a citation must stay one."""


def mask_findings(findings: Findings, masker: Masker) -> Findings:
    """The findings with every text masked; evidence that changed says `redacted`. One session: the same value has the
    same mask everywhere in the report."""
    return _masked(findings, masker)


def _masked(value: T, masker: Masker) -> T:
    result: Any = value
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        result = masker.mask(value)
    elif isinstance(value, tuple):
        result = tuple(_masked(item, masker) for item in value)
    elif isinstance(value, Mapping):
        result = {key: _masked(item, masker) for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _masked(getattr(value, field.name), masker)
            for field in fields(value)
            if field.name not in _NAMES
        }
        result = replace(value, **changed)
        if isinstance(result, Evidence) and isinstance(value, Evidence) and result.text != value.text:
            result = replace(result, redacted=True)
    return result  # type: ignore[no-any-return]  # a value of the type that came in
