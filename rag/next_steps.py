"""What to do next: checks that only read, the cheapest first; a remedy comes last, and only as a proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from core.domain import Incident, Suspect, SuspectKind
from rag.checks import CHECKS, REMEDIES, fitting
from rag.kubernetes import workload
from rag.surroundings import Database, Platform, database_of
from rag.suspects.proposal import table_of
from rag.suspects.reading import LOCATION, read

MAX_STEPS: Final = 8
_SUSPECTS: Final = 3
_EACH: Final = 2
"""Checks of one suspect."""

_LIKELY: Final = 0.03
"""Score of a suspect beside the first whose checks are worth a step."""
_WORKLOADS: Final = ("deployment", "statefulset", "daemonset")
_OUTSIDE: Final = ("host", "external")
"""Kinds of component that are no object of Kubernetes."""
_CONFIGURATIONS: Final = ("configmap", "secret", "service", "ingress")
_ADDRESS: Final = re.compile(r"\b([a-z][\w-]*(?:\.[\w-]+)*|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})\b", re.IGNORECASE)
_CLUSTER_NAME: Final = re.compile(r"^([a-z][\w-]*)\.[\w.-]*\bsvc(?:\..*)?$")
_IMAGE: Final = re.compile(r"\bimage:?\s+[\"'\\]*([a-z0-9][\w.-]*(?:[/:][\w./-]+)+)")
_COMMAND: Final = re.compile(r"`[^`]*`")


def next_steps(
    incident: Incident, suspects: Sequence[Suspect], platform: Platform, services: Sequence[str] = ()
) -> tuple[str, ...]:
    """Concrete steps for the person on call, at most `MAX_STEPS`: checks of the likely suspects, then one remedy.

    `services` are those that the logs know; a database among them is the one that commands are for.
    Names that the suspects give are filled in. No step before the last changes anything.
    """
    steps: dict[str, str] = {}  # by command: the same command is asked for once
    for rank, suspect in enumerate(suspects[:_SUSPECTS]):
        if rank and suspect.score < _LIKELY:
            break
        for step in _checks(suspect, platform, database_of(suspect, services)):
            steps.setdefault(" ".join(_COMMAND.findall(step)) or step, step)
    for step in _logs(incident, suspects):
        steps.setdefault(step, step)
    remedy = _remedy(suspects[0], platform, database_of(suspects[0], services)) if suspects else None
    chosen = list(steps.values())[: MAX_STEPS - (remedy is not None)]
    return (*chosen, remedy) if remedy is not None else tuple(chosen)


def _checks(suspect: Suspect, platform: Platform, database: Database) -> Iterator[str]:
    names = _names(suspect)
    if suspect.kind is SuspectKind.CHANGE and suspect.evidence:
        entry = suspect.evidence[0]
        yield f"Ask who made the change at {entry.citation}, and what it contained"
    for check in islice(fitting(CHECKS.get(suspect.fault_type or "", ()), platform, database), _EACH):
        yield check.format_map(names)
    if suspect.function is not None and suspect.component is not None and suspect.fault_type != "code_defect":
        yield f"Read {suspect.function} in {suspect.component}: `git log -5 -p -- {suspect.component}`"
    elif suspect.kind is SuspectKind.KUBERNETES_EVENT and suspect.component is not None:
        yield f"Read the object and its events: `kubectl describe {suspect.component}`"


def _remedy(suspect: Suspect, platform: Platform, database: Database) -> str | None:
    kind = "bad_deploy" if suspect.kind is SuspectKind.CHANGE and suspect.fault_type is None else suspect.fault_type
    remedy = next(fitting(REMEDIES.get(kind or "", ()), platform, database), None)
    return remedy.format_map(_names(suspect)) if remedy is not None else None


def _logs(incident: Incident, suspects: Sequence[Suspect]) -> Iterator[str]:
    """Where to read on: the log itself around the first evidence."""
    entry = next((entry for suspect in suspects for entry in suspect.evidence), None)
    if entry is None:
        entry = next((entry for anomaly in incident.anomalies for entry in anomaly.examples), None)
    if entry is not None:
        start = max(entry.position - 20, 1)
        yield f"Read on around the first evidence: `sed -n '{start},{entry.position + 20}p' {entry.source}`"
    yield 'Ask further: `cali ask "what happened just before?"`'


def _names(suspect: Suspect) -> dict[str, str]:
    """The names to fill in; a name that is not known stands as `<...>` for the reader to fill in."""
    service = suspect.service or "<service>"
    kind, _, name = (suspect.component or "").partition("/")
    placed = kind.isalpha() and bool(name) and kind.islower() and "." not in kind and suspect.function is None
    owner = workload(name) if placed and kind in ("pod", "replicaset") else service
    entry = suspect.evidence[0] if suspect.evidence else None
    text = LOCATION.sub(" ", " ".join([suspect.cause, *(each.text for each in suspect.evidence[:2])]))
    address = _ADDRESS.search(text)
    host = _host(suspect, address[1] if address else None)
    image = _IMAGE.search(text)
    names = {
        "service": service,
        "caller": f"deploy/{service}" if suspect.kind is not SuspectKind.PROPAGATION else "<a caller>",
        "workload": f"{kind}/{name}" if placed and kind in _WORKLOADS else f"deploy/{owner}",
        "object": f"{kind}/{name}" if placed and kind not in _OUTSIDE else f"deployment/{service}",
        "pod": name if placed and kind == "pod" else f"deploy/{owner}",
        "name": name or service,
        "configuration": f"{kind}/{name}" if placed and kind in _CONFIGURATIONS else "configmap",
        "host": host,
        "address": f"{address[1]}:{address[2]}" if address and _short(address[1]) == host else f"{host}:<port>",
        "what": image[1] if image and suspect.fault_type == "image_pull_failure" else _told(suspect),
        "file": suspect.component or "<file>",
        "source": entry.source if entry is not None else "<log>",
        "line": str(entry.position) if entry is not None else "<line>",
    }
    safe = {key: _safe(value, key) for key, value in names.items()}
    machine = safe["name"] if placed and kind in ("host", "node") else f"the machine of {safe['service']}"
    return safe | {"place": _place(suspect), "machine": machine}


def _host(suspect: Suspect, addressed: str | None) -> str:
    """Whom a check of a dependency is about: what the suspect blames, else whom its lines address."""
    kind, _, name = (suspect.component or "").partition("/")
    if kind in _OUTSIDE and name:
        return name
    blamed = suspect.service if suspect.kind is SuspectKind.PROPAGATION else None
    told = _reading(suspect)
    named = told if told is not None and re.fullmatch(r"[a-z][\w.-]+", told) else None
    return blamed or _short(named or addressed or suspect.service or "<host>")


def _short(host: str) -> str:
    """A name inside a cluster by its first part: `notify.core.svc` -> `notify`."""
    found = _CLUSTER_NAME.match(host)
    return found[1] if found else host


def _told(suspect: Suspect) -> str:
    """What the lines name as concerned: a table, else a variable or a key."""
    return table_of("\n".join(each.text for each in suspect.evidence[:2])) or _reading(suspect) or "<name>"


def _reading(suspect: Suspect) -> str | None:
    found = next((each for each in map(read, (each.text for each in suspect.evidence[:2])) if each is not None), None)
    return found.what if found is not None and found.fault_type == suspect.fault_type else None


def _place(suspect: Suspect) -> str:
    where = suspect.component or suspect.service or "the service"
    return f"{suspect.function} in {where}" if suspect.function else where


def _safe(value: str, key: str) -> str:
    """A name fit for a command line. Names come from logs, and logs are hostile: one with other signs is left out."""
    return value if re.fullmatch(r"(?:[\w./:@+-]|<[\w ]+>)+", value) else f"<{key}>"
