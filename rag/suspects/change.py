"""Change events shortly before the onset: deploys, configuration, migrations, scaling, restarts.

A rollout is told many times: by the deployment tool, the cluster, and the new process. What changed the same service
near the onset is one suspect, led by its most telling event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from core.domain import Category, ChangeEvent, ChangeKind, RuledOut, SuspectKind
from core.stacktrace import root_frame
from rag.suspects.clue import Clue, base_service
from rag.suspects.names import named
from rag.suspects.objects import Subject, is_event, is_platform, subject
from rag.suspects.propagation import Blame
from rag.suspects.proposal import Facts, Proposal, counted, shorten, table_of
from rag.suspects.scene import Scene

LOOKBACK: Final = timedelta(hours=1)
"""Changes older than this are not proposed."""

GRACE: Final = timedelta(seconds=45)
"""A change this long after the onset may still be its cause: an onset is found a little late or early."""

DECAY: Final = timedelta(minutes=10)
"""The closeness of a change falls by 1/e for each of these before the onset."""

_KIND_WEIGHT: Final = {
    ChangeKind.CONFIG: 1.0,
    ChangeKind.MIGRATION: 1.0,
    ChangeKind.DEPLOY: 1.0,
    ChangeKind.SCALE: 0.5,
    ChangeKind.RESTART: 0.2,
}
"""Restarts and scaling are as often the answer to a fault as its cause. The order is that of how much an event tells:
a rollout brings restarts with it, a change of configuration a rollout."""

_FAULT: Final = {
    ChangeKind.DEPLOY: "bad_deploy",
    ChangeKind.CONFIG: "bad_config",
    ChangeKind.MIGRATION: "schema_migration",
    ChangeKind.SCALE: None,
    ChangeKind.RESTART: None,
}
_FLAG: Final = re.compile(r"\bfeature\b|\bflags?\b|toggle|launchdarkly|unleash|experiment|canary", re.IGNORECASE)
_FILE: Final = re.compile(
    r"(?P<file>(?:/?[\w.-]+/)*[\w.-]+\.(?:ya?ml|toml|json|conf|ini|properties|env|sql|xml|cfg))\b"
)
_TABLE: Final = re.compile(
    r"(?i:\b(?:table|relation|on)) (?i:if (?:not )?exists )?[\"'`]?(?:\w+\.)?(?P<name>[a-z_][a-z0-9_]+)"
)
_CONTRACT: Final = frozenset({"code_defect", "bad_input", "version_mismatch"})
"""What a caller reports when the other side answers in a form that it does not know."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """What changed one service near the onset: events by how much they tell."""

    service: str | None
    component: str | None
    events: tuple[ChangeEvent, ...]
    near: float

    @property
    def lead(self) -> ChangeEvent:
        return self.events[0]


def propose(scene: Scene, graph: Blame) -> Iterator[Proposal]:
    """One proposal for each service that was changed near the onset, weighted by whose change it was."""
    for changed in _by_service(scene):
        lead, service = changed.lead, changed.service
        kinship = affinity(service, scene, graph)
        weight = _KIND_WEIGHT[lead.kind]
        follower = _follower(service, scene, graph)
        fault_type = _fault_type(lead, service, follower)
        if fault_type == "version_mismatch":
            kinship = 1.0  # a caller cannot read the answers of what was just changed
        victim = _victim(changed, scene)
        if victim is not None:
            kinship, follower, fault_type = 1.0, victim, "schema_migration"
        if lead.kind is ChangeKind.MIGRATION and not _broke_schema(follower):
            weight *= 0.5  # an index or a table is made every day
        if fault_type == "feature_flag" and (reader := _reads_flag(service, follower, scene)) is not None:
            # A flag has no service of its own, and that of flags only stores it: it is where it is read.
            service, kinship, follower = reader.service, 0.9, reader
            changed = replace(changed, service=service)
        component, function = _place(changed, fault_type, follower)
        then = f"then {counted(follower)}: {shorten(follower.text, 100)}" if follower is not None else ""
        yield Proposal(
            kind=SuspectKind.CHANGE,
            cause=f"{_words(lead.kind, service)}: {shorten(lead.text)}",
            why=tuple(filter(None, (_when(lead, scene), then))),
            facts=Facts(
                strength=0.6 * kinship * weight,
                novelty=kinship * weight,
                earliness=kinship * weight,
                severity=0.4 * kinship * weight,
                change=changed.near * kinship * weight,
            ),
            evidence=(*(event.evidence for event in changed.events[:2]), *((follower.evidence,) if follower else ())),
            fault_type=fault_type,
            service=service,
            component=component,
            function=function,
            words=frozenset({lead.kind.value}),
        )


def _by_service(scene: Scene) -> list[_Changed]:
    groups: dict[str | None, list[tuple[float, ChangeEvent, Subject | None]]] = {}
    for event in scene.changes:
        near = closeness(event, scene)
        if near > 0.0:
            about = about_of(event)
            service = owner_of(event, scene)
            groups.setdefault(service, []).append((near, event, about))
    order = list(_KIND_WEIGHT)
    changed = []
    for service, members in groups.items():
        members.sort(key=lambda each: (order.index(each[1].kind), -each[0]))
        near, _, about = members[0]
        component = about.component if about is not None else None
        changed.append(_Changed(service, component, tuple(event for _, event, _ in members), near))
    return changed


def about_of(event: ChangeEvent) -> Subject | None:
    """Whom a change concerns, where the platform or a deployment tool reports it."""
    told = is_platform(event.service) or is_event(event.evidence.text)
    return subject(event.evidence.text) if told else None


_TOOL: Final = re.compile(
    r"^(?:deploy|release|ci\b|cd\b|jenkins|gitlab|github|spinnaker|octopus|ansible|terraform|pipeline|rundeck|puppet|chef)",
    re.IGNORECASE,
)
"""Programs that roll out others."""


def owner_of(change: ChangeEvent, scene: Scene) -> str | None:
    """Whose change it is: the object's that the platform tells of, the one service that a deployment tool names, else
    the teller's."""
    about = about_of(change)
    if about is not None and about.service:
        return about.service
    teller = base_service(change.service)
    if teller is not None and _TOOL.match(teller):
        others = [name for name in named(change.text, scene.services) if name in scene.services and name != teller]
        if len(others) == 1:
            return others[0]
    return teller


