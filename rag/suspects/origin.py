"""Which program wrote a record, where neither a field nor the file says so.

A file that several programs write into (a terminal's, a collector's) has no service of its own; the name of the logger,
the module of the deepest own frame, or the shape of the line still tell whose record it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.domain import Citation, LogRecord
from core.stackframes import is_library
from core.stacktrace import Frame, StackTrace, root_frame
from rag.suspects.clue import Clue, logger_of

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
_MYSQL: Final = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+ \d+ \[\w+\] \[MY-\d+\] \[\w+\] ")
_MONGODB: Final = re.compile(r'^\{"t": ?\{"\$date": ?"[^"]+"\}, ?"s": ?"[A-Z]\d?", *"c": ?"')
_RABBITMQ: Final = re.compile(r"^(?:=\w+ REPORT=|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S* \[\w+\] <0\.\d+\.\d+> )")
_BIND: Final = re.compile(
    r"^\d\d-\w{3}-\d{4} \d\d:\d\d:\d\d\.\d+ [a-z-]+: (?:debug \d+|info|notice|warning|error|critical): "
)
_KLOG: Final = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\.go:\d+\] ")
_SHAPES: Final = (
    (_POSTGRES, ("postgres", "postgresql", "db", "database")),
    (_REDIS, ("redis", "cache")),
    (_ACCESS, ("gateway", "nginx", "ingress", "proxy", "frontend")),
    (_NGINX, ("gateway", "nginx", "ingress", "proxy", "frontend")),
    (_KLOG, ("kubelet", "kubernetes")),
    (_MYSQL, ("mysql",)),
    (_MONGODB, ("mongodb",)),
    (_RABBITMQ, ("rabbitmq",)),
    (_BIND, ("named",)),
)


_PRODUCTS: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"org\.apache\.hadoop\.(?:yarn|mapreduce|mapred)\.", "yarn"),
        (r"org\.apache\.hadoop\.hdfs\.(?:server|StateChange|qjournal)|^(?:dfs|BlockStateChange)\b", "hdfs"),
        (r"org\.apache\.hadoop\.hbase\.(?:master|regionserver)\.", "hbase"),
        (r"kafka\.(?:server|log|controller|cluster|network|coordinator|zk|raft)\.", "kafka"),
        (r"org\.apache\.kafka\.(?:storage|server|controller|coordinator|raft|metadata|image)\.", "kafka"),
        (r"org\.apache\.zookeeper\.server\.", "zookeeper"),
        (r"org\.apache\.spark\.(?:deploy|scheduler|executor|storage|sql|rdd|util)\.", "spark"),
        (r"org\.apache\.flink\.runtime\.", "flink"),
        (r"org\.apache\.cassandra\.(?:service|db|gms|net|concurrent)\.", "cassandra"),
        (r"org\.(?:elasticsearch|opensearch)\.(?:cluster|node|discovery|bootstrap|index|indices)\.", "elasticsearch"),
        (r"o\.e\.[a-z]\.", "elasticsearch"),  # as its own layout shortens it
        (r"(?:DAGScheduler|TaskSetManager|TaskSchedulerImpl|YarnScheduler|MicroBatchExecution|SparkContext)$", "spark"),
        (r"(?:etcdserver|etcdmain|rafthttp|raft)/[\w/]+\.go", "etcd"),
    )
)
"""Loggers, and packages in stack traces, that only the server of a product has, not the libraries of its clients."""
PRODUCTS: Final = frozenset(name for _, name in _PRODUCTS)
_STORES: Final = frozenset({"postgres", "redis", "mysql", "mongodb", "rabbitmq", "named"})
"""Servers whose lines have a form of their own; the file is theirs where nothing else writes into it."""

_ABBREVIATED: Final = frozenset({("o", "s"), ("o", "a"), ("o", "h"), ("c", "z"), ("o", "e"), ("o", "p"), ("c", "f")})
"""Logback's short forms of org.springframework, org.apache, org.hibernate, com.zaxxer and other libraries."""


