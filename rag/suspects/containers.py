"""What is wrong with a described pod, job, deployment or node, from its state alone.

Sources: the Kubernetes documentation of container states and pod conditions; exit codes of POSIX shells (2 misuse, 126
not executable, 127 not found, 128 + signal) and of curl (6 host, 7 connect, 28 timeout).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from core.domain import SuspectKind
from rag.kubernetes import KubernetesObject, Line, Property
from rag.suspects.finding import Finding
from rag.suspects.proposal import shorten
from rag.suspects.reading import read

_EXIT: Final = {
    "1": "the application ended with an error",
    "2": "misuse of the shell or a syntax error",
    "126": "the command cannot be executed",
    "127": "the command was not found",
    "128": "the container could not start",
    "134": "the process aborted (SIGABRT)",
    "137": "the process was killed (SIGKILL), usually for memory",
    "139": "segmentation fault (SIGSEGV)",
    "143": "the process was asked to stop (SIGTERM)",
}
_CURL_EXIT: Final = {"6": "curl could not resolve the host", "7": "curl could not connect", "28": "curl timed out"}
_CURL_FAULT: Final = {"6": "dns_failure", "7": "connection_refused", "28": "dependency_slow"}
_PRESSURE: Final = {"MemoryPressure": "out_of_memory", "DiskPressure": "disk_full"}
_VARIABLE: Final = re.compile(r"\$\{?([A-Z][A-Z0-9_]{2,})\b")
_KNOWN_VARIABLES: Final = frozenset(
    {"PATH", "HOME", "HOSTNAME", "PWD", "USER", "SHELL", "KUBERNETES_SERVICE_HOST", "IFS", "RANDOM"}
)
_IMAGE_REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_CONFIG_REASONS: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_SMALL_CPU: Final = 100
"""Millicores: a CPU limit below this throttles nearly any program."""


def container_faults(item: KubernetesObject) -> Iterator[Finding]:
    """What the object's state shows, each with its lines."""
    if item.kind == "node":
        yield from _node(item)
        return
    for name in _containers(item):
        yield from _container(item, name)
    yield from _replicas(item)
    if item.kind == "job":
        yield from _job(item)
    if item.kind == "service":
        yield from _service(item)


def _containers(item: KubernetesObject) -> list[str]:
    names = dict.fromkeys(
        inner
        for entry in item.properties
        for outer, inner in pairwise(entry.path)
        if outer in ("Containers", "Init Containers")
    )
    return list(names)


def _container(item: KubernetesObject, name: str) -> Iterator[Finding]:
    state, waiting = item.find(name, "State"), item.find(name, "State", "Reason")
    message = item.find(name, "Last State", "Message") or item.find(name, "State", "Message")
    whose = f"{item.kind} {item.name}: container {name}"
    if waiting is not None and waiting.value in _IMAGE_REASONS:
        image = item.find(name, "Image")
        cause = f"{whose} cannot start: pulling the Docker image {image.value if image else ''} fails ({waiting.value})"
        yield Finding("image_pull_failure", 0.97, cause, (_state(waiting),), _lines(waiting, image))
        return
    if waiting is not None and waiting.value in _CONFIG_REASONS:
        reading = read(message.value) if message is not None else None
        fault_type = reading.fault_type if reading is not None else "bad_config"
        cause = f"{whose} cannot start: {waiting.value}" + (f": {shorten(message.value)}" if message else "")
        yield Finding(fault_type, 0.9, cause, (_state(waiting),), _lines(waiting, message))
        return
    crash = _crash(item, name)
    if crash is not None:
        yield from _crashed(item, name, whose, crash, message)
    elif message is not None and (reading := read(message.value)) is not None:
        yield Finding(reading.fault_type, reading.strength, f"{whose}: {reading.term}", (), _lines(message, state))
    yield from _throttled(item, name, whose)


def _state(waiting: Property) -> str:
    return f"state Waiting, reason {waiting.value}"


@dataclass(frozen=True, slots=True)
class _Crash:
    """How a container ended: the reason, the exit code, and what says so."""

    reason: str
    code: str
    looping: bool
    why: tuple[str, ...]
    lines: tuple[Line, ...]


