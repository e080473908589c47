"""What `kubectl` printed into the logs: described objects and event tables, read once for all mechanisms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.domain import Citation, LogRecord
from core.findings import Detection
from rag.kubernetes import Event, KubernetesObject, Line, listed_events, looks_like_head, objects

MAX_DUMPS: Final = 40
DUMP_LINES: Final = 600
"""Of one dump that are read: a described node with all its pods fits."""

_HEAD: Final = re.compile(r"Name:|\s*Type\s+Reason\s+Age|(?:NAMESPACE\s+)?LAST SEEN\s")


@dataclass(frozen=True, slots=True)
class Dumps:
    """Objects and events in the order they stand; `places` are the lines that they take up."""

    objects: tuple[KubernetesObject, ...] = ()
    events: tuple[Event, ...] = ()
    places: frozenset[Citation] = frozenset()

    def only_workload(self, source: str) -> str | None:
        """The workload that all dumps of a source are about, None where there is none or several."""
        names = {item.workload for item in self.objects if item.head.citation.source == source and item.kind != "node"}
        return names.pop() if len(names) == 1 else None


def read_dumps(detection: Detection) -> Dumps:
    """Everything that `kubectl describe` and `kubectl get events` printed, bounded in number and length."""
    heads: set[Citation] = set()
    for row in detection.history.activity(None, None):
        if _HEAD.match(row.text):
            heads.update(detection.history.examples(row.template_id, row.service, None, None, MAX_DUMPS))
    found: list[KubernetesObject] = []
    events: list[Event] = []
    covered: dict[str, int] = {}
    for head in sorted(heads)[:MAX_DUMPS]:
        if head.position <= covered.get(head.source, 0):
            continue
        lines = list(_physical(detection.reader.around(head, 0, DUMP_LINES)))
        if not lines or not looks_like_head(lines[0].text):
            continue
        here = list(objects(lines))
        listed = list(listed_events(lines))
        ends = [item.lines[-1].citation.position for item in here] + [item.line.citation.position for item in listed]
        if ends:
            covered[head.source] = max(ends)
            found.extend(here)
            events.extend(listed)
    places = {line.citation for item in found for line in item.lines} | {item.line.citation for item in events}
    return Dumps(tuple(found), tuple(events), frozenset(places))


def _physical(records: Sequence[LogRecord]) -> Iterator[Line]:
    """The physical lines of records; a folded line is cited by its own place."""
    for record in records:
        yield Line(record.citation, record.line)
        for offset, text in enumerate(record.body.split("\n")[1:], start=1):
            yield Line(Citation(record.source, record.position + offset), text)
