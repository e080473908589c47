"""Log layouts: one record -> the physical lines that the program's logger writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from eval.simulator.clock import Clock
from eval.simulator.traces import Trace

_JAVA_LEVEL_VALUE: Final = {"DEBUG": 10000, "INFO": 20000, "WARN": 30000, "ERROR": 40000}
_PINO_LEVEL: Final = {"debug": 20, "info": 30, "warning": 40, "error": 50, "fatal": 60}
_PYTHON_LEVEL: Final = {"fatal": "CRITICAL"}
_GO_LEVEL: Final = {"warning": "warn"}
_JAVA_LEVEL: Final = {"warning": "WARN", "fatal": "ERROR"}


@dataclass(slots=True)
class Record:
    """What a program says. `event` is the constant part (structured loggers), `text` the sentence (plain loggers)."""

    t: float
    level: str
    logger: str
    event: str
    text: str
    fields: Mapping[str, object] = field(default_factory=dict)
    trace_id: str | None = None
    span_id: str | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Emitter:
    """Who writes: service, pod, version, pid and thread."""

    service: str
    pod: str
    package: str
    thread: str


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(values, separators=(", ", ": "), ensure_ascii=False)


def _compact(values: Mapping[str, object]) -> str:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def structlog(clock: Clock, who: Emitter, r: Record) -> str:
    values: dict[str, object] = {**r.fields}
    if r.trace_id:
        values["request_id"] = r.trace_id
    values["logger"] = r.logger
    values["level"] = {"fatal": "critical"}.get(r.level, r.level)
    values["timestamp"] = clock.iso_micros(r.t)
    values["event"] = r.event
    if r.trace:
        values["exception"] = r.trace.text
    return _json(values)


def jsonlogger(clock: Clock, who: Emitter, r: Record) -> str:
    values: dict[str, object] = {
        "asctime": clock.comma(r.t),
        "levelname": _PYTHON_LEVEL.get(r.level, r.level.upper()),
        "name": r.logger,
        "message": r.text,
        "service": who.service,
    }
    if r.trace_id:
        values["trace_id"] = r.trace_id
    values.update(r.fields)
    if r.trace:
        values["exc_info"] = r.trace.text
    return _json(values)


def logging(clock: Clock, who: Emitter, r: Record) -> str:
    level = _PYTHON_LEVEL.get(r.level, r.level.upper())
    head = f"{clock.comma(r.t)} {level} [{r.logger}] [{r.trace_id or '-'}] {r.text}"
    return f"{head}\n{r.trace.text}" if r.trace else head


def spring(clock: Clock, who: Emitter, r: Record) -> str:
    level = _JAVA_LEVEL.get(r.level, r.level.upper())
    name = _abbreviated(_java_logger(who, r), 39)
    correlation = f"[{r.trace_id}-{r.span_id or r.trace_id[:16]}] " if r.trace_id else ""
    head = (
        f"{clock.iso(r.t)} {level:>5} 1 --- [{who.service}] [{who.thread[-15:]:>15}] {correlation}{name:<40} : {r.text}"
    )
    return f"{head}\n\n{r.trace.text}\n" if r.trace else head


def _abbreviated(name: str, width: int) -> str:
    """Logback's `%logger{width}`: package names become initials from the left until the whole fits."""
    parts = name.split(".")
    for index in range(len(parts) - 1):
        if len(".".join(parts)) <= width:
            break
        parts[index] = parts[index][0]
    return ".".join(parts)


def logback(clock: Clock, who: Emitter, r: Record) -> str:
    level = _JAVA_LEVEL.get(r.level, r.level.upper())
    trace = f"[traceId={r.trace_id}] " if r.trace_id else ""
    head = f"{clock.dotted(r.t)} [{who.thread}] {level:<5} {_java_logger(who, r)} {trace}- {r.text}"
    return f"{head}\n{r.trace.text}" if r.trace else head


def logstash(clock: Clock, who: Emitter, r: Record) -> str:
    level = _JAVA_LEVEL.get(r.level, r.level.upper())
    values: dict[str, object] = {
        "@timestamp": clock.iso(r.t),
        "@version": "1",
        "message": r.text,
        "logger_name": _java_logger(who, r),
        "thread_name": who.thread,
        "level": level,
        "level_value": _JAVA_LEVEL_VALUE[level],
    }
    if r.trace:
        values["stack_trace"] = r.trace.text
    if r.trace_id:
        values["traceId"] = r.trace_id
        values["spanId"] = r.span_id or r.trace_id[:16]
    return _compact({**values, "app": who.service})


def _java_logger(who: Emitter, r: Record) -> str:
    if r.logger.startswith(("com.", "org.", "o.", "io.")):
        return r.logger
    return f"{who.package}.payment.{r.logger}"


def zap(clock: Clock, who: Emitter, r: Record) -> str:
    level = _GO_LEVEL.get(r.level, r.level)
    values: dict[str, object] = {"level": level}
    head = _compact(values)[:-1]
    rest: dict[str, object] = {"logger": who.service, "caller": r.logger, "msg": r.event, **r.fields}
    if r.trace_id:
        rest["trace_id"] = r.trace_id
    if r.trace:
        rest["error"] = r.trace.message
        rest["stacktrace"] = r.trace.text
    return f'{head},"ts":{clock.epoch(r.t)},{_compact(rest)[1:]}'


def slog(clock: Clock, who: Emitter, r: Record) -> str:
    level = {"warning": "WARN", "fatal": "ERROR"}.get(r.level, r.level.upper())
    parts = [f"time={clock.iso(r.t)}", f"level={level}", f"source={r.logger}", f"msg={_logfmt(r.event)}"]
    parts += [f"{key}={_logfmt(str(value))}" for key, value in r.fields.items()]
    if r.trace_id:
        parts.append(f"trace_id={r.trace_id}")
    if r.trace:
        parts.append(f"err={_logfmt(r.trace.message)}")
        parts.append(f"stack={_logfmt(r.trace.text)}")
    return " ".join(parts)


def _logfmt(value: str) -> str:
    return value if value and all(c not in ' "=\n\t' for c in value) else json.dumps(value, ensure_ascii=False)


def pino(clock: Clock, who: Emitter, r: Record) -> str:
    values: dict[str, object] = {
        "level": _PINO_LEVEL[r.level],
        "time": clock.epoch_ms(r.t),
        "pid": 1,
        "hostname": who.pod,
        "name": who.service,
    }
    if r.trace_id:
        values["traceId"] = r.trace_id
    values.update(r.fields)
    if r.trace:
        values["err"] = {"type": r.trace.type, "message": r.trace.message, "stack": r.trace.text}
    values["msg"] = r.event
    return _compact(values)


LAYOUT: Final[dict[str, Callable[[Clock, Emitter, Record], str]]] = {
    "structlog": structlog,
    "jsonlogger": jsonlogger,
    "logging": logging,
    "spring": spring,
    "logback": logback,
    "logstash": logstash,
    "zap": zap,
    "slog": slog,
    "pino": pino,
}
"""Layout by name."""
