"""Which program wrote a record, where neither a field nor the file says so.

A file that several programs write into (a terminal's, a collector's) has no service of its own; the name of the logger,
the module of the deepest own frame, or the shape of the line still tell whose record it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.domain import LogRecord
from core.stackframes import is_library
from core.stacktrace import StackTrace, root_frame

_PLAIN: Final = frozenset(
    re.findall(
        r"\w+",
        "root main app src lib libs cmd internal pkg server service services api core common utils util handlers "
        "handler py warnings com org io net dev java logging logger log console default asyncio uvicorn gunicorn "
        "werkzeug flask django sqlalchemy urllib3 requests httpx celery kombu kafka aiohttp botocore boto3 tornado "
        "twisted alembic pika redis psycopg2 pymongo access error stdout stderr usr opt home var tmp webpack "
        "node_modules source tests",
    )
)
"""Names that say nothing about which program it is: folders, loggers of frameworks."""

_POSTGRES: Final = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* \w+ \[\d+\].{0,80}?\b(?:LOG|ERROR|FATAL|PANIC|DETAIL|HINT|STATEMENT|WARNING): "
)
_REDIS: Final = re.compile(r"^\d+:[MSCX] \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} [*#.-] ")
_ACCESS: Final = re.compile(r'^\S+ \S+ \S+ \[[^\]]+\] "(?:[A-Z]+ [^"]*|-)" \d{3} ')
_NGINX: Final = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] \d+#\d+: ")
_KLOG: Final = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\.go:\d+\] ")
_SHAPES: Final = (
    (_POSTGRES, ("postgres", "postgresql", "db", "database")),
    (_REDIS, ("redis", "cache")),
    (_ACCESS, ("gateway", "nginx", "ingress", "proxy", "frontend")),
    (_NGINX, ("gateway", "nginx", "ingress", "proxy", "frontend")),
    (_KLOG, ("kubelet", "kubernetes")),
)


_ABBREVIATED: Final = frozenset({("o", "s"), ("o", "a"), ("o", "h"), ("c", "z"), ("o", "e"), ("o", "p"), ("c", "f")})
"""Logback's short forms of org.springframework, org.apache, org.hibernate, com.zaxxer and other libraries."""


def program_of(record: LogRecord, traces: Sequence[StackTrace], logger: str | None) -> str | None:
    """The program that wrote a record, by its logger, its own frames, or the shape of its line; None where unknown."""
    for key in ("service", "app", "application", "service_name", "serviceName"):
        value = record.attributes.get(key)
        if isinstance(value, str) and value:
            return value
    if logger is not None and not is_library(None, logger) and "/" not in logger and ".go" not in logger:
        name = _of_module(logger)
        if name is not None:
            return name
    found = root_frame(traces)
    if found is not None and found[1].file is not None:
        name = _of_module(found[1].file.rsplit(".", 1)[0].replace("/", "."))
        if name is not None:
            return name
    return next((names[0] for pattern, names in _SHAPES if pattern.match(record.line)), None)


def _of_module(dotted: str) -> str | None:
    """The program in a module's name: `checkout.api.orders` -> `checkout`, `com.acme.payment.ledger` -> `payment`."""
    parts = [part for part in re.split(r"[.:$/]", dotted) if part]
    if tuple(parts[:2]) in _ABBREVIATED:
        return None
    reversed_domain = parts[:1] in (["com"], ["org"], ["io"], ["net"], ["dev"], ["de"], ["co"])
    shortened = all(len(part) == 1 for part in parts[:2])  # by logback: o.b.payment.api.X
    if len(parts) > 2 and (reversed_domain or shortened):
        parts = parts[2:]
    if len(parts) < 2:
        return None
    name = parts[0]
    return name if re.fullmatch(r"[a-z][a-z0-9_-]{2,}", name) and name not in _PLAIN else None
