"""Change events shortly before the onset: deploys, configuration, migrations, scaling, restarts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from core.domain import Category, ChangeEvent, ChangeKind, RuledOut, SuspectKind
from rag.suspects.proposal import Facts, Proposal, counted, shorten
from rag.suspects.scene import Clue, Scene, base_service

LOOKBACK: Final = timedelta(hours=1)
"""Changes older than this are not proposed."""

GRACE: Final = timedelta(seconds=90)
"""A change this long after the onset may still be its cause: an onset is found a little late or early."""

HALF: Final = timedelta(minutes=10)
"""The closeness of a change falls by 1/e for each of these before the onset."""

_KIND_WEIGHT: Final = {
    ChangeKind.DEPLOY: 1.0,
    ChangeKind.CONFIG: 1.0,
    ChangeKind.MIGRATION: 1.0,
    ChangeKind.SCALE: 0.6,
    ChangeKind.RESTART: 0.25,
}
"""Restarts and scaling are as often the answer to a fault as its cause."""

_FAULT: Final = {
    ChangeKind.DEPLOY: "bad_deploy",
    ChangeKind.CONFIG: "bad_config",
    ChangeKind.MIGRATION: "schema_migration",
    ChangeKind.SCALE: None,
    ChangeKind.RESTART: None,
}
_FLAG: Final = re.compile(
    r"feature[ _-]?(?:flag|toggle|gate)|\bflags?\b|launchdarkly|unleash|experiment|rollout of", re.IGNORECASE
)
_OBJECT: Final = re.compile(
    r"\b(?P<kind>deployment|statefulset|daemonset|configmap|secret|job|cronjob|ingress|service|pod|replicaset|release|node)"
    r"s?(?:\.apps)?[/ ][\"'`]?(?P<name>[a-z0-9][a-z0-9.-]*[a-z0-9])",
    re.IGNORECASE,
)
_FILE: Final = re.compile(
    r"(?P<file>(?:/?[\w.-]+/)*[\w.-]+\.(?:ya?ml|toml|json|conf|ini|properties|env|sql|py|rb|xml|cfg))\b"
)


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each change near the onset, weighted by whose change it was."""
    for change in scene.changes:
        near = closeness(change, scene)
        if near <= 0.0:
            continue
        service = base_service(change.service)
        kinship = affinity(service, scene)
        fact = near * kinship * _KIND_WEIGHT[change.kind]
        follower = _follower(service, scene)
        fault_type = _fault_type(change, follower)
        followed = (
            (f"then {counted(follower)} in {follower.service}: {shorten(follower.text, 100)}",) if follower else ()
        )
        yield Proposal(
            kind=SuspectKind.CHANGE,
            cause=f"{_words(change)}: {shorten(change.text)}",
            why=(_when(change, scene), *followed),
            facts=Facts(
                strength=0.6 * kinship,
                novelty=kinship,
                earliness=kinship,
                severity=0.4 * kinship,
                change=fact,
            ),
            evidence=(change.evidence, *((follower.evidence,) if follower else ())),
            fault_type=fault_type,
            service=service,
            component=component(change),
            words=frozenset({change.kind.value}),
        )


def closeness(change: ChangeEvent, scene: Scene) -> float:
    """1 right before the onset, falling with time; 0 outside the look-back.

    Half where the logs carry no times; little where only the change has none.
    """
    if scene.onset is None:
        return 0.5
    if change.timestamp is None:
        return 0.15
    ahead = scene.onset - change.timestamp
    if ahead < -GRACE or ahead > LOOKBACK:
        return 0.0
    return math.exp(-max(ahead, timedelta(0)) / HALF)


def affinity(service: str | None, scene: Scene) -> float:
    """How much a change of this service concerns the incident."""
    if service is None:
        return 0.6
    if service in scene.symptomatic[:1]:
        return 1.0
    if service in scene.symptomatic or service in scene.incident.services:
        return 0.85
    return 0.25


def ruled_out(scene: Scene) -> Iterator[RuledOut]:
    """Changes that look like a cause and are not: too early, too late, or of a service without trouble."""
    for change in scene.changes:
        what = f"{change.kind.value} of {change.service or 'unknown service'}: {shorten(change.text, 120)}"
        if scene.onset is not None and change.timestamp is not None:
            ahead = scene.onset - change.timestamp
            if ahead < -GRACE:
                yield RuledOut(what, f"it came {_span(-ahead)} after the onset", (change.evidence,))
                continue
            if ahead > LOOKBACK:
                yield RuledOut(what, f"it came {_span(ahead)} before the onset, too long before", (change.evidence,))
                continue
        if change.service is not None and affinity(base_service(change.service), scene) <= 0.25:
            troubled = ", ".join(scene.symptomatic[:4]) or "none"
            yield RuledOut(what, f"{change.service} shows no trouble; troubled: {troubled}", (change.evidence,))


def component(change: ChangeEvent) -> str | None:
    """The object or file that was changed, else the deployment of the service."""
    match = _OBJECT.search(change.text)
    if match is not None:
        return f"{match['kind'].lower()}/{match['name']}"
    file = _FILE.search(change.text)
    if file is not None and change.kind in (ChangeKind.CONFIG, ChangeKind.MIGRATION):
        return file["file"].lstrip("/")
    if change.service is not None and change.kind is ChangeKind.DEPLOY:
        return f"deployment/{change.service}"
    return None


def _follower(service: str | None, scene: Scene) -> Clue | None:
    """The clue that best shows what the change did: the strongest early one of the same service."""
    own = (
        [clue for clue in scene.of(service) if clue.failing]
        if service
        else [clue for clue in scene.clues if clue.failing]
    )
    return max(own, key=lambda clue: (clue.reading.strength if clue.reading else 0.0) - clue.age, default=None)


def _fault_type(change: ChangeEvent, follower: Clue | None) -> str | None:
    """The kind of change, made specific by what it led to where that is itself a fault of deploy or configuration."""
    if _FLAG.search(change.text) and change.kind in (ChangeKind.CONFIG, ChangeKind.DEPLOY):
        return "feature_flag"
    reading = follower.reading if follower is not None else None
    if reading is not None and reading.category is Category.DEPLOY_CONFIG and reading.strength >= 0.85:
        return reading.fault_type
    return _FAULT[change.kind]


def _words(change: ChangeEvent) -> str:
    whose = f" of {change.service}" if change.service else ""
    return {
        ChangeKind.DEPLOY: f"deploy{whose} just before",
        ChangeKind.CONFIG: f"configuration change{whose} just before",
        ChangeKind.MIGRATION: f"database migration{whose} just before",
        ChangeKind.SCALE: f"scaling{whose} just before",
        ChangeKind.RESTART: f"restart{whose} just before",
    }[change.kind]


def _when(change: ChangeEvent, scene: Scene) -> str:
    if change.timestamp is None or scene.onset is None:
        return f"a {change.kind.value} is in the logs, at a time that they do not tell"
    ahead = scene.onset - change.timestamp
    if ahead >= timedelta(0):
        return f"{_span(ahead)} before the onset at {scene.onset:%H:%M:%S}"
    return f"{_span(-ahead)} after the first sign, within the uncertainty of the onset"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def credited(proposal: Proposal, scene: Scene) -> Proposal:
    """A clue's proposal of a service that was just changed gets a part of the change's weight."""
    near = max(
        (
            closeness(change, scene) * _KIND_WEIGHT[change.kind]
            for change in scene.changes
            if change.service is not None and base_service(change.service) == proposal.service
        ),
        default=0.0,
    )
    return replace(proposal, facts=replace(proposal.facts, change=max(proposal.facts.change, 0.4 * near)))
