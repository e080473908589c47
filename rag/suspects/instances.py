"""Which service is a caller's instance of a product: `cart`, which fails on MongoDB, has its data in `cart-db`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_DATABASES: Final = ("db", "database", "store")
_ROLES: Final = {
    "postgres": _DATABASES, "mysql": _DATABASES, "mongodb": _DATABASES, "cassandra": _DATABASES,
    "sqlserver": _DATABASES, "oracle": _DATABASES, "redis": ("cache", "session-store"), "memcached": ("cache",),
    "rabbitmq": ("mq", "queue", "broker"), "kafka": ("mq", "queue", "broker"),
}  # fmt: skip
"""What a service that is an instance of a product is called after its owner's name."""


def instance_of(product: str, caller: str | None, services: Collection[str]) -> str:
    """The service that the caller means by a product, where one is called after the caller and the product's role; else
    the product itself."""
    if caller is None or product in services:
        return product
    wanted = {f"{caller}{dash}{role}".lower() for role in _ROLES.get(product, ()) for dash in "-_"}
    found = [service for service in services if service.lower() in wanted]
    return found[0] if len(found) == 1 else product
