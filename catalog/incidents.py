"""Incidents found so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, delete, insert, or_, select

from catalog.engine import Catalog
from catalog.schema import incidents
from catalog.times import to_microseconds
from core.domain import Incident


@cache
def _adapter() -> TypeAdapter[Incident]:
    return TypeAdapter(Incident)


def save(connection: Connection, found: Sequence[Incident]) -> None:
    """Stores incidents by id, inside a transaction of the caller's; saving one again replaces it."""
    if not found:
        return
    rows = {
        incident.id: {
            "id": incident.id,
            "fingerprint": incident.fingerprint,
            "level": incident.level,
            "status": incident.status,
            "starts_at": to_microseconds(incident.starts_at),
            "ends_at": to_microseconds(incident.ends_at),
            "title": incident.title,
            "services": orjson.dumps(incident.services).decode(),
            "document": _adapter().dump_json(incident).decode(),
        }
        for incident in found
    }
    connection.execute(delete(incidents).where(incidents.c.id.in_(rows)))
    connection.execute(insert(incidents), list(rows.values()))


class CatalogIncidents:
    """The catalog as `core.ports.IncidentStore`."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def save(self, found: Sequence[Incident]) -> None:
        """Stores incidents by id, in a transaction of its own."""
        with self._catalog.transaction() as connection:
            save(connection, found)

    def get(self, incident_id: str) -> Incident | None:
        """The incident of an id, or of a prefix that only one has."""
        statement = (
            select(incidents.c.document)
            .where(incidents.c.id.startswith(incident_id, autoescape=True))
            .order_by(incidents.c.id)
            .limit(2)
        )
        with self._catalog.transaction() as connection:
            exact = connection.scalar(select(incidents.c.document).where(incidents.c.id == incident_id))
            documents = [exact] if exact is not None else list(connection.scalars(statement))
        return _adapter().validate_json(documents[0]) if len(documents) == 1 else None

    def list(self, start: datetime | None, end: datetime | None, service: str | None, limit: int) -> Sequence[Incident]:
        """Incidents that touch [start, end], newest first; those without a time come last."""
        conditions = []
        if start is not None:
            conditions.append(or_(incidents.c.ends_at >= to_microseconds(start), incidents.c.ends_at.is_(None)))
        if end is not None:
            conditions.append(or_(incidents.c.starts_at <= to_microseconds(end), incidents.c.starts_at.is_(None)))
        if service is not None:
            # The list is JSON text: a quoted name cannot be part of another one.
            conditions.append(incidents.c.services.contains(orjson.dumps(service).decode(), autoescape=True))
        statement = (
            select(incidents.c.document)
            .where(and_(True, *conditions))
            .order_by(incidents.c.starts_at.desc().nulls_last(), incidents.c.id)
            .limit(limit)
        )
        with self._catalog.transaction() as connection:
            return [_adapter().validate_json(document) for document in connection.scalars(statement)]
