"""Documents and templates as rows of the store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from core.domain import LogTemplate
from core.errors import InputError
from rag.memory import codec
from rag.memory.filters import NO_TIME, micros, services_field
from rag.memory.index import Entry, Vector

MAX_VARCHAR: Final = 65_535
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def document_row(entry: Entry) -> dict[str, Any]:
    """The row of a document. Raises InputError where it is too large for the store."""
    document = entry.document
    payload = codec.dumps(document)
    if len(payload.encode()) > MAX_VARCHAR:
        raise InputError(f"document {document.id} is too large to be remembered: {len(payload):,} characters of JSON")
    return {
        "id": document.id,
        "kind": document.kind.value,
        "tenant": document.tenant,
        "level": document.level or "",
        "outcome": document.outcome.value,
        "fingerprint": document.fingerprint or "",
        "services": services_field(document.services),
        "starts_at": NO_TIME if document.starts_at is None else micros(document.starts_at),
        "confirmed": document.confirmed,
        "rejected": document.rejected,
        "payload": payload,
        "terms": entry.terms or "-",
        "shapes": entry.shapes or "-",
        "dense": entry.vector,
    }


def template_row(template: LogTemplate, vector: Vector) -> dict[str, Any]:
    """The row of a template."""
    value = {
        "text": template.text[:20_000],
        "version": template.version,
        "count": template.count,
        "severity": template.severity,
        "service": template.service,
        "first_seen": template.first_seen,
        "last_seen": template.last_seen,
    }
    return {"template_id": template.template_id, "payload": orjson.dumps(value).decode(), "dense": vector}


def to_template(row: Mapping[str, Any]) -> LogTemplate:
    """The template of a row."""
    value = orjson.loads(row["payload"])
    first, last = value["first_seen"], value["last_seen"]
    return LogTemplate(
        template_id=int(row["template_id"]),
        text=value["text"],
        version=value["version"],
        count=value["count"],
        severity=value["severity"],
        service=value["service"],
        first_seen=codec.parse_time(first) if first else None,
        last_seen=codec.parse_time(last) if last else None,
    )


def to_time(value: int) -> datetime | None:
    """The time of a row's microseconds."""
    return None if value == NO_TIME else _EPOCH + timedelta(microseconds=value)
