"""What stopped: an expected message that is missing can be the only trace of a fault."""

from __future__ import annotations

from collections.abc import Iterator

from core.domain import Anomaly, AnomalyKind, SuspectKind
from rag.suspects.clue import base_service
from rag.suspects.origin import named_after_file
from rag.suspects.proposal import Facts, Proposal, shorten
from rag.suspects.scene import Scene

_STOPPED = (AnomalyKind.MISSING_TEMPLATE, AnomalyKind.RATE_DROP)


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each service with messages that stopped, led by the most certain of them."""
    stopped: dict[str | None, list[Anomaly]] = {}
    for anomaly in scene.incident.anomalies:
        if anomaly.kind in _STOPPED:
            stopped.setdefault(base_service(anomaly.service), []).append(anomaly)
    by_template = {clue.activity.template_id: clue.service for clue in (*scene.clues, *scene.background)}
    for told, anomalies in stopped.items():
        lead = max(anomalies, key=lambda item: (item.kind is AnomalyKind.MISSING_TEMPLATE, item.score))
        missing = lead.kind is AnomalyKind.MISSING_TEMPLATE
        source = lead.examples[-1].source if lead.examples else ""
        of_file = told is None or named_after_file(told, source)
        service = by_template.get(lead.template_id, told) if of_file else told
        speaks = any(clue.failing for clue in scene.of(service))
        unknown = service is None or (of_file and service == told)  # a recording that ends, as likely as a program
        whose = service or "a source"
        yield Proposal(
            kind=SuspectKind.SILENCE,
            cause=f"{whose} went silent, a heartbeat is missing: no more {shorten(lead.template, 140)!r}",
            why=(lead.why, f"{len(anomalies)} message{'s' if len(anomalies) != 1 else ''} of {whose} stopped or fell"),
            facts=Facts(
                strength=0.6 if missing and not speaks else 0.3,
                novelty=0.8 if missing else 0.4,
                earliness=_earliness(lead, scene),
                severity=0.4,
                silence=lead.score if missing else 0.3 * lead.score,
                remote=max(0.0 if missing else 0.7, 0.6 if unknown else 0.0),
            ),
            evidence=lead.examples[-1:],
            fault_type="heartbeat_missing",
            service=service,
            words=frozenset({"stopped", "silent", "missing", "heartbeat", "no", "not"}),
        )


def _earliness(anomaly: Anomaly, scene: Scene) -> float:
    start, end = scene.incident.starts_at, scene.incident.ends_at
    moment = anomaly.last_seen or anomaly.first_seen
    if start is None or end is None or moment is None or end <= start:
        return 0.7
    return 1.0 - min(max((moment - start) / (end - start), 0.0), 1.0)