def closeness(change: ChangeEvent, scene: Scene) -> float:
    """1 right before the onset, falling with time; 0 outside the look-back. Where the logs carry no times, half.

    What counts is the onset of the incident, or of the trouble of the changed service where that came later: an
    incident may begin with something else that is odd.
    """
    if scene.onset is None or change.timestamp is None:
        return 0.5
    return max(
        near(onset - change.timestamp) for onset in (scene.onset, _own_onset(change, scene)) if onset is not None
    )


def near(ahead: timedelta) -> float:
    """How close a change is that stands so far `ahead` of what it may have caused: 1 right before, less with time."""
    if ahead < -GRACE or ahead > LOOKBACK:
        return 0.0
    return math.exp(-max(ahead, timedelta(0)) / DECAY)


def _own_onset(change: ChangeEvent, scene: Scene) -> datetime | None:
    """When the trouble of the changed service began, None where it has none of any weight."""
    service = owner_of(change, scene)
    return scene.onset_of(service) if service is not None else None


def affinity(service: str | None, scene: Scene, graph: Blame | None = None) -> float:
    """How much a change of this service concerns the incident."""
    if service is None:
        return 0.6
    if graph is not None and _only_blames(service, scene, graph):
        return 0.5
    if service in scene.symptomatic[:1]:
        return 1.0
    if service in scene.symptomatic or service in scene.incident.services:
        return 0.85
    if graph is not None and graph.mentions(service):
        return 0.7
    return 0.25


def _only_blames(service: str, scene: Scene, graph: Blame) -> bool:
    """Whether all that a service complains of is others that it names: its own change is not at fault, then."""
    failing = [clue for clue in scene.of(service) if clue.troubled and clue.novelty > 0.3]
    others = [clue for clue in failing if any(name in scene.services for name in graph.names(clue))]
    return bool(failing) and len(others) == len(failing) and not graph.callers.get(service)


def ruled_out(scene: Scene, graph: Blame) -> Iterator[RuledOut]:
    """Changes that look like a cause and are not: too early, too late, or of a service without trouble."""
    seen: set[tuple[str | None, str]] = set()
    for change in scene.changes:
        service = owner_of(change, scene)
        reason = _excuse(change, service, scene, graph)
        if reason is not None and (service, change.kind.value) not in seen:
            seen.add((service, change.kind.value))
            what = f"{change.kind.value} of {service or 'unknown service'}: {shorten(change.text, 120)}"
            yield RuledOut(what, reason, (change.evidence,))


def _excuse(change: ChangeEvent, service: str | None, scene: Scene, graph: Blame) -> str | None:
    if scene.onset is not None and change.timestamp is not None:
        ahead = scene.onset - change.timestamp
        if ahead < -GRACE:
            return f"it came {_span(-ahead)} after the onset"
        if ahead > LOOKBACK:
            return f"it came {_span(ahead)} before the onset, too long before"
    if service is not None and affinity(service, scene, graph) <= 0.25:
        return f"{service} shows no trouble; troubled: {', '.join(scene.symptomatic[:4]) or 'none'}"
    return None


