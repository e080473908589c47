"""Symptoms -> incidents: what belongs together, whether it is an incident, how bad, and what to call it.

Symptoms join when they are near in time and related: the same service, a shared trace id, or one message that names the
other's service. Groups of them are one incident when they begin and last together, or say the same again. Weak symptoms
(a harmless new message, a busier template) never open an incident nor bridge two of them; they join the one they
accompany.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core import severity
from core.domain import Anomaly, AnomalyKind, ChangeEvent, Incident, Status
from core.severity import Level
from ingest.activity import to_datetime
from ingest.anomalies.judge import ERRORS
from ingest.anomalies.symptom import Symptom, evidence_of
from ingest.anomalies.symptoms import is_refused_request
from ingest.counts import SECOND

CORE: Final = 0.3
"""Weight from which a symptom may open an incident."""

STRONG: Final = 0.5
"""Weight from which a symptom may join others into one incident over time."""

OPENS: Final = 0.5
"""Combined weight, 1 - prod(1 - w), from which symptoms are an incident."""

CERTAIN: Final = 0.85
"""Combined weight from which symptoms without a time are an incident in a log that has times."""

MOST_SYMPTOMS: Final = 400
"""Symptoms that are grouped; the strongest are kept."""

MOST_ANOMALIES: Final = 40
"""Anomalies that one incident carries; the strongest are kept."""

ALIKE: Final = 0.6
"""Share of what two groups say that makes them alike."""

PART: Final = 1 / 3
"""Share of an incident that a group without a common service may last and be a part of it."""

OUTAGE: Final = 10
"""Records from which failures can be an outage."""
BRIEF: Final = 30 * SECOND
"""Microseconds below which failures, however many, do not show that a service is down."""

_DROPS: Final = (AnomalyKind.RATE_DROP, AnomalyKind.MISSING_TEMPLATE)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The end of the judged input and the gaps that matter on one axis, in the axis's unit.

    Symptoms of one service that are at most `gap` apart belong together; onsets at most `onset` apart are simultaneous;
    the same symptoms at most `again` apart are one incident.
    """

    end: int
    gap: int
    onset: int
    again: int
    width: int
    last: int
    """Of the last record: what is missing is missing until its bucket ends, and the logs tell of nothing later."""


def group(symptoms: Sequence[Symptom], horizon: Horizon) -> list[list[Symptom]]:
    """Symptoms of one axis that are incidents, each as a group in order of start; groups in order of start."""
    chosen = sorted(symptoms, key=lambda s: (-s.weight, s.start, s.anomaly.template_id))[:MOST_SYMPTOMS]
    strong = sorted((s for s in chosen if _is_strong(s)), key=_by_start)
    milder = sorted((s for s in chosen if s.weight >= CORE and not _is_strong(s)), key=_by_start)
    groups = _join(strong, horizon)
    # What is milder goes with what is strong, and does not bridge it: it may well last from one incident to the next.
    alone = [symptom for symptom in milder if not _accompany(symptom, groups, horizon)]
    groups = _merged(groups, horizon)
    for members in _join(alone, horizon):
        home = next((g for g in groups if _one(*_in_order(g, members, horizon), horizon)), None)
        if home is None:
            groups.append(members)
        else:
            home.extend(members)
    groups = [g for g in groups if _evidence(g) >= OPENS]
    for symptom in sorted((s for s in chosen if s.weight < CORE), key=_by_start):
        _accompany(symptom, groups, replace(horizon, gap=horizon.onset))
    groups = [sorted(members, key=_by_start) for members in groups]
    return sorted(groups, key=lambda members: _onset(members, horizon))


def _is_strong(symptom: Symptom) -> bool:
    """Whether it joins others over time. Scanners come and go all day, whatever fails meanwhile."""
    return symptom.weight >= STRONG and not _is_refused(symptom)


def _is_refused(symptom: Symptom) -> bool:
    return symptom.anomaly.severity < severity.ERROR and is_refused_request(symptom.message)


def _merged(groups: Sequence[list[Symptom]], horizon: Horizon) -> list[list[Symptom]]:
    """Groups that are one incident (`_one`), until none are."""
    merged: list[list[Symptom]] = []
    for members in sorted(groups, key=lambda members: _onset(members, horizon)):
        home = next((g for g in merged if _one(g, members, horizon)), None)
        if home is None:
            merged.append(list(members))
        else:
            home.extend(members)
    return merged


