"""One line of a stack trace -> one frame, in the languages that run in most clusters.

The patterns look anywhere in a line, so a frame is found behind any log header. Whether a frame is the program's own
code is judged by where its file lies or what its module is called: package folders, the language's own installation
and well-known framework namespaces are library code, everything else is the program's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

Language = Literal["python", "java", "go", "node", "dotnet", "rust", "ruby", "php"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. `file` is repository-like where it can be (`inventory/db/store.py`); `own` = not library code."""

    file: str | None
    line: int | None
    function: str | None
    module: str | None
    language: Language
    own: bool


_LIBRARY_PATH: Final = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|vendor/bundle|\.venv|virtualenvs|pkg/mod|\.cargo/registry|"
    r"\.rustup|rubygems|gems|\.gem|\.nuget/packages)/"
    r"|^(?:/usr/lib(?:64)?/|/usr/local/lib(?:64)?/|/lib/python|/opt/(?:homebrew|conda|python)[^/]*/lib/)"
    r"|^/(?:usr/local/go|usr/lib/go[^/]*|opt/go|goroot)/src/"
    r"|(?:^|/)(?:go/src/runtime|libexec/src)/"
    r"|^/rustc/|^(?:library/(?:std|core|alloc)|src/lib(?:std|core))/"
    r"|(?:^|/)python\d\.\d+/"
    r"|^(?:node:|internal/|native|<)"
    r"|(?:^|/)vendor/"
)
"""Folders that hold what others wrote: package installs, language runtimes, vendored code."""

_LIBRARY_MODULE: Final = re.compile(
    r"^(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|akka|groovy|clojure|android|androidx"
    r"|org\.(?:apache|springframework|hibernate|eclipse|junit|jboss|postgresql|mariadb|mongodb|slf4j|codehaus|xerial"
    r"|glassfish|aspectj|elasticsearch|opensearch|quartz|thymeleaf|redisson|jooq|mybatis|flywaydb|reactivestreams|gradle)"
    r"|com\.(?:fasterxml|google|zaxxer|mysql|oracle|amazonaws|azure|microsoft|netflix|datastax|rabbitmq|squareup|mongodb"
    r"|hazelcast|ibm|intellij|github\.benmanes|alibaba|codahale|lmax|typesafe)"
    r"|io\.(?:netty|grpc|micrometer|vertx|quarkus|micronaut|lettuce|opentelemetry|opentracing|reactivex|undertow|jsonwebtoken"
    r"|projectreactor|confluent|kubernetes|fabric8|helidon|r2dbc|dropwizard|prometheus|sentry)"
    r"|reactor|ch\.qos|redis\.clients|okhttp3|okio|retrofit2|feign|rx|net\.bytebuddy|brave|zipkin2"
    r"|System|Microsoft|Npgsql|Newtonsoft|StackExchange|MongoDB|RabbitMQ|Grpc|Serilog|AutoMapper|Dapper|MediatR|Polly"
    r"|MySql|MySqlConnector|Confluent|NServiceBus|MassTransit|Amazon"
    r"|core|std|alloc|tokio|hyper|actix_web|actix_rt|futures|futures_util|axum|tower|rust_begin_unwind|__rust\w*|_start"
    r"|runtime|net/http|panic|testing"
    r"|uvicorn|gunicorn|hypercorn|starlette|fastapi|flask|django|werkzeug|tornado|aiohttp|httpx|httpcore|urllib3|requests"
    r"|sqlalchemy|psycopg2?|asyncpg|pymysql|pymongo|redis|celery|kombu|amqp|pika|aiokafka|botocore|boto3|s3transfer"
    r"|asyncio|concurrent|multiprocessing|py\.warnings|eventlet|gevent|twisted|apscheduler|alembic|jinja2|pydantic"
    r"|marshmallow|numpy|pandas|grpc)(?:[.:$(]|$)"
)
"""Namespaces of language runtimes, databases' drivers and frameworks."""

_ROOT: Final = re.compile(
    r"^(?:file://)?(?:[A-Za-z]:)?/*(?:"
    r".*?/(?:site|dist)-packages/|.*/node_modules/|.*/pkg/mod/|(?:.*/)?go/src/(?:[\w-]+\.[\w.-]+/[^/]+/[^/]+/)?"
    r"|opt/stack/|usr/src/app/|usr/src/|usr/local/src/|usr/share/|var/task/|var/www/(?:html/)?|home/[^/]+/|Users/[^/]+/|root/"
    r"|workspaces?/|builds/(?:[^/]+/[^/]+/)?|build/|github/workspace/|code/|srv/|opt/|app/|src/|source/|go/|tmp/"
    r"|usr/(?:local/)?lib(?:64)?/(?:python[\d.]*/)?)"
)
"""What stands before the part of a path that a repository would know."""