def program_of(record: LogRecord, traces: Sequence[StackTrace], logger: str | None) -> str | None:
    """The program that wrote a record, by its logger, its own frames, or the shape of its line; None where unknown."""
    for key in ("service", "app", "application", "service_name", "serviceName"):
        value = record.attributes.get(key)
        if isinstance(value, str) and value:
            return value
    if logger is not None and (product := _product(logger)) is not None:
        return product
    if logger is not None and not is_library(None, logger) and "/" not in logger and ".go" not in logger:
        name = _of_module(logger)
        if name is not None:
            return name
    found = root_frame(traces)
    name = _of_frame(found[1]) if found is not None else None
    if name is not None:
        return name
    return next((names[0] for pattern, names in _SHAPES if pattern.match(record.line)), None)


def _product(name: str) -> str | None:
    """The product whose server has a logger, a package or an exception of this name."""
    return next((product for pattern, product in _PRODUCTS if pattern.match(name)), None)


def _of_frame(frame: Frame) -> str | None:
    """The program that a frame belongs to: by its package (`github.com/acme/stock/internal/api`), else its file."""
    package = re.sub(r"^[\w-]+(?:\.[\w-]+)+/[\w.-]+/", "", frame.module or "") if frame.language == "go" else ""
    for dotted in (package, (frame.file or "").rsplit(".", 1)[0].replace("/", ".")):
        name = _of_module(dotted) if dotted else None
        if name is not None:
            return name
    return None


def program_of_path(path: str) -> str | None:
    """The program that a file of its source belongs to: the top folder, where that is no common one."""
    return _of_module(path.rsplit(".", 1)[0].replace("/", "."))


def named_after_file(service: str, source: str) -> bool:
    """Whether a service is only a guess from the name of its file."""
    name = source.replace("\\", "/").rsplit("/", 1)[-1]
    return name.startswith(service) or re.search(rf"\d[-_.]+{re.escape(service)}(?![a-zA-Z])", name) is not None


def told_apart(clues: list[Clue]) -> list[Clue]:
    """Clues from a file that several programs write into, each with its program instead of the file's name.

    A record that tells no program, but the source file that logged it, is that of the program whose stack traces run
    through that file.
    """
    files = {
        frame.file: program
        for clue in clues
        for trace in clue.traces
        for frame in trace.frames
        if frame.own and frame.file and (program := _of_frame(frame)) is not None
    }
    guesses: dict[Citation, str | None] = {}
    programs: dict[str, set[str]] = {}
    for clue in clues:
        if clue.object is not None:
            continue
        guess = program_of(clue.record, clue.traces, logger_of(clue.record)) or _of_file(clue.record, files)
        if guess is not None:
            programs.setdefault(clue.record.source, set()).add(guess)
        if clue.service is None or named_after_file(clue.service, clue.record.source):
            guesses[clue.citation] = guess
    servers = {source: wrote & PRODUCTS or (wrote if wrote <= _STORES else set()) for source, wrote in programs.items()}
    for clue in clues:
        servers.setdefault(clue.record.source, set()).update(_servers_of(clue.traces))
    named: list[Clue] = []
    for clue in clues:
        wrote = programs.get(clue.record.source, set())
        program = guesses.get(clue.citation) if len(wrote) > 1 else None
        only = servers[clue.record.source]
        if clue.citation in guesses and numbered(clue) and len(only) == 1:
            program = next(iter(only))
        named.append(replace(clue, service=program) if program is not None else clue)
    return named


def _servers_of(traces: Sequence[StackTrace]) -> set[str]:
    """The products whose server's code stack traces run through."""
    names = [name for trace in traces for name in (trace.exception, *(frame.module for frame in trace.frames)) if name]
    return {product for name in names if (product := _product(name)) is not None}


def numbered(clue: Clue) -> bool:
    """Whether a record has no more of a service than its file's name, and that is only numbered (`case-11.log`)."""
    return clue.service is None or only_numbered(clue.service, clue.record.source)


def only_numbered(service: str, source: str) -> bool:
    """Whether a service is the stem of a file that is numbered or dated, not named after a program."""
    stem = source.replace("\\", "/").rsplit("/", 1)[-1].split(".", 1)[0]
    return stem.startswith(service) and re.fullmatch(r"[-_]?[\d_T:-]+", stem[len(service) :]) is not None


def _of_file(record: LogRecord, files: dict[str, str]) -> str | None:
    logger = logger_of(record) or record.attributes.get("source")
    place = logger.split(":", 1)[0] if isinstance(logger, str) else ""
    if "/" not in place:
        return None
    return next((program for file, program in files.items() if file == place or file.endswith(f"/{place}")), None)


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
