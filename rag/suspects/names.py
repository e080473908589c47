"""Which other services and dependencies a message names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from rag.kubernetes import workload

PORTS: Final = {
    "5432": "postgres",
    "6432": "postgres",
    "3306": "mysql",
    "6379": "redis",
    "9092": "kafka",
    "5672": "rabbitmq",
    "27017": "mongodb",
    "9200": "elasticsearch",
    "11211": "memcached",
    "2379": "etcd",
    "2181": "zookeeper",
    "1433": "sqlserver",
    "1521": "oracle",
    "9042": "cassandra",
    "389": "ldap",
    "636": "ldap",
    "25": "smtp",
    "587": "smtp",
    "8200": "vault",
    "4222": "nats",
    "6443": "kubernetes",
}
"""What usually listens on a port (IANA and the products' defaults)."""

_WORDS: Final = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "psycopg2": "postgres",
    "psqlexception": "postgres",
    "pgbouncer": "postgres",
    "sqlstate": "postgres",
    "pgx": "postgres",
    "pgconn": "postgres",
    "jedis": "redis",
    "lettuce": "redis",
    "mysql": "mysql",
    "pymysql": "mysql",
    "mariadb": "mysql",
    "redis": "redis",
    "kafka": "kafka",
    "rabbitmq": "rabbitmq",
    "amqp": "rabbitmq",
    "mongodb": "mongodb",
    "mongo": "mongodb",
    "elasticsearch": "elasticsearch",
    "memcached": "memcached",
    "etcd": "etcd",
    "zookeeper": "zookeeper",
    "cassandra": "cassandra",
    "vault": "vault",
    "sqlclient": "sqlserver",
    "sqlserver": "sqlserver",
    "mssql": "sqlserver",
    "clickhouse": "clickhouse",
    "influxdb": "influxdb",
    "couchdb": "couchdb",
    "smtp": "smtp",
    "ldap": "ldap",
    "nats": "nats",
}
"""Words that stand for a dependency, lower case."""

_ADDRESS: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]{1,15})://(?:[^\s/@]*@)?)?"
    r"(?P<host>\d{1,3}(?:\.\d{1,3}){3}|[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9][\w-]*)*)(?::(?P<port>\d{2,5}))\b"
    r"|(?P<scheme2>[a-z][a-z0-9+.-]{1,15})://(?:[^\s/@]*@)?(?P<host2>[A-Za-z0-9][\w.-]*[A-Za-z0-9])"
)
_TOKEN: Final = re.compile(r"[A-Za-z][\w-]*[A-Za-z0-9]")
_SUFFIX: Final = re.compile(
    r"[-_](?:service|svc|server|headless|primary|replica|master|leader|cluster|db|0|1)$|service$"
)
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "localhost.localdomain"})
_NUMBERS: Final = frozenset(
    re.findall(
        r"\w+",
        "uid gid pid tid id line port code status errno error size count offset seq index epoch term version uuid",
    )
)
"""Names of numbers: `uid:112` is no host with its port."""
_ROLE: Final = re.compile(r"db|database|sql|cache|queue|broker|bus|store|mq|auth|mail|dns")
"""What a service that stands for a product may be called; a host that is not called so is the machine it runs on."""
SOURCE_FILE: Final = re.compile(
    r"\.(?:py|pyx|go|[cm]?js|jsx|ts|tsx|vue|java|kts?|groovy|clj|scala|rb|rs|cs|fs|vb|php|c|cc|cpp|cxx|hh?|hpp|hxx|swift|lua"
    r"|exs?|erl|hs|sql|html?|ya?ml|toml|json|xml|ini|conf|log)$"
)


_OWN_NAMES: Final = re.compile(r'\b(?:client|server|host|referr?er): \\?"?[^\s",]+"?')


def without_own_names(text: str) -> str:
    """A proxy's error without what it adds: the client's address and the names that it serves itself."""
    return _OWN_NAMES.sub(" ", text)


def is_product(name: str) -> bool:
    """Whether a service is named after a database, cache or broker: what others depend on."""
    return any(product in simple(name) for product in _WORDS.values()) or simple(name) in ("db", "database")


