"""Memory documents as JSON: what the store keeps, and what `export` writes and `import` reads.

One object per document; `schema` is `cali.memory/1`. Times are RFC 3339 in UTC, template ids 16 hex digits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import orjson

from core.errors import InputError
from core.memory import Feedback, MemoryDocument, MemoryKind, Outcome
from core.severity import LEVELS
from core.template_ids import template_from_hex, template_hex

SCHEMA: Final = "cali.memory/1"

_E = TypeVar("_E", MemoryKind, Outcome)


def to_json(document: MemoryDocument) -> dict[str, Any]:
    """The JSON object of a document."""
    return {
        "schema": SCHEMA,
        "id": document.id,
        "kind": document.kind.value,
        "title": document.title,
        "text": document.text,
        "services": list(document.services),
        "level": document.level,
        "starts_at": _time(document.starts_at),
        "ends_at": _time(document.ends_at),
        "tenant": document.tenant,
        "outcome": document.outcome.value,
        "fingerprint": document.fingerprint,
        "template_ids": [template_hex(template_id) for template_id in document.template_ids],
        "cause": document.cause,
        "fix": document.fix,
        "source": document.source,
        "labels": dict(sorted(document.labels.items())),
        "feedback": [_of_feedback(entry) for entry in document.feedback],
    }


def from_json(value: object) -> MemoryDocument:
    """The document of a JSON object. Raises InputError naming the field that is wrong."""
    if not isinstance(value, dict):
        raise InputError(f"a memory document is a JSON object, not {type(value).__name__}")
    if (schema := value.get("schema", SCHEMA)) != SCHEMA:
        raise InputError(f"schema {schema!r} is unknown; this version reads {SCHEMA}")
    fields = _Fields(value)
    document_id = fields.text("id")
    if not document_id:
        raise InputError("field id is missing")
    level = fields.text("level") or None
    if level is not None and level not in LEVELS:
        raise InputError(f"field level: {level!r}; expected one of {', '.join(LEVELS)}")
    return MemoryDocument(
        id=document_id,
        kind=_choice(MemoryKind, "kind", fields.text("kind") or "incident"),
        title=fields.text("title") or document_id,
        text=fields.text("text"),
        services=fields.texts("services"),
        level=level,
        starts_at=fields.time("starts_at"),
        ends_at=fields.time("ends_at"),
        tenant=fields.text("tenant") or "default",
        outcome=_choice(Outcome, "outcome", fields.text("outcome") or "open"),
        fingerprint=fields.text("fingerprint") or None,
        template_ids=tuple(_template(text) for text in fields.texts("template_ids")),
        cause=fields.text("cause") or None,
        fix=fields.text("fix") or None,
        source=fields.text("source") or None,
        labels={str(key): str(text) for key, text in fields.mapping("labels").items()},
        feedback=tuple(_to_feedback(document_id, entry) for entry in fields.objects("feedback")),
    )


def dumps(document: MemoryDocument) -> str:
    """A document as one line of JSON."""
    return orjson.dumps(to_json(document)).decode()


def loads(text: str | bytes) -> MemoryDocument:
    """The document of one line of JSON. Raises InputError."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise InputError(f"no valid JSON: {exc}") from exc
    return from_json(value)


def parse_time(text: str) -> datetime:
    """A time of RFC 3339 in UTC; one without a zone is taken as UTC. Raises ValueError."""
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Fields:
    """Typed access to a JSON object; errors name the field."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value

    def text(self, name: str) -> str:
        value = self._value.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InputError(f"field {name}: text expected, not {type(value).__name__}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._value.get(name) or []
        if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
            raise InputError(f"field {name}: a list of texts expected")
        return tuple(values)

    def objects(self, name: str) -> list[dict[str, Any]]:
        values = self._value.get(name) or []
        if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
            raise InputError(f"field {name}: a list of objects expected")
        return values

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._value.get(name) or {}
        if not isinstance(value, dict):
            raise InputError(f"field {name}: an object expected")
        return value

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return parse_time(text)
        except ValueError as exc:
            raise InputError(f"field {name}: {text!r} is no RFC 3339 time") from exc


def _of_feedback(entry: Feedback) -> dict[str, Any]:
    return {
        "verdict": entry.verdict,
        "at": _time(entry.at),
        "by": entry.by,
        "cause": entry.cause,
        "fix": entry.fix,
        "worked": entry.worked,
        "note": entry.note,
    }


def _to_feedback(document_id: str, value: dict[str, Any]) -> Feedback:
    fields = _Fields(value)
    verdict, at, worked = value.get("verdict"), fields.time("at"), value.get("worked")
    if verdict not in ("confirm", "reject") or at is None or not (worked is None or isinstance(worked, bool)):
        raise InputError("field feedback: verdict (confirm or reject), at (RFC 3339) and worked (true, false, null)")
    return Feedback(
        incident_id=document_id,
        verdict=verdict,
        at=at,
        by=fields.text("by"),
        cause=fields.text("cause") or None,
        fix=fields.text("fix") or None,
        worked=worked,
        note=fields.text("note"),
    )


def _choice(kind: type[_E], name: str, text: str) -> _E:
    try:
        return kind(text)
    except ValueError as exc:
        raise InputError(f"field {name}: {text!r}; expected one of {', '.join(kind)}") from exc


def _template(text: str) -> int:
    try:
        return template_from_hex(text)
    except ValueError as exc:
        raise InputError(f"field template_ids: {exc}") from exc


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
