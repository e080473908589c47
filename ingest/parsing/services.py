"""Names of services: from pods, from programs, from files."""

from __future__ import annotations

import re
from typing import Final

_HASH: Final = "[bcdfghjklmnpqrstvwxz2456789]"  # the letters that Kubernetes uses for generated names
_DEPLOYMENT: Final = re.compile(
    rf"^(?P<name>.+?)-(?:{_HASH}{{6,10}}|(?=[a-z]*[0-9])[a-z0-9]{{6,10}})-(?:{_HASH}{{5}}|(?=[a-z]*[0-9])[a-z0-9]{{5}})$"
)
_STATEFUL: Final = re.compile(r"^(?P<name>.*[a-z][a-z0-9.-]*?)-[0-9]{1,4}$")
_DAEMON: Final = re.compile(rf"^(?P<name>.+)-{_HASH}{{5}}$")
_CRONJOB: Final = re.compile(r"^(?P<name>.+?)-[0-9]{8,10}$")

_SUFFIXES: Final = re.compile(
    r"(?:\.(?:gz|zst|zstd|bz2|xz|log|txt|out|err|json|jsonl|ndjson|logs?)|[._-](?:[0-9]{1,3}|[0-9]{4}[-_.]?[0-9]{2}[-_.]?[0-9]{2}"
    r"(?:[T_-]?[0-9:_.-]*)?|[0-9]{10,14}|stdout|stderr|current|previous|baseline|yesterday|today|access|errors?|slow))+$",
    re.IGNORECASE,
)
_NUMBERING: Final = re.compile(r"^(?:[a-z]{1,2}[-_.]?)?[0-9]{2,}(?:[-_.T:][0-9]+)*[-_.]+(?=[a-z])", re.IGNORECASE)
"""What numbers or dates files of several programs: `c-007-nginx.log`, `2026-06-14_nginx.log`."""
_GENERIC_NAMES: Final = """
    app application log logs message messages stdout stderr stdin output out err error errors debug info
    access syslog system console daemon kern kernel main server service all combined default journal
    catalina user trace raw data container pod test tmp temp file input events event audit docker json
    lines
"""
GENERIC: Final = frozenset(_GENERIC_NAMES.split())
"""File names that name no service."""


def of_pod(pod: str) -> str:
    """The workload that a pod's name comes from: `checkout-7d9f8b-x2k4j` -> `checkout`, `db-0` -> `db`.

    Names of Deployments (hash and suffix), StatefulSets (ordinal), DaemonSets and Jobs (suffix), and CronJobs (time).
    """
    for pattern in (_DEPLOYMENT, _DAEMON, _STATEFUL):
        match = pattern.match(pod)
        if match:
            name = match["name"]
            job = _CRONJOB.match(name)
            return job["name"] if job else name
    return pod


def looks_like_pod(name: str) -> bool:
    """Whether a host name is a pod of a Deployment (what a program in a pod takes for its host)."""
    return _DEPLOYMENT.match(name) is not None


def of_program(program: str) -> str:
    """The name of a program without folder and module: `/usr/sbin/gmetad` -> `gmetad`, `sshd(pam_unix)` -> `sshd`."""
    return program.rsplit("/", 1)[-1].split("(", 1)[0].strip().split(" ", 1)[0].removesuffix(".exe") or program


def of_file(path: str) -> str | None:
    """The service that a file is named for, or None where its name is a generic one (`app.log`, `messages.1`)."""
    name = re.split(r"[/\\]", path.rstrip("/\\"))[-1]
    stem = _SUFFIXES.sub("", name.lstrip("."))
    stem = _NUMBERING.sub("", stem)
    if not stem or stem.lower() in GENERIC or not re.search("[A-Za-z]", stem):
        return None
    return of_pod(stem)


def of_envelope(service: str) -> str:
    """The service of an envelope: the part before `/`, where there is one."""
    return service.split("/", 1)[0] or service


def of_object(name: str) -> str | None:
    """The workload of a Kubernetes object as `kubectl get events` names it: `pod/checkout-7d9f8b-x2k4j`."""
    kind, _, rest = name.partition("/")
    return (
        of_pod(rest) if kind.lower() in ("pod", "replicaset", "deployment", "statefulset", "daemonset", "job") else None
    )