def simple(name: str) -> str:
    """The bare name of a service: `Payment-Service` -> `payment`."""
    lowered = name.lower().replace("_", "-")
    stripped = _SUFFIX.sub("", lowered)
    return stripped or lowered


def named(text: str, services: Collection[str]) -> Iterator[str]:
    """Services, and dependencies outside them, that a text names; each once, in order of appearance.

    A known service is matched by its name, with or without `-service`, as a word or as the first label of a host.
    Dependencies that no service stands for are given by their product (`postgres`) or their host; a host outside the
    cluster by its full name.
    """
    known = _by_name(services)
    seen: set[str] = set()
    abroad = list(outside(text, services))
    inside = text
    for host in abroad:
        inside = re.sub(re.escape(host), " ", inside, flags=re.IGNORECASE)  # its labels are no names of services
    for candidate in (
        *((host, True) for host in abroad if host.count(".") >= 2),
        *_hosts(inside, known),
        *_tokens(inside),
    ):
        if candidate[0] in _WORDS.values() and any(candidate[0] in host for host in seen):
            continue  # `mongodb` after `orders-mongodb:27017`
        resolved = _resolve(candidate, known)
        if resolved is not None and resolved not in seen:
            if resolved in _WORDS.values() and any(resolved in host for host in seen):
                continue  # `redis` after `redis-cart:6379`
            seen.add(resolved)
            yield resolved


def _by_name(services: Collection[str]) -> dict[str, str]:
    """Services by their full and their bare names; a bare one that two share (`cart`, `cart-db`) is the shorter's."""
    ordered = sorted(services, key=lambda service: (-len(service), service))
    return {simple(service): service for service in ordered} | {service.lower(): service for service in ordered}


_INSIDE: Final = re.compile(r"(?:^|\.)(?:svc|cluster|local|localdomain|internal|lan|intra|corp|pod)(?:\.|$)")
_PEER: Final = re.compile(
    r"(?:https?|smtps?|amqps?|rediss?|postgres(?:ql)?|mongodb|wss?|grpc|tcp|ldaps?)://(?:[^\s/@]*@)?(?P<url>[a-z0-9.-]+)"
    r"|(?P<port>(?:[a-z0-9-]+\.)+[a-z]{2,18}):\d{2,5}\b"
    r"|(?:host(?:name)?|upstream|peer|server|address|domain|remote|target|endpoint|resolve|lookup|exception|ENOTFOUND|EAI_AGAIN)"
    r"[\"'`\\:=() ]{1,6}(?P<named>(?:[a-z0-9-]+\.)+[a-z]{2,18})(?![\w(-]|\.\w)",
    re.IGNORECASE,
)


def outside(text: str, services: Collection[str]) -> Iterator[str]:
    """The full host names outside the cluster that a text names as a peer, each once, in order of appearance."""
    known = {simple(service) for service in services}
    seen: set[str] = set()
    for match in _PEER.finditer(text[:4_000]):
        host = (match["url"] or match["port"] or match["named"] or "").lower().rstrip(".")
        if not is_outside(host) or SOURCE_FILE.search(host):
            continue
        labels = host.split(".")
        inside = len(labels) == 2 and simple(labels[0]) in known  # payment.shop: a service and its namespace
        if not inside and host not in seen and host not in _LOCAL:
            seen.add(host)
            yield host


def hosts(text: str, name: str) -> str:
    """The full host name by which a text calls a dependency; its short name where the text has none."""
    for match in _ADDRESS.finditer(text[:2_000]):
        host = (match["host"] or match["host2"] or "").lower()
        if host.split(".", 1)[0] == name or workload(host.split(".", 1)[0]) == name:
            return host
    return machine_of(text, name) or name


def machine_of(text: str, product: str) -> str | None:
    """The machine on which a text calls a product, where the host's name says nothing of the product itself."""
    for match in _ADDRESS.finditer(text[:2_000]):
        host = (match["host"] or match["host2"] or "").lower()
        if _product_at(match) == product and host not in _LOCAL and _is_machine(host.split(".", 1)[0], product):
            return host
    told = _SERVER_AT.search(text[:2_000])
    host = told["host"].lower() if told is not None else ""
    return host if host and host not in _LOCAL and simple(host) != product else None


