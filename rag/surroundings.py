"""Where the programs of an incident run, as far as the logs tell: which commands can help there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

from core.domain import Incident, Suspect
from core.findings import Detection


class Platform(StrEnum):
    """What runs the programs. A machine is whatever shows no orchestrator and no system log of its own."""

    KUBERNETES = "kubernetes"
    BUILD = "build"
    HOST = "host"
    MACHINE = "machine"


class Database(StrEnum):
    """A kind of SQL database that has its own commands; UNKNOWN: nothing says which."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    UNKNOWN = "unknown database"


_TEXTS: Final = 1_000
"""Lines and templates that are looked at, at most."""
_PLATFORMS: Final = {
    Platform.KUBERNETES: re.compile(
        r"\bkubelet\b|\bkube-\w|\bkubernetes\b|\.svc(?:\.cluster\.local)?[:/\s\"',]|\breplica ?set\b"
        r"|\bScalingReplicaSet\b|\b(?:Liveness|Readiness|Startup) probe\b"
        r"|\bFailedScheduling\b|\b(?:CrashLoop|ImagePull)BackOff\b"
        r"|\b(?:pod|deployment|replicaset|statefulset|daemonset)s?(?:\.apps)?[/=\"]",
        re.IGNORECASE,
    ),
    Platform.BUILD: re.compile(
        r"##\[(?:error|group|endgroup|section|command|warning)\]|^::(?:error|group)"
        r"|\bProcess completed with exit code\b|\bRunning with gitlab-runner\b|\bJob (?:failed|succeeded)\b"
        r"|\[Pipeline\]|\bBUILD FAIL(?:ED|URE)\b"
        r"|\bnpm ERR!|=+ test session starts =+|^error: could not compile\b"
    ),
    Platform.HOST: re.compile(
        r"^(?:<\d{1,3}>)?(?:\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) [\w.-]+ [\w./@-]+(?:\[\d+\])?: "
        r"|\bsystemd(?:-\w+)?\[\d+\]|\.service: "
    ),
}
_DATABASES: Final = {
    Database.POSTGRES: re.compile(r"postgres|psycopg|\bpsql|\bpgx\b|\bpg_\w|pgbouncer", re.IGNORECASE),
    Database.MYSQL: re.compile(r"mysql|mariadb|innodb|galera|percona", re.IGNORECASE),
}


def platform_of(incident: Incident, detection: Detection) -> Platform:
    """Where an incident happened: Kubernetes shows in its events, its agents' lines and its names, a build in the
    marks of its runner, a host in the header of its system log."""
    texts = list(islice(_texts(incident, detection), _TEXTS))
    shown = (platform for platform, sign in _PLATFORMS.items() if any(sign.search(text) for text in texts))
    return next(shown, Platform.MACHINE)


def database_of(suspect: Suspect, services: Sequence[str] = ()) -> Database:
    """The database that a suspect speaks of; else the only one among the services of the incident."""
    said = " ".join((suspect.service or "", suspect.cause, *(entry.text for entry in suspect.evidence)))
    named = next((name for name, pattern in _DATABASES.items() if pattern.search(said)), None)
    there = [name for name, pattern in _DATABASES.items() if any(map(pattern.search, services))]
    return named or (there[0] if len(there) == 1 else Database.UNKNOWN)


def services_of(incident: Incident, detection: Detection) -> tuple[str, ...]:
    """The services of an incident, and those that write beside them."""
    beside = (template.service for template in detection.templates.values() if template.service)
    return tuple(dict.fromkeys((*incident.services, *beside)))


def _texts(incident: Incident, detection: Detection) -> Iterator[str]:
    yield from incident.services
    yield from (change.evidence.text for change in detection.changes)
    for anomaly in incident.anomalies:
        yield from (entry.text for entry in anomaly.examples)
    yield from (template.text for template in detection.templates.values())
