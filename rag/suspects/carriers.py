"""Whose trouble the operating system tells of: a kernel, an init system or a container runtime speaks of others.

A kill for want of memory names the process, or the unit of its control group; so do a crash and a denied access; an
init system names its unit. Names of interpreters (`python`, `java`) are no names of programs. Where none is told, the
record stays the carrier's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from rag.kubernetes import workload
from rag.suspects.clue import Clue

_KILLED: Final = (
    re.compile(r"^(?:traps: )?(?P<name>[\w./-]{2,40})\[\d+\]:? (?:segfault at|general protection)"),
    re.compile(r"\bavc: +denied .*?\bcomm=\"(?P<name>[\w./-]{2,40})\""),
    re.compile(r"\bapparmor=\"DENIED\".*?\bcomm=\"(?P<name>[\w./-]{2,40})\""),
    re.compile(r"\bkill(?:ed|ing)? process \d+,? ?\((?P<name>[^)]{2,40})\)", re.IGNORECASE),
    re.compile(r"\boom-kill:.*?\btask=(?P<name>[\w./-]{2,40}),"),
)
_CGROUP: Final = re.compile(r"task_memcg=/?(?:[^,\s]*/)?(?P<unit>[\w@-]+)\.service\b")
_CONTAINER: Final = re.compile(r"kubepods|docker|containerd|memory cgroup out of memory", re.IGNORECASE)
_UNIT: Final = re.compile(r"^(?P<unit>[a-z][\w@-]*)\.service: ", re.IGNORECASE)
_INTERPRETERS: Final = re.compile(
    r"^(?:python[\d.]*|java|node|nodejs|ruby|php(?:-fpm)?[\d.]*|perl|dotnet|bash|sh|dash|uwsgi|gunicorn|main|server|app)$"
)
_INIT: Final = frozenset({"systemd", "init", "supervisord", "monit", "runit"})


def told_of(clues: Sequence[Clue], services: Collection[str]) -> list[Clue]:
    """The clues, those that an operating system tells of a program with that program as their service.

    `services` are those that the logs know: a process or a unit that one of them stands for is called by its name.
    """
    known = list(services)
    pods = _pods(clues)
    killed = {clue.citation: name for clue in clues if clue.kernel and (name := _killed(clue, known, pods)) is not None}
    known += killed.values()
    told = dict(killed)
    for clue in clues:
        if clue.service is None and clue.kernel:
            told.setdefault(clue.citation, "kernel")
        unit = _UNIT.search(clue.text) if clue.service in _INIT else None
        if unit is not None:
            name = unit["unit"].split("@", 1)[0].lower()
            told[clue.citation] = _known(name, known) or name
    return [replace(clue, service=told[clue.citation]) if clue.citation in told else clue for clue in clues]


_CONTAINER_OF: Final = re.compile(
    r"\bcontainer[= :]+[\"'`]?(?P<container>[a-z][\w-]*)\b[^\n]{0,40}?"
    r"\bpod[= :/]+[\"'`]?(?:[\w-]+/)?(?P<pod>[a-z][a-z0-9-]*)"
)


def _pods(clues: Sequence[Clue]) -> dict[str, str]:
    """The workload of each container that the platform names with its pod; none for a name that several have."""
    found: dict[str, set[str]] = {}
    for clue in clues:
        for match in _CONTAINER_OF.finditer(clue.text[:2_000]):
            found.setdefault(match["container"], set()).add(workload(match["pod"]))
    return {container: next(iter(owners)) for container, owners in found.items() if len(owners) == 1}


def _killed(clue: Clue, services: Collection[str], pods: Mapping[str, str]) -> str | None:
    """The program that a kernel killed or denied something.

    What a container's process is called says little: there it must be known, or be the only container of that name.
    """
    text = clue.text[:2_000]
    process = next((match for pattern in _KILLED if (match := pattern.search(text)) is not None), None)
    if process is None:
        return None
    unit = _CGROUP.search(text)
    names = [process["name"].rsplit("/", 1)[-1].lower(), *([unit["unit"].lower()] if unit is not None else [])]
    known = next((service for name in names if (service := _known(name, services)) is not None), None)
    known = known or next((pods[name] for name in names if name in pods), None)
    if known is not None or _CONTAINER.search(text):
        return known
    return next((name for name in names if not _INTERPRETERS.match(name)), None)


def _known(name: str, services: Collection[str]) -> str | None:
    """The service of that name; `mysqld` is `mysql`'s daemon."""
    for service in services:
        lowered = service.lower()
        if lowered == name or f"{lowered}d" == name or f"{name}d" == lowered:
            return service
    return None
