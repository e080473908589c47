"""What a question or an alert is about: the workload that its words name.

Logs of one program, saved to a file, often tell nowhere whose they are; then the file's name is all there is, and the
question says it better. What the records themselves tell always counts more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from rag.kubernetes import workload
from rag.suspects.origin import only_numbered
from rag.suspects.proposal import Proposal

_KIND: Final = (
    r"(?:pod|job|cronjob|deployment|statefulset|daemonset|replicaset|workload|container|service|app(?:lication)?)"
)
_NAME: Final = r"(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
_NAMED: Final = (
    re.compile(rf'"?{_KIND}"?,? +"?name"?[": ]+{_NAME}', re.IGNORECASE),
    re.compile(rf"\b{_KIND}s? +(?:named |called )?[`'\"]{_NAME}[`'\"]", re.IGNORECASE),
    re.compile(rf"\b{_KIND} +(?=[a-z0-9.-]*[-\d]){_NAME}", re.IGNORECASE),
    re.compile(rf"(?<![\w-])(?=[a-z0-9.]+-){_NAME} +{_KIND}\b", re.IGNORECASE),
    re.compile(rf"\b(?:logs?|errors?|output) (?:of|from|in|for) (?:the )?[`'\"]?(?=[a-z0-9.]+-){_NAME}", re.IGNORECASE),
    re.compile(rf"^[`'\"]?(?=[a-z0-9.]+-){_NAME}[`'\"]?\s*$", re.IGNORECASE | re.MULTILINE),
)


def workload_asked_for(symptom: str | None) -> str | None:
    """The workload that a question or an alert names; None where it names none for certain."""
    for pattern in _NAMED:
        match = pattern.search(symptom or "")
        if match is not None:
            name = match["name"].lower()
            owner = workload(name)
            return name if name.removeprefix(f"{owner}-").isdigit() else owner
    return None


def addressed(items: Iterable[Proposal], symptom: str | None) -> Iterator[Proposal]:
    """The proposals, those that know no more than their file's name with the workload that the symptom names."""
    asked = workload_asked_for(symptom)
    for item in items:
        unknown = asked is not None and _only_of_file(item)
        yield replace(item, service=asked) if unknown else item


def _only_of_file(item: Proposal) -> bool:
    if item.service is None or not item.evidence or not all(entry.source for entry in item.evidence):
        return False
    return all(only_numbered(item.service, entry.source) for entry in item.evidence)