def repository_path(path: str) -> str:
    """A path as the repository would write it: no machine prefix, forward slashes.

    `/opt/stack/nova/nova/compute/manager.py` and `/usr/lib/python3/dist-packages/nova/compute/manager.py` are both
    `nova/compute/manager.py`.
    """
    text = path.replace("\\", "/")
    absolute = text.startswith(("/", "file:")) or re.match(r"^[A-Za-z]:/", text) is not None
    text = re.sub(r"^(?:webpack(?:-internal)?:/+(?:[^/]*/)?)", "", text)
    if absolute:
        text = _ROOT.sub("", text, count=1)
        text = re.sub(r"^(?:file://)?(?:[A-Za-z]:)?/+", "", text)
    while text.startswith(("./", "../")):
        text = text.split("/", 1)[1]
    parts = text.split("/")
    if len(parts) > 2 and parts[0] == parts[1]:  # a checkout folder named as the package in it
        parts = parts[1:]
    return "/".join(parts)


def is_library(path: str | None, module: str | None) -> bool:
    """Whether a file or module is library code; unknown is not."""
    if path is not None and _LIBRARY_PATH.search(path.replace("\\", "/").removeprefix("file://")):
        return True
    return module is not None and _LIBRARY_MODULE.match(module) is not None


_PYTHON: Final = re.compile(r'\bFile "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>[\w<>.]+))?')
_NODE: Final = re.compile(
    r"\bat (?:(?:async |new )*(?P<function>[^()\s][^()]*?(?: \[as [^\]]+\])?) \()?"
    r"(?P<file>(?:file://|node:|webpack[\w-]*:|[A-Za-z]:[\\/]|/|\.{0,2}/)?[^()\s:]*[^()\s:/]):(?P<line>\d+):\d+\)?"
)
_JAVA: Final = re.compile(
    r"\bat (?:[\w.@-]*/{1,2})*(?P<module>[\w$.]+)\.(?P<function>[\w$<>\u00a0-\uffff-]+)"
    r"\((?P<file>[\w$-]+\.(?:java|kt|kts|scala|groovy|clj)|Native Method|Unknown Source|<generated>|[\w$-]+)"
    r"(?::(?P<line>\d+))?\)"
)
_DOTNET: Final = re.compile(
    r"\bat (?P<name>[\w.`<>\[\],+$|]+(?:\.\.?c?tor)?)(?:\[[^\]]*\])?\((?P<args>[^()]*)\)"
    r"(?: in (?P<file>.+?):line (?P<line>\d+))?"
)
_GO_FILE: Final = re.compile(r"(?P<file>(?:[A-Za-z]:)?/?[^\s:()]+\.(?:go|s)):(?P<line>\d+)(?: \+0x[0-9a-f]+)?\s*$")
_GO_FUNCTION: Final = re.compile(
    r"(?:created by )?(?P<function>[\w./~-]+\.(?:\(\*?[\w.\[\]]+\)\.)?[\w.\[\]·-]+)(?:\([^()]*\))?"
    r"(?: in goroutine \d+)?\s*$"
)
_RUST_FILE: Final = re.compile(r"\bat (?P<file>(?:\./|/)?[^\s:]+\.rs):(?P<line>\d+)(?::\d+)?")
_RUST_FUNCTION: Final = re.compile(
    r"(?:^|\s)\d+:\s+(?:0x[0-9a-f]+ - )?(?P<function>[\w<>$&\[\]' ,{}#]+(?:::[\w<>$&*\[\]' ,{}#()]+)*)$"
)
_RUBY: Final = re.compile(
    r"(?P<file>(?:/|[\w.-]+/)?[\w./@+-]+\.(?:rb|ru|rake|erb)):(?P<line>\d+):in [`'](?P<function>[^'`]+)'"
)
_PHP: Final = re.compile(r"#\d+ (?P<file>/?[^\s(]+\.(?:php|phtml|inc))\((?P<line>\d+)\): (?P<function>[^\s(]+)")


def _frame(language: Language, match: re.Match[str], module: str | None = None, function: str | None = None) -> Frame:
    path, line = match["file"], match["line"]
    name = function if function is not None else match["function"]
    return Frame(
        file=repository_path(path) if path else None,
        line=int(line) if line else None,
        function=name,
        module=module,
        language=language,
        own=not is_library(path, module),
    )