def _crash(item: KubernetesObject, name: str) -> _Crash | None:
    """How the container ended, None where it runs and is ready."""
    state, waiting = item.find(name, "State"), item.find(name, "State", "Reason")
    last = item.find(name, "Last State", "Reason")
    ended = last or (waiting if state is not None and state.value == "Terminated" else None)
    code = item.find(name, "Last State", "Exit Code") or item.find(name, "State", "Exit Code")
    restarts = item.find(name, "Restart Count")
    if ended is None and code is None:
        return None
    killed = ended is not None and ended.value == "OOMKilled"
    if state is not None and state.value == "Running" and not killed and not _not_ready(item):
        return None
    reasons = [f"last state {ended.value}"] if ended is not None else []
    if code is not None:
        reasons.append(f"exit code {code.value}")
    if restarts is not None and restarts.value != "0":
        reasons.append(f"restarted {restarts.value} times")
    looping = waiting is not None and waiting.value == "CrashLoopBackOff"
    return _Crash(
        ended.value if ended else "",
        code.value if code else "",
        looping,
        tuple(reasons),
        _lines(ended, code, waiting, restarts),
    )


def _crashed(
    item: KubernetesObject, name: str, whose: str, crash: _Crash, message: Property | None
) -> Iterator[Finding]:
    loop = " is in CrashLoopBackOff" if crash.looping else ""
    reading = read(message.value) if message is not None else None
    if crash.reason == "OOMKilled" or crash.code == "137":
        limit = item.find(name, "Limits", "memory")
        cause = (
            f"{whose} was OOMKilled" + (f" and{loop}" if loop else "") + ": it is killed because it is out of memory"
        )
        cause += (f", memory limit {limit.value}" if limit else "") + (
            f", exit code {crash.code}" if crash.code else ""
        )
        lines = (*crash.lines, *_lines(limit))
        yield Finding("out_of_memory", 1.0, cause, crash.why, lines, kind=SuspectKind.EXHAUSTION)
    elif message is not None and reading is not None:
        cause = f"{whose}{loop}: {reading.term}: {shorten(message.value)}"
        yield Finding(reading.fault_type, reading.strength, cause, crash.why, (message.line, *crash.lines))
    else:
        yield _ended(item, name, whose + loop, crash)


def _ended(item: KubernetesObject, name: str, whose: str, crash: _Crash) -> Finding:
    """A container that ended: what its command needs and does not get, else what its exit code means."""
    command = [
        entry
        for entry in item.properties
        if name in entry.path and entry.path[-1] in ("Command", "Args") and entry.value
    ]
    script = "\n".join(entry.value for entry in command)
    if missing := _missing_variables(item, name, script):
        names = ", ".join(missing)
        cause = f"{whose}: the environment variable {names} is missing: its command uses it, but it is undefined"
        lines = (*(entry.line for entry in command if missing[0] in entry.value), *crash.lines)
        return Finding("missing_env_var", 0.97, cause, (*crash.why, f"Environment has no {names}"), lines)
    closing = _unbalanced(script) if re.search(r"\b(?:ba|da|a|z|k)?sh\b", script) else None
    if closing is not None:
        cause = f"{whose} failed: syntax error in its shell command: unexpected '{closing}'"
        lines = (*(entry.line for entry in command if closing in entry.value), *crash.lines)
        return Finding("bad_config", 0.93, cause, (*crash.why, f"'{closing}' has no partner in the command"), lines)
    images = [entry.value for entry in item.properties if entry.path[-1] == "Image"]
    curl = any("curl" in text for text in (script, *images))
    meaning = (_CURL_EXIT.get(crash.code) if curl else None) or _EXIT.get(crash.code) or "the container ended"
    fault_type = _CURL_FAULT.get(crash.code, "crash_loop") if curl else "crash_loop"
    cause = f"{whose} crashes: exit code {crash.code or 'unknown'}: {meaning}"
    cause += f"; command: {shorten(script, 120)}" if script else ""
    return Finding(fault_type, 0.6 if fault_type == "crash_loop" else 0.8, cause, crash.why, crash.lines, state=0.7)


def _missing_variables(item: KubernetesObject, name: str, script: str) -> list[str]:
    used = [value for value in dict.fromkeys(_VARIABLE.findall(script)) if value not in _KNOWN_VARIABLES]
    assigned = set(re.findall(r"\b([A-Z][A-Z0-9_]{2,})=", script)) | set(
        re.findall(r"\bread (?:-\w+ )*([A-Z]\w+)", script)
    )
    if any("Environment Variables from" in entry.path for entry in item.properties):
        return []  # a whole ConfigMap or Secret is imported: what it defines is not shown
    defined = {entry.path[-1] for entry in item.properties if name in entry.path and "Environment" in entry.path}
    return [value for value in used if value not in assigned and value not in defined]


def _unbalanced(script: str) -> str | None:
    """The closing word of a shell block that was never opened."""
    words = re.findall(r"(?:^|[\s;&|])(if|fi|do|done|case|esac)(?=[\s;&|]|$)", script)
    for opening, closing in (("if", "fi"), ("do", "done"), ("case", "esac")):
        if words.count(closing) > words.count(opening):
            return closing
    return None


