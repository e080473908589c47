"""A report that may leave the machine: every text in it masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel

from report.models import EvidenceModel, IncidentModel, Report

_CLOSED: Final = frozenset(
    ["schema_", "timezone", "fingerprint", "template_id", "level", "status", "kind", "category", "verdict"]
)
"""Fields that hold CALI's own words and ids, never text of a log."""


def masked(report: Report, mask: Callable[[str], str]) -> Report:
    """The report with `mask` (such as `core.redaction.Redactor.mask`) applied to every text that may come from a log.

    Evidence whose text it changes becomes `redacted`. Ids of incidents and of evidence stay: they hold no text.
    """
    result = _masked(report, mask)
    assert isinstance(result, Report)
    return result


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(value, BaseModel):
        changed = {
            name: _masked(getattr(value, name), mask)
            for name in type(value).model_fields
            if name not in _CLOSED and not (name == "id" and isinstance(value, IncidentModel))
        }
        if isinstance(value, EvidenceModel):
            changed["redacted"] = value.redacted or changed["text"] != value.text
        return value.model_copy(update=changed)
    if isinstance(value, tuple):
        return tuple(_masked(item, mask) for item in value)
    if isinstance(value, dict):
        return {_masked(key, mask): _masked(item, mask) for key, item in value.items()}
    return mask(value) if type(value) is str else value