def python_frame(line: str) -> Frame | None:
    """`File "/app/x.py", line 3, in f`."""
    match = _PYTHON.search(line)
    return _frame("python", match) if match else None


def java_frame(line: str) -> Frame | None:
    """`at com.shop.Pay.charge(Pay.java:42)`; the file carries its package's path."""
    match = _JAVA.search(line)
    if match is None:
        return None
    module, file, number = match["module"], match["file"], match["line"]
    if "." not in file and file not in ("Native Method", "Unknown Source", "<generated>") and not number:
        return None
    outer = module.split("$", 1)[0]
    package = outer.rpartition(".")[0].replace(".", "/")
    path = f"{package}/{file}" if "." in file and package else (file if "." in file else None)
    own = not is_library(None, module) and "$$" not in module and file != "<generated>"
    function = re.sub(r"^lambda\$([\w$]+?)\$\d+$", r"\1", match["function"])
    return Frame(path, int(number) if number else None, function, module, "java", own)


def node_frame(line: str) -> Frame | None:
    """`at charge (/app/src/pay.js:10:5)`, `at async Pay.charge (file:///app/pay.mjs:3:1)`, `at /app/x.ts:1:2`."""
    match = _NODE.search(line)
    if match is None:
        return None
    file = match["file"]
    if not ("/" in file or "\\" in file or file.startswith("node:") or "." in file):
        return None
    name = match["function"]
    if name is not None:
        name = name.rsplit("[as ", 1)[1].rstrip("]") if " [as " in name else name
        name = name.rsplit(".", 1)[-1]
        name = None if name == "<anonymous>" else name
    return Frame(repository_path(file), int(match["line"]), name, None, "node", not is_library(file, None))


def dotnet_frame(line: str) -> Frame | None:
    """`at Shop.Pay.Charge(Order o) in /src/Shop/Pay.cs:line 12`."""
    match = _DOTNET.search(line)
    if match is None or "." not in match["name"]:
        return None
    name = match["name"]
    module, _, function = name.rpartition(".")
    stub = re.search(r"(?:^|[.+])(?P<type>[\w.]+?)\+?\.?<(?P<function>\w+)>[\w|]*(?:\.MoveNext)?", name)
    if stub is not None:  # a compiler-made state machine: Shop.Pay.<Charge>d__4.MoveNext()
        module, function = name.split("<", 1)[0].rstrip(".+"), stub["function"]
    return _frame("dotnet", match, module.rstrip("."), function)


def go_frame(line: str, previous: str) -> Frame | None:
    """The file line of a Go frame; `previous` is the line before it, which names the function."""
    match = _GO_FILE.search(line)
    if match is None:
        return None
    named = _GO_FUNCTION.search(previous.rstrip())
    if named is None:
        return None
    qualified = named["function"]
    path, _, rest = qualified.rpartition("/")
    package, _, function = rest.partition(".")
    module = f"{path}/{package}" if path else package
    name = re.sub(r"\(\*?([\w.\[\]]+)\)\.", r"\1.", function).rsplit(".func", 1)[0].rsplit(".", 1)[-1]
    frame = _frame("go", match, module, name or function)
    # A Go module keeps these folders at its root: what stands before them is the folder of the checkout.
    return replace(frame, file=re.sub(r"^[^/]+/(?=(?:internal|cmd|pkg)/)", "", frame.file or "") or None)


def rust_frame(line: str, previous: str) -> Frame | None:
    """The `at ./src/x.rs:1:2` line of a Rust frame; `previous` names the function."""
    match = _RUST_FILE.search(line)
    if match is None:
        return None
    named = _RUST_FUNCTION.search(previous.rstrip())
    module = named["function"].strip() if named else None
    name = re.sub(r"::h[0-9a-f]{16}$", "", module).replace("::{{closure}}", "").rsplit("::", 1)[-1] if module else None
    return _frame("rust", match, module, name or "")


def ruby_frame(line: str) -> Frame | None:
    """`from /app/models/order.rb:12:in 'charge'`."""
    match = _RUBY.search(line)
    if match is None:
        return None
    name = re.sub(r"^(?:block(?: \(\d+ levels\))?|rescue|ensure) in ", "", match["function"])
    return _frame("ruby", match, None, re.split(r"[#.]", name)[-1])


def php_frame(line: str) -> Frame | None:
    """`#0 /var/www/x.php(34): Shop\\Pay->charge()`."""
    match = _PHP.search(line)
    if match is None:
        return None
    return _frame("php", match, None, re.split(r"->|::|\\", match["function"])[-1])