_SERVER_AT: Final = re.compile(
    r"(?:server (?:on|at)|running on host|connect to host) ['\"](?P<host>[A-Za-z][\w.-]*)['\"]"
)
"""How drivers of databases name the machine: `server on 'db-1'`, `server at "db-1" (10.0.0.5), port 5432`."""


def _product_at(address: re.Match[str]) -> str | None:
    """What listens at an address, by its port or its scheme."""
    scheme = address["scheme"] or address["scheme2"] or ""
    return PORTS.get(address["port"] or "") or _WORDS.get(scheme.split("+")[0])


def _is_machine(label: str, product: str) -> bool:
    bare = simple(label)
    return product not in bare and bare not in product and _ROLE.search(label) is None


def is_outside(host: str) -> bool:
    """Whether a host is called by a name of the public kind. A bare name, or one of the cluster, is a service's; an
    exception's class (`java.net.ConnectException: ...`) is no host."""
    return "." in host and _INSIDE.search(host) is None and re.fullmatch(r"[\d.]+|.*(?:exception|error)", host) is None


def called_host(host: str) -> str:
    """The component of a host that a program calls: `host/name` inside the organisation, else `external/name`."""
    return f"host/{host}" if _OWN.search(host) is not None else f"external/{host}"


_OWN: Final = re.compile(r"\.(?:internal|local|localdomain|lan|intra|corp|home)$")


def _hosts(text: str, known: Collection[str]) -> Iterator[tuple[str, bool]]:
    for match in _ADDRESS.finditer(text[:2_000]):
        host = (match["host"] or match["host2"] or "").lower()
        if not host or host in _LOCAL or SOURCE_FILE.search(host) or host.isdigit() or host in _NUMBERS:
            continue
        product = _product_at(match)
        if re.fullmatch(r"[\d.]+", host):
            if product:
                yield product, True
            continue
        label = host.split(".", 1)[0]
        if not label[0].isalpha():
            continue  # a time of day, a version
        if _is_plain(match) and simple(label) not in known and not _called(text, match):
            continue  # `used:990`: a word and its number
        if product is None or simple(workload(label)) in known or not _is_machine(label, product):
            yield workload(label), True
            if product:
                yield product, False
        else:
            yield product, True


def _is_plain(address: re.Match[str]) -> bool:
    """Whether an address is no more than a word and a number."""
    return address["scheme"] is None and re.fullmatch(r"[A-Za-z_]+", address["host"] or "") is not None


_CALLED: Final = re.compile(
    r"(?:\b(?:to|at|on|tcp|udp|dial|lookup|from|with|via|host|server|servers|broker|brokers|node|peer|upstream|address|addr"
    r"|endpoint|target|connect|connecting|remote|url)\W{1,3}|[@/])$",
    re.IGNORECASE,
)
_WEB_PORTS: Final = frozenset(("80", "443", "3000", "5000", "8000", "8080", "8081", "8443", "9000", "9090", "50051"))


def _called(text: str, address: re.Match[str]) -> bool:
    """Whether a word with a number is the address of a call: by its port, or by the words before it."""
    port = address["port"]
    return port in PORTS or port in _WEB_PORTS or _CALLED.search(text[: address.start()][-24:]) is not None


_MYSQL: Final = re.compile(r"general error: \d{4}\b|lock wait timeout exceeded|innodb|mysql", re.IGNORECASE)
"""An SQLSTATE beside the words of MySQL, whose errors have numbers of four digits."""


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    for match in _TOKEN.finditer(text[:2_000]):
        token = match.group(0).lower()
        if token == "sqlstate" and _MYSQL.search(text):
            yield "mysql", True
        elif token in _WORDS:
            yield _WORDS[token], True
        else:
            yield token, False


def _resolve(candidate: tuple[str, bool], known: dict[str, str]) -> str | None:
    name, alone = candidate
    if name in known:
        return known[name]
    bare = simple(name)
    if bare in known:
        return known[bare]
    if bare in _WORDS.values():
        for key, service in known.items():
            if bare in key or (bare == "postgres" and key in ("db", "database")):
                return service
    return name if alone and not name.isdigit() else None