def _place(changed: _Changed, fault_type: str | None, follower: Clue | None) -> tuple[str | None, str | None]:
    """What was changed: its configuration or schema, the code that fails since, else its deployment."""
    lead = changed.lead
    if lead.kind is ChangeKind.DEPLOY or fault_type in ("feature_flag", "missing_env_var"):
        frame = root_frame(follower.traces) if follower is not None and follower.service == changed.service else None
        if frame is not None and frame[1].file is not None:
            return frame[1].file, frame[1].function
        return (f"deployment/{changed.service}" if changed.service else changed.component), None
    named = changed.component or _named_object(lead)
    if named is not None:
        return named, None
    file = _FILE.search(lead.text)
    return (file["file"].lstrip("/") if file is not None else None), None


def _named_object(change: ChangeEvent) -> str | None:
    about = subject(change.text)
    if about is not None:
        return about.component
    table = _TABLE.search(change.text)
    return f"table/{table['name']}" if table is not None and change.kind is ChangeKind.MIGRATION else None


def _follower(service: str | None, scene: Scene, graph: Blame) -> Clue | None:
    """The clue that best shows what the change did: the strongest early one of the service, else one that names it."""
    own = [clue for clue in scene.of(service) if clue.failing] if service else [c for c in scene.clues if c.failing]
    candidates: Sequence[Clue] = own or (graph.naming(service) if service else ())
    return max(candidates, key=lambda clue: (clue.reading.strength if clue.reading else 0.0) - clue.age, default=None)


def _victim(changed: _Changed, scene: Scene) -> Clue | None:
    """Whom a migration broke, whoever ran it: a failure of the schema that names the table that was changed."""
    tables = {
        match["name"] for event in changed.events if event.kind is ChangeKind.MIGRATION
        for match in _TABLE.finditer(event.text)
    }  # fmt: skip
    broken = (clue for clue in scene.clues if clue.failing and clue.novelty > 0.3 and _broke_schema(clue))
    return next((clue for clue in broken if table_of(clue.text) in tables), None) if tables else None


def _reads_flag(service: str | None, follower: Clue | None, scene: Scene) -> Clue | None:
    """The clue of the service in which a flag shows, where the one that tells of the flag has no trouble itself."""
    if service is None:
        return follower
    own = [clue.reading for clue in scene.of(service) if clue.troubled]
    if any(reading is None or reading.fault_type != "feature_flag" for reading in own):
        return None
    failing = [clue for clue in scene.clues if clue.troubled and clue.novelty > 0.6 and clue.service != service]
    return max(failing, key=lambda clue: (bool(clue.traces), clue.severity, -clue.age), default=None)


def _fault_type(change: ChangeEvent, service: str | None, follower: Clue | None) -> str | None:
    """The kind of change, made specific by what it led to where that is itself a fault of deploy or configuration."""
    if _FLAG.search(change.text) and change.kind in (ChangeKind.CONFIG, ChangeKind.DEPLOY):
        return "feature_flag"
    reading = follower.reading if follower is not None else None
    if reading is not None and follower is not None:
        if reading.category is Category.DEPLOY_CONFIG and reading.strength >= 0.85:
            return reading.fault_type
        elsewhere = service is not None and follower.service != service
        if elsewhere and change.kind is ChangeKind.DEPLOY and reading.fault_type in _CONTRACT:
            return "version_mismatch"
    return _FAULT[change.kind]


def _broke_schema(follower: Clue | None) -> bool:
    reading = follower.reading if follower is not None else None
    return reading is not None and reading.fault_type in ("schema_migration", "lock_contention", "constraint_violation")


def _words(kind: ChangeKind, service: str | None) -> str:
    whose = f" of {service}" if service else ""
    return {
        ChangeKind.DEPLOY: f"deploy{whose} just before",
        ChangeKind.CONFIG: f"configuration change{whose} just before",
        ChangeKind.MIGRATION: f"database migration{whose} just before",
        ChangeKind.SCALE: f"scaling{whose} just before",
        ChangeKind.RESTART: f"restart{whose} just before",
    }[kind]


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


def credited(items: Sequence[Proposal], scene: Scene) -> list[Proposal]:
    """Proposals of a service that was just changed get a part of the change's weight."""
    items = [_by_policy(item, scene) for item in items]
    near = {each.service: each.near * _KIND_WEIGHT[each.lead.kind] for each in _by_service(scene)}
    return [
        replace(item, facts=replace(item.facts, change=max(item.facts.change, 0.2 * near.get(item.service, 0.0))))
        if item.service is not None
        else item
        for item in items
    ]


def _by_policy(item: Proposal, scene: Scene) -> Proposal:
    """A cut network whose policy was just changed has that change's weight."""
    if item.fault_type != "network_partition" or not (item.component or "").startswith("networkpolicy/"):
        return item
    near = [
        closeness(change, scene)
        for change in scene.changes
        if (about := about_of(change)) is not None and about.component == item.component
    ]
    return replace(item, facts=replace(item.facts, change=max([item.facts.change, *(0.6 * each for each in near)])))