def _one(earlier: Sequence[Symptom], later: Sequence[Symptom], horizon: Horizon) -> bool:
    """Whether a group is part of one that began before it.

    It is when both last at the same time and share a service: an effect that began late, or a milder sign. When both
    begin together, or last together for most of their time: two systems that fail at once have one cause more often
    than two. When it is but a short part of the other. And when the same is said again soon after: a program that is
    killed, and starts, and is killed again.
    """
    first, until = extent(earlier, horizon)
    start, end = extent(later, horizon)
    if start > until + horizon.onset:
        # Errors that are too few to stretch an incident still show that it goes on.
        last = max((s.end for s in earlier if s.weight >= CORE and s.alarm >= ERRORS), default=until)
        return start <= max(last, until) + horizon.again and _alike(earlier, later)
    if frozenset(_services(earlier)) & frozenset(_services(later)):
        return True
    if end <= until + horizon.onset and end - start <= PART * (until - first) and start > first + horizon.onset:
        return True
    # The main symptoms count too: what accompanies one may have begun before it.
    apart = min(start - first, abs(_main(later).start - _main(earlier).start))
    if apart <= max(horizon.onset, horizon.gap // 4):
        return True
    return 2 * (min(until, end) - start) >= max(until - first, end - start)


def _main(members: Sequence[Symptom]) -> Symptom:
    return min(members, key=lambda symptom: (-symptom.weight, _by_start(symptom)))


def _alike(a: Sequence[Symptom], b: Sequence[Symptom]) -> bool:
    """Whether most of what the weaker of two groups says is what the other says too."""
    ours, theirs = _said(a), _said(b)
    common = sum(min(ours[key], theirs[key]) for key in ours.keys() & theirs.keys())
    return common >= ALIKE * min(sum(ours.values()), sum(theirs.values()))


def _said(members: Sequence[Symptom]) -> dict[tuple[int, str | None], float]:
    said: dict[tuple[int, str | None], float] = {}
    for symptom in members:
        if symptom.weight >= CORE:
            key = symptom.anomaly.template_id, symptom.anomaly.service
            said[key] = max(symptom.weight, said.get(key, 0.0))
    return said


def extent(members: Sequence[Symptom], horizon: Horizon) -> tuple[int, int]:
    """First and last moment of a group: of its strong symptoms, and of milder ones that keep within the gap of them.

    A mild symptom that lasts for hours is no reason to say that the outage in its midst did.
    """
    cores = [s for s in members if s.weight >= CORE] or list(members)
    strong = [s for s in cores if _is_strong(s)] or cores
    start, end = min(s.start for s in strong), max(s.end for s in strong)
    near = [s for s in cores if s.start >= start - horizon.gap and s.end <= end + horizon.gap]
    return min(s.start for s in [*strong, *near]), max(s.end for s in [*strong, *near])


def _accompany(symptom: Symptom, groups: Sequence[list[Symptom]], horizon: Horizon) -> bool:
    """Adds a symptom to the group that it shares most time with among those it is related to; False where none is."""
    best, most = None, -1
    for members in groups:
        related = [s for s in members if s.weight >= CORE and _related(s, symptom, horizon)]
        if not related:
            continue
        start, end = min(s.start for s in related), max(s.end for s in related)
        shared = max(0, min(end, symptom.end) - max(start, symptom.start))
        if shared > most:
            best, most = members, shared
    if best is not None:
        best.append(symptom)
    return best is not None


def merge_axes(timed: list[list[Symptom]], untimed: list[list[Symptom]]) -> list[list[Symptom]]:
    """Groups of both axes. What has no time joins the timed group that it has most to do with, for it may be that."""
    if not timed:
        return [list(members) for members in untimed]
    groups = [list(members) for members in timed]
    for members in untimed:
        max(groups, key=lambda group: (_common(group, members), _evidence(group))).extend(members)
    return groups


def certain(groups: Sequence[list[Symptom]]) -> list[list[Symptom]]:
    """The groups that are an incident even though nothing says when they happened, beside records that do."""
    return [members for members in groups if _evidence(members) >= CERTAIN]


def _common(a: Sequence[Symptom], b: Sequence[Symptom]) -> int:
    """Services that two groups share or name."""
    ours, theirs = frozenset(_services(a)), frozenset(_services(b))
    named = frozenset(s for symptom in a for s in symptom.mentions)
    called = frozenset(s for symptom in b for s in symptom.mentions)
    return 2 * len(ours & theirs) + len(ours & called) + len(theirs & named)


def _join(cores: Sequence[Symptom], horizon: Horizon) -> list[list[Symptom]]:
    parent = list(range(len(cores)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for j, later in enumerate(cores):
        for i in range(j):
            if root(i) != root(j) and _related(cores[i], later, horizon):
                parent[root(j)] = root(i)
    groups: dict[int, list[Symptom]] = {}
    for i, core in enumerate(cores):
        groups.setdefault(root(i), []).append(core)
    return list(groups.values())


def _related(a: Symptom, b: Symptom, horizon: Horizon) -> bool:
    gap = max(a.start, b.start) - min(a.end, b.end)
    if gap > horizon.gap:
        return False
    ours, theirs = a.anomaly.service, b.anomaly.service
    if ours == theirs or ours is None or theirs is None:
        return True
    return bool(a.trace_ids & b.trace_ids) or ours in b.mentions or theirs in a.mentions


def _in_order(a: list[Symptom], b: list[Symptom], horizon: Horizon) -> tuple[list[Symptom], list[Symptom]]:
    return (a, b) if _onset(a, horizon) <= _onset(b, horizon) else (b, a)


def _onset(members: Sequence[Symptom], horizon: Horizon) -> tuple[int, int, int, str, str]:
    """When a group begins (`extent`: a mild symptom that began hours before it is not its onset), and its name."""
    return extent(members, horizon)[0], *min(_by_start(symptom) for symptom in members)


def _by_start(symptom: Symptom) -> tuple[int, int, str, str]:
    return symptom.start, symptom.anomaly.template_id, symptom.anomaly.service or "", symptom.anomaly.kind


def _evidence(members: Sequence[Symptom]) -> float:
    strongest: dict[int | str, float] = {}
    for symptom in members:
        # One scanner, or one client that asks for what is not there, writes as many templates as it asks for pages.
        key = f"requests of {symptom.anomaly.service}" if _is_refused(symptom) else symptom.anomaly.template_id
        strongest[key] = max(strongest.get(key, 0.0), evidence_of(symptom))
    doubt = 1.0
    for weight in strongest.values():
        doubt *= 1.0 - weight
    return 1.0 - doubt


def _services(members: Sequence[Symptom]) -> tuple[str, ...]:
    """Services of the members, the most affected first."""
    weights: dict[str, float] = {}
    for symptom in members:
        if symptom.anomaly.service:
            weights[symptom.anomaly.service] = weights.get(symptom.anomaly.service, 0.0) + symptom.weight
    return tuple(sorted(weights, key=lambda service: (-weights[service], service)))


Share = Callable[[int, int, tuple[str, ...]], float]
"""Share of failing records among all of some services in [start, end] of an axis."""


def describe(
    members: Sequence[Symptom],
    horizon: Horizon,
    share: Share,
    changes: Sequence[ChangeEvent],
    anomalies: Mapping[int, Anomaly],
) -> Incident:
    """The incident of a group. `anomalies` holds the anomaly of each member by its `id()`, with evidence filled in."""
    timed = any(s.timed for s in members)
    start, end = extent([s for s in members if s.timed == timed], horizon)
    services = _services([s for s in members if s.weight >= CORE]) or _services(members)
    brief = timed and end - start < BRIEF
    level, reason = _level(members, share(start, end, services), brief)
    fingerprint = _fingerprint(services, members)
    starts_at, ends_at = (to_datetime(start), to_datetime(min(end, horizon.last))) if timed else (None, None)
    ranked = sorted(members, key=lambda s: (-s.weight, s.start, s.anomaly.template_id))[:MOST_ANOMALIES]
    status: Status = "firing" if end >= horizon.end - horizon.gap // 2 else "resolved"
    return Incident(
        id=f"{fingerprint}-{_stamp(starts_at, start)}",
        fingerprint=fingerprint,
        level=level,
        level_reason=reason,
        status=status,
        starts_at=starts_at,
        ends_at=ends_at,
        services=services,
        title=title(members, services),
        anomalies=tuple(anomalies[id(symptom)] for symptom in ranked),
        changes=tuple(c for c in changes if _near(c, starts_at, ends_at, horizon)),
    )


def _near(change: ChangeEvent, start: datetime | None, end: datetime | None, horizon: Horizon) -> bool:
    if start is None or end is None or change.timestamp is None:
        return start is None and change.timestamp is None
    return (start - change.timestamp).total_seconds() * 1e6 <= 2 * horizon.gap and change.timestamp <= end


def _stamp(starts_at: datetime | None, start: int) -> str:
    return starts_at.strftime("%Y%m%dT%H%M%S") if starts_at else f"r{start}"


def _fingerprint(services: Sequence[str], members: Sequence[Symptom]) -> str:
    """The same for the same fault at another time: services and the templates that speak for trouble, no times."""
    templates = sorted({s.anomaly.template_id for s in members if s.weight >= CORE})
    text = "\x1f".join([*sorted(services), *(f"{template_id:016x}" for template_id in templates)])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _level(members: Sequence[Symptom], share: float, brief: bool) -> tuple[Level, str]:
    """How bad: failing share of the affected services' records first, then the worst thing said.

    A few failures within seconds show no outage, even where nothing else is written: some logs hold only errors.
    """
    worst = (
        max(s.anomaly.severity for s in members if s.anomaly.kind not in _DROPS or s.weight < CORE)
        if any(s.anomaly.kind not in _DROPS or s.weight < CORE for s in members)
        else 0
    )
    alarm = max(s.alarm for s in members)
    silent = sorted(
        {s.anomaly.service or "a service" for s in members if s.anomaly.kind in _DROPS and s.weight >= CORE}
    )
    percent = f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
    said = severity.name(worst) if worst else "failure"
    many = sum(s.anomaly.count for s in members) >= OUTAGE
    if many and share >= 0.5 and (worst >= severity.ERROR or alarm >= 0.8) and not brief:
        return "disaster", f"{percent} of the affected services' records fail"
    if silent and worst >= severity.FATAL:
        return "disaster", f"{said} records, and {', '.join(silent)} fell silent"
    if worst >= severity.ERROR or alarm >= 0.8:
        return "high", f"{said} messages that are not normal; {percent} of the affected services' records fail"
    if share >= 0.2:
        return "high", f"{percent} of the affected services' records fail"
    if silent:
        return "high" if len(silent) > 1 else "warning", f"{', '.join(silent)} logs far less than it should"
    failing = f"{percent} of the records fail" if share >= 0.01 else "no more errors than usual"
    return "warning", f"unusual messages; {failing}"


_VERBS: Final = {
    AnomalyKind.NEW_TEMPLATE: "new",
    AnomalyKind.RARE_TEMPLATE: "rare",
    AnomalyKind.RATE_SPIKE: "more often than usual",
    AnomalyKind.RATE_DROP: "far less often than usual",
    AnomalyKind.MISSING_TEMPLATE: "stopped",
    AnomalyKind.NEW_VALUE: "new value",
    AnomalyKind.NUMERIC_SHIFT: "numbers moved",
}


def title(members: Sequence[Symptom], services: Sequence[str]) -> str:
    """What a person would say: the service, and its main symptom in its own words."""
    main = min(members, key=lambda s: (-round(s.alarm * s.weight + 0.5 * s.weight, 2), s.start, -s.anomaly.count))
    text = _shorten(main.message or main.anomaly.template)
    kind = main.anomaly.kind
    if kind in _DROPS:
        text = f'no more "{text}"' if kind is AnomalyKind.MISSING_TEMPLATE else f'far fewer "{text}"'
    elif kind not in (AnomalyKind.NEW_TEMPLATE, AnomalyKind.RARE_TEMPLATE):
        text = f"{text} ({_VERBS[kind]})"
    service = main.anomaly.service
    others = len([s for s in services if s != service])
    where = service or (services[0] if services else "")
    more = f" (and {others} more service{'s' if others > 1 else ''})" if others and service else ""
    return f"{where}{more}: {text}" if where else text


def _shorten(message: str, limit: int = 110) -> str:
    line = " ".join(message.split("\n", 1)[0].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def with_examples(anomaly: Anomaly, evidence: Sequence[object]) -> Anomaly:
    """The anomaly with its evidence lines."""
    return replace(anomaly, examples=tuple(evidence))  # type: ignore[arg-type]  # Evidence by construction