def _not_ready(item: KubernetesObject) -> bool:
    return (
        any(row[0] == "Ready" and row[1:2] == ("False",) for row in item.table_rows) or item.value("Ready") == "False"
    )


def _throttled(item: KubernetesObject, name: str, whose: str) -> Iterator[Finding]:
    limit = item.find(name, "Limits", "cpu")
    millicores = re.fullmatch(r"(\d+)m", limit.value) if limit is not None else None
    if limit is not None and millicores is not None and int(millicores[1]) < _SMALL_CPU:
        cause = f"{whose} has a CPU limit of only {limit.value}: CPU throttling is likely; increase the CPU limit"
        why = (f"CPU limit {limit.value} is below {_SMALL_CPU}m",)
        yield Finding("cpu_saturation", 0.55, cause, why, (limit.line,), kind=SuspectKind.EXHAUSTION, state=0.3)


def _replicas(item: KubernetesObject) -> Iterator[Finding]:
    replicas = item.find("Replicas")
    if replicas is None or not re.search(r"\b[1-9]\d* unavailable", replicas.value):
        return
    why = (f"Replicas: {replicas.value}",)
    scarce = [entry for entry in item.properties if entry.path[-2:-1] == ("Requests",) and "/" in entry.path[-1]]
    if scarce:  # an extended resource, such as a GPU, that few nodes have
        wanted = ", ".join(f"{entry.path[-1]}: {entry.value}" for entry in scarce)
        lacking = _plain(scarce[0].path[-1])
        cause = (
            f"{item.kind} {item.name}: replicas are unavailable; it requests {wanted}: insufficient {lacking} resources"
        )
        lines = (replicas.line, *(entry.line for entry in scarce))
        yield Finding("unschedulable", 0.75, f"{cause} on the nodes?", why, lines, state=0.8)
        return
    cause = f"{item.kind} {item.name}: replicas are unavailable ({replicas.value})"
    yield Finding("crash_loop", 0.45, cause, why, (replicas.line,), state=0.6, remote=0.5)


def _plain(resource: str) -> str:
    name = resource.rsplit("/", 1)[-1]
    return name.upper() if len(name) <= 4 else name


def _job(item: KubernetesObject) -> Iterator[Finding]:
    statuses = item.find("Pods Statuses")
    failed = re.search(r"\b([1-9]\d*) Failed", statuses.value) if statuses is not None else None
    if statuses is not None and failed is not None:
        cause = f"job {item.name} failed: {statuses.value}"
        yield Finding("crash_loop", 0.5, cause, (f"{failed[1]} pods failed",), (statuses.line,), state=0.7, remote=0.5)


def _service(item: KubernetesObject) -> Iterator[Finding]:
    endpoints, selector = item.find("Endpoints"), item.value("Selector")
    if endpoints is not None and endpoints.value in ("", "<none>"):
        cause = f"service {item.name} has no endpoints"
        cause += f": no ready pod matches its selector {selector}" if selector else ""
        yield Finding("bad_config", 0.9, cause, ("Endpoints: <none>",), _lines(endpoints, item.find("Selector")))


def _node(item: KubernetesObject) -> Iterator[Finding]:
    room, running = item.find("Allocatable", "pods"), item.find("Non-terminated Pods")
    total = re.search(r"\((\d+) in total\)", running.value) if running is not None else None
    if room is not None and running is not None and total is not None and room.value.isdigit():
        full = int(total[1]) >= int(room.value)
        cause = f"node {item.name} is running too many pods for its capacity: {total[1]} pods, room for {room.value}"
        if full:
            why = (f"{total[1]} of {room.value} pods",)
            lines = (running.line, room.line)
            yield Finding("unschedulable", 0.95, cause, why, lines, kind=SuspectKind.EXHAUSTION)
    for row in item.table_rows:
        pressed = row[0].endswith("Pressure") and row[1] == "True"
        if pressed or (row[0] == "Ready" and row[1] in ("False", "Unknown")):
            fault_type = "node_not_ready" if row[0] == "Ready" else _PRESSURE.get(row[0], "eviction")
            cause = f"node {item.name}: condition {row[0]} is {row[1]}: {row[-1]}"
            yield Finding(fault_type, 0.95, cause, (f"{row[0]}={row[1]}",), _lines(item.find("Conditions")))


def _lines(*properties: Property | None) -> tuple[Line, ...]:
    return tuple(entry.line for entry in properties if entry is not None)
