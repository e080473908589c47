"""Fields of structured lines (JSON, logfmt): which key holds the time, the level, the message, the service.

Keys of OpenTelemetry, ECS, GELF, journald, Docker, Fluent Bit, Bunyan, pino, zap, zerolog, logrus, structlog, slog,
Serilog, log4j2 JSON, MongoDB and CloudWatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from core import severity
from ingest.parsing import services

Path = tuple[str, ...]


def _paths(text: str) -> tuple[Path, ...]:
    """Alternatives, separated by spaces; a dotted name is looked up flat and nested, `>` only nests."""
    found: list[Path] = []
    for name in text.split():
        parts = tuple(name.replace(">", ".").split("."))
        if ">" not in name:
            found.append((name,))
        if len(parts) > 1:
            found.append(tuple(name.split(">")) if ">" in name else parts)
    return tuple(found)


TIME: Final = _paths(
    "@timestamp timestamp time ts timeUnixNano time_unix_nano asctime datetime Timestamp @t t>$date eventTime "
    "event_time __REALTIME_TIMESTAMP instant timeMillis log_time logged_at logTime date observedTimeUnixNano "
    "receiveTimestamp T t dt start_time startTime StartUTC time_iso8601 time_local"
)
LEVEL: Final = _paths(
    "log.level level severity severityText severity_text SeverityText levelname lvl loglevel log_level logLevel "
    "@l level_name Level LEVEL priority severityNumber severity_number SeverityNumber PRIORITY s L"
)
MESSAGE: Final = _paths(
    "message msg body.stringValue body Body event MESSAGE log @m @mt short_message textPayload Message "
    "RenderedMessage text M"
)
SERVICE: Final = _paths(
    "service.name service_name serviceName resource>service.name resource.attributes>service.name "
    "resource>attributes>service.name Resource>service.name resource_attributes>service.name "
    "attributes>service.name dd.service service kubernetes>labels>app kubernetes>labels>app.kubernetes.io/name "
    "kubernetes>labels>k8s-app app application appName app_name appname serviceContext>service SYSLOG_IDENTIFIER "
    "program"
)
POD: Final = _paths(
    "kubernetes.pod_name kubernetes.pod.name k8s.pod.name resource>k8s.pod.name pod_name pod hostname host.name"
)
TRACE: Final = _paths(
    "trace_id traceId TraceId trace.id traceid traceID dd.trace_id otelTraceID otel.trace_id trace_flags.trace_id @tr"
)
SPAN: Final = _paths("span_id spanId SpanId span.id spanid spanID dd.span_id otelSpanID @sp")
PARENT: Final = _paths("traceparent http.traceparent")
REQUEST: Final = _paths(
    "request_id requestId req_id reqId x-request-id x_request_id http.request.id requestID awsRequestId "
    "aws_request_id RequestId correlation_id correlationId CorrelationId x-correlation-id"
)
LOGGER: Final = _paths("logger log.logger logger_name loggerName name SourceContext category c")
ERROR: Final = _paths("error.message error err.message err exception.message exception")
STACK: Final = _paths(
    "stack_trace stacktrace error.stack_trace error.stack err.stack exception.stacktrace exception_stacktrace "
    "exc_info stack exception @x thrown.extendedStackTrace errorVerbose traceback backtrace exc_text"
)
STATUS: Final = _paths(
    "status status_code statusCode res.statusCode response.status http.status_code http.response.status_code "
    "response_code responseCode DownstreamStatus httpRequest.status"
)
METHOD: Final = _paths("method request_method RequestMethod httpRequest.requestMethod request.method")
TARGET: Final = _paths(
    "path x-envoy-original-path uri request_uri RequestPath httpRequest.requestUrl request.uri request.url url"
)
"""What JSON access logs (Envoy, Istio, nginx, Traefik, Caddy, Kong, Google's load balancers) tell of a request."""
PROTOCOL: Final = _paths("protocol server_protocol RequestProtocol httpRequest.protocol request.proto")
_REMARKS: Final = _paths("response_flags response_code_details upstream_transport_failure_reason")
NO_REMARK: Final = frozenset({"-", "via_upstream"})
REQUEST_LINE: Final = {"method": METHOD, "target": TARGET, "protocol": PROTOCOL}
REMARKS: Final = {f"remark{number}": (path,) for number, path in enumerate(_REMARKS)}
"""Roles of the fields that a message is made of where a request has none: `"METHOD TARGET PROTOCOL" STATUS REMARKS`."""

EVENT_TYPES: Final = {"Normal": severity.INFO, "Warning": severity.WARN}
"""Types of a Kubernetes event, which has a reason, too."""
GELF: Final = frozenset({"short_message", "PRIORITY", "_SYSTEMD_UNIT"})
_NUMBER_KEYS: Final = frozenset({"severityNumber", "severity_number", "SeverityNumber"})


@dataclass(slots=True)
class Entry:
    """What one structured line says. `stamp` is a text to be parsed in columns, `time` an exact time."""

    stamp: str | None = None
    micros: int | None = None
    severity: int = 0
    service: str | None = None
    program: str | None = None
    body: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    attributes: str | None = None
    content: str | None = None  # a raw log line inside, to be parsed again
    wins: bool = False  # the wrapper's time and service win over the content's
    has_message: bool = False  # the body begins with a message of the line, not with the line itself
    partial: bool = False  # the content goes on in the next line
    format: str = "json"


class _Plan(NamedTuple):
    """The paths of each role that can exist in an object with certain keys."""

    time: tuple[Path, ...]
    level: tuple[Path, ...]
    message: tuple[Path, ...]
    service: tuple[Path, ...]
    pod: tuple[Path, ...]
    trace: tuple[Path, ...]
    span: tuple[Path, ...]
    parent: tuple[Path, ...]
    request: tuple[Path, ...]
    logger: tuple[Path, ...]
    error: tuple[Path, ...]
    stack: tuple[Path, ...]
    status: tuple[Path, ...]


ROLES: Final = _Plan(TIME, LEVEL, MESSAGE, SERVICE, POD, TRACE, SPAN, PARENT, REQUEST, LOGGER, ERROR, STACK, STATUS)


@lru_cache(maxsize=4096)
def _plan(keys: tuple[str, ...]) -> _Plan:
    """The plan for objects with these keys; most logs have few sets of keys, so it is made once for many lines."""
    present = frozenset(keys)
    return _Plan(*(tuple(path for path in paths if path[0] in present) for paths in ROLES))


def look(data: Mapping[str, Any], paths: tuple[Path, ...]) -> tuple[Path, Any] | None:
    """The first path that leads to a value (not null, not empty), with that value."""
    for path in paths:
        value: Any = data.get(path[0])
        for part in path[1:]:
            value = value.get(part) if isinstance(value, dict) else None
            if value is None:
                break
        if value is not None and value != "" and value != {}:
            return path, value
    return None


def micros_of(value: int | float) -> int | None:
    """Microseconds since 1970 of an epoch number in s, ms, us or ns, told apart by size (1973 to 2286); else None."""
    size = abs(value)
    if size < 1e8:
        return None
    for limit, factor in ((1e10, 1_000_000), (1e13, 1000), (1e16, 1)):
        if size < limit:
            return round(value * factor)
    return int(value) // 1000 if size < 1e19 else None


def severity_of(key: str, value: object, data: Mapping[str, Any]) -> int:
    """Severity number of a level field: a word, a letter, or a number of Bunyan, syslog or OpenTelemetry."""
    if isinstance(value, str):
        if not value.lstrip("-").isdigit():
            return _of_word(value)
        value = int(value) if len(value) < 5 else 0
    if isinstance(value, bool) or not isinstance(value, int):
        return severity.UNSPECIFIED
    if key in _NUMBER_KEYS:
        return value if 0 <= value <= 24 else severity.UNSPECIFIED
    if value in severity.BUNYAN:
        return severity.BUNYAN[value]
    if 0 <= value <= 7 and not GELF.isdisjoint(data):
        return severity.SYSLOG[value]
    if value > 60:  # Bunyan's fatal is the top; custom levels lie between the named ones
        return severity.UNSPECIFIED
    lower = value // 10 * 10
    return severity.BUNYAN.get(lower, severity.UNSPECIFIED)


@lru_cache(maxsize=1024)
def _of_word(word: str) -> int:
    return severity.of_word(word)


def _severity_of_event(data: Mapping[str, Any]) -> int:
    """Severity of a Kubernetes event by its type; 0 for anything else."""
    return EVENT_TYPES.get(str(data.get("type")), 0) if isinstance(data.get("reason"), str) else 0


def time_of(value: object) -> tuple[str | None, int | None]:
    """A time field as a text to parse, or as microseconds since 1970."""
    if isinstance(value, str):
        text = value.strip()
        if text[:1].isdigit() and text.replace(".", "", 1).isdigit() and len(text.split(".")[0]) >= 9:
            return None, micros_of(int(text) if text.isdigit() else float(text))
        return text, None
    if isinstance(value, bool):
        return None, None
    if isinstance(value, int | float):
        return None, micros_of(value)
    if isinstance(value, dict) and isinstance(value.get("epochSecond"), int):
        nanos = value.get("nanoOfSecond")
        micros = micros_of(value["epochSecond"])
        return None, micros and micros + (nanos // 1000 if isinstance(nanos, int) and 0 <= nanos < 1e9 else 0)
    return None, None


def text_of(value: object) -> str:
    """A field as text: strings as they are, anything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else None


def _without(data: dict[str, Any], path: Path) -> None:
    """Removes the value at `path`; an object emptied by that is removed too."""
    if len(path) == 1:
        data.pop(path[0], None)
        return
    inner = data.get(path[0])
    if isinstance(inner, dict):
        inner = dict(inner)
        _without(inner, path[1:])
        if inner:
            data[path[0]] = inner
        else:
            data.pop(path[0])


def read(data: dict[str, Any], line: str, format_name: str) -> Entry:
    """The entry that a structured line stands for. `line` is the body where no key holds a message."""
    entry = Entry(format=format_name)
    plan = _plan(tuple(data))
    rest = dict(data)
    if (found := look(data, plan.time)) is not None:
        entry.stamp, entry.micros = time_of(found[1])
        if entry.stamp is not None or entry.micros is not None:
            _without(rest, found[0])
    if (found := look(data, plan.level)) is not None:
        entry.severity = severity_of(found[0][-1], found[1], data)
        if entry.severity:
            _without(rest, found[0])
    message = look(data, plan.message)
    if message is not None:
        _without(rest, message[0])
        entry.has_message = isinstance(message[1], str)
    if plan.service and (found := look(data, plan.service)) is not None and isinstance(found[1], str):
        entry.service = found[1]
        _without(rest, found[0])
    elif isinstance(data.get("name"), str) and "v" in data and "pid" in data:  # Bunyan
        entry.service = data["name"]
        rest.pop("name", None)
    elif (
        (found := look(data, plan.pod)) is not None
        and isinstance(found[1], str)
        and (services.looks_like_pod(found[1]) or found[0][-1] not in ("hostname", "name"))
    ):
        entry.program = services.of_pod(found[1])
    if plan.trace or plan.request or plan.span or plan.parent:
        _identify(entry, data, rest, plan)
    if (
        plan.logger
        and (found := look(data, plan.logger)) is not None
        and isinstance(found[1], str)
        and entry.service != found[1]
    ):
        _without(rest, found[0])
        rest["logger"] = found[1]
    if not entry.severity and plan.status and (found := look(data, plan.status)) is not None:
        status = _plain(found[1])
        if status is not None and status.isdigit() and 100 <= int(status) <= 599:
            entry.severity = severity.of_http_status(int(status))
    if not entry.severity:
        entry.severity = _severity_of_event(data)
    entry.body = _body(data, rest, plan, message, line)
    if rest:
        entry.attributes = orjson.dumps(rest, default=str).decode()
    return entry


def _identify(entry: Entry, data: dict[str, Any], rest: dict[str, Any], plan: _Plan) -> None:
    for paths, name in ((plan.trace, "trace_id"), (plan.span, "span_id"), (plan.request, "trace_id")):
        if not paths or getattr(entry, name) is not None or (found := look(data, paths)) is None:
            continue
        value = _plain(found[1])
        if value is not None:
            setattr(entry, name, value)
            _without(rest, found[0])
    found = look(data, plan.parent)
    if found is not None and isinstance(found[1], str):
        parts = found[1].split("-")
        if len(parts) == 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
            entry.trace_id, entry.span_id = parts[1], parts[2]
            _without(rest, found[0])


def is_request(present: Callable[[Path], bool]) -> bool:
    """Whether an object tells of a served request: it has a method, a target and a status."""
    return all(any(map(present, paths)) for paths in (METHOD, TARGET, STATUS))


def _request(data: dict[str, Any]) -> str:
    """The request that an access log in JSON tells of, as the common log format writes it; empty where it is none."""
    method, target, status = (look(data, paths) for paths in (METHOD, TARGET, STATUS))
    if method is None or target is None or status is None or not isinstance(target[1], str):
        return ""
    protocol = look(data, PROTOCOL)
    words = [text_of(each[1]) for each in (method, target, protocol) if each is not None]
    remarks = [found[1] for paths in REMARKS.values() if (found := look(data, paths)) is not None]
    told = [text for text in remarks if isinstance(text, str) and text not in NO_REMARK]
    return " ".join([f'"{" ".join(words)}"', text_of(status[1]), *told])


def _body(data: dict[str, Any], rest: dict[str, Any], plan: _Plan, message: tuple[Path, Any] | None, line: str) -> str:
    """The message, then the error it reports, then its stack trace on lines of their own."""
    body = text_of(message[1]) if message is not None else _request(data)
    if not plan.error and not plan.stack:
        return body or line
    error = look(data, plan.error)
    if error is not None and isinstance(error[1], str):
        text = error[1]
        if "\n" not in text and text not in body:
            body = f"{body}: {text}" if body else text
        if "\n" not in text:
            _without(rest, error[0])
    stack = look(data, plan.stack)
    if stack is not None:
        lines = stack[1] if isinstance(stack[1], list) else [stack[1]]
        if all(isinstance(part, str) for part in lines):
            text = "\n".join(lines)
            if "\n" in text or text.startswith(("Traceback", "\tat ", "    at ")):
                body = f"{body}\n{text}" if body else text
                _without(rest, stack[0])
    return body or line
