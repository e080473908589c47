"""Kubernetes text -> objects and events: `kubectl describe`, `kubectl get events`, and events in log lines.

Only the shape of the text is relied on (indentation, `Key: value`, the columns of an events table), so sections of
several objects in one dump, cut dumps and banners between them are all read as far as they go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.domain import Citation


@dataclass(frozen=True, slots=True)
class Line:
    """A physical line and where it stands."""

    citation: Citation
    text: str


@dataclass(frozen=True, slots=True)
class Property:
    """`path` is the keys from the outside in (`Containers`, `main`, `Last State`, `Reason`)."""

    path: tuple[str, ...]
    value: str
    line: Line


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `object` is `kind/name`, the kind in lower case; `count` is from `(x5 over 10m)`, else 1."""

    kind: str
    reason: str
    object: str | None
    message: str
    count: int
    line: Line

    @property
    def warning(self) -> bool:
        return self.kind.lower() == "warning"


@dataclass(frozen=True, slots=True)
class KubernetesObject:
    """One described object."""

    kind: str
    name: str
    namespace: str | None
    head: Line
    properties: tuple[Property, ...] = ()
    events: tuple[Event, ...] = ()
    table_rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def component(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def workload(self) -> str:
        """The service the object belongs to."""
        owner = self.value("Controlled By")
        if self.kind == "persistentvolumeclaim" and (user := self.value("Used By")):
            return workload(user)
        if owner and "/" in owner:
            return workload(owner.split("/", 1)[1])
        return workload(self.name) if self.kind in ("pod", "replicaset", "job") else self.name

    def value(self, *keys: str) -> str | None:
        """The value whose path ends in these keys; None where it is absent, empty or `<none>`."""
        found = self.find(*keys)
        return found.value if found is not None and found.value not in ("", "<none>", "<unset>") else None

    def find(self, *keys: str) -> Property | None:
        """The first property whose path ends in these keys."""
        return next((item for item in self.properties if item.path[-len(keys) :] == keys), None)


_NAME: Final = re.compile(r"^Name:\s{1,}(?P<name>[a-z0-9][\w.:-]*)\s*$")
_KEY: Final = re.compile(r"^(?P<indent>\s*)(?P<key>[A-Za-z][\w./ ()-]*?):(?:\s+(?P<value>\S.*?))?\s*$")
_AGE: Final = r"(?:<unknown>|<invalid>|\d+[smhdy](?:\d+[smhd])*)(?: \(x(?P<count>\d+) over [^)]*\))?"
_EVENT: Final = re.compile(
    rf"^\s*(?P<kind>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]+)\s+(?:{_AGE}|\S+)\s+(?P<source>\S+)\s+"
    r"(?P<message>\S.*)$"
)
_LISTED: Final = re.compile(
    rf"^(?:(?P<namespace>[a-z0-9][a-z0-9-]*)\s+)?{_AGE}\s+(?P<kind>Normal|Warning)\s+(?P<reason>[A-Z][A-Za-z]+)\s+"
    r"(?P<object>[A-Za-z.]+/[\w.:-]+)\s+(?P<message>\S.*)$"
)
_EVENT_HEAD: Final = re.compile(
    r"^\s*Type\s+Reason\s+Age\s+From\s+Message|^(?:NAMESPACE\s+)?LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+MESSAGE"
)
_POD_SUFFIX: Final = re.compile(
    r"-(?:[a-f0-9]{8,10}|[bcdf-hj-np-tv-z2456789]{8,10})-(?:[bcdf-hj-np-tv-z2456789]{5}|(?=[a-z]*\d)[a-z0-9]{4,6})$"
)
_REPLICASET_SUFFIX: Final = re.compile(r"-(?=[a-z0-9]*\d)[a-f0-9bcdf-hj-np-tv-z2456789]{8,10}$")
_RANDOM_SUFFIX: Final = re.compile(r"-(?=[a-z0-9]*[0-9])[bcdf-hj-np-tv-z2456789]{5}$|-[bcdf-hj-np-tv-z2456789]{5}$")
_ORDINAL: Final = re.compile(r"-\d{1,10}$")


def workload(name: str) -> str:
    """The workload of a pod, replica set or job: `checkout-7d9f8bc5d4-x2k4j` -> `checkout`, `db-0` -> `db`."""
    for pattern in (_POD_SUFFIX, _REPLICASET_SUFFIX, _RANDOM_SUFFIX, _ORDINAL):
        stripped = pattern.sub("", name)
        if stripped and stripped != name:
            return stripped
    return name


def looks_like_head(text: str) -> bool:
    """Whether a line starts a described object or an events table."""
    return _NAME.match(text) is not None or _EVENT_HEAD.match(text) is not None


def objects(lines: Sequence[Line]) -> Iterator[KubernetesObject]:
    """The objects that are described in some lines, in order."""
    starts = [index for index, line in enumerate(lines) if _NAME.match(line.text) and _described(lines, index)]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(lines)
        yield _object(lines[start:end])


def listed_events(lines: Iterable[Line]) -> Iterator[Event]:
    """The events of `kubectl get events` (or a tool that prints them so)."""
    for line in lines:
        match = _LISTED.match(line.text)
        if match is not None:
            kind, _, name = match["object"].partition("/")
            owner = f"{kind.split('.')[0].lower()}/{name}"
            yield Event(match["kind"], match["reason"], owner, match["message"].strip(), int(match["count"] or 1), line)


def _described(lines: Sequence[Line], index: int) -> bool:
    """A `Name:` line heads an object where more `Key: value` lines follow without indentation."""
    following = [line.text for line in lines[index + 1 : index + 6]]
    return sum(1 for text in following if (match := _KEY.match(text)) and not match["indent"]) >= 2


def _object(lines: Sequence[Line]) -> KubernetesObject:
    name = _NAME.match(lines[0].text)
    assert name is not None  # the caller looked
    body = _extent(lines)
    properties = tuple(_properties(body))
    kind = _kind(properties)
    component = f"{kind}/{name['name']}"
    namespace = next((item.value for item in properties if item.path == ("Namespace",)), None)
    return KubernetesObject(
        kind,
        name["name"],
        namespace,
        lines[0],
        properties,
        tuple(_events(body, component)),
        tuple(_tables(body)),
        tuple(body),
    )


def _extent(lines: Sequence[Line]) -> list[Line]:
    """The lines of the description that starts at the first: to the end of its events, or to what is no part of it."""
    body: list[Line] = []
    ending = False
    for line in lines:
        text = line.text
        indented = text.startswith((" ", "\t"))
        if text.strip() and not indented and (ending or not _KEY.match(text)) and not _NAME.match(text):
            break
        if ending and not text.strip():
            break
        body.append(line)
        ending = ending or text.startswith("Events:")
    return body


def _properties(lines: Sequence[Line]) -> Iterator[Property]:
    stack: list[tuple[int, str]] = []
    for line in lines:
        if not line.text.strip():
            continue
        match = _KEY.match(line.text)
        indent = len(line.text) - len(line.text.lstrip())
        while stack and stack[-1][0] >= indent:
            stack.pop()
        if match is None or _EVENT.match(line.text):
            if stack:  # an entry of a list: an argument, a mount
                yield Property(tuple(key for _, key in stack), line.text.strip(), line)
            continue
        stack.append((indent, match["key"]))
        yield Property(tuple(key for _, key in stack), match["value"] or "", line)


def _events(lines: Sequence[Line], component: str) -> Iterator[Event]:
    for line in lines:
        match = _EVENT.match(line.text)
        if match is not None:
            yield Event(
                match["kind"], match["reason"], component, match["message"].strip(), int(match["count"] or 1), line
            )


def _tables(lines: Sequence[Line]) -> Iterator[tuple[str, ...]]:
    """Rows of the aligned tables (conditions, pods of a node), cells split at two blanks or more."""
    for line in lines:
        cells = re.split(r"\s{2,}", line.text.strip())
        if len(cells) >= 3:
            yield tuple(cells)


_KINDS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"Parallelism"}), "job"),
    (frozenset({"Schedule", "Concurrency Policy"}), "cronjob"),
    (frozenset({"StrategyType"}), "deployment"),
    (frozenset({"Update Strategy", "Replicas"}), "statefulset"),
    (frozenset({"Desired Number of Nodes Scheduled"}), "daemonset"),
    (frozenset({"StorageClass", "Access Modes"}), "persistentvolumeclaim"),
    (frozenset({"Allocatable"}), "node"),
    (frozenset({"Endpoints", "Selector"}), "service"),
    (frozenset({"PodSelector"}), "networkpolicy"),
    (frozenset({"Rules"}), "ingress"),
    (frozenset({"Containers", "IPs"}), "pod"),
    (frozenset({"Containers", "Node"}), "pod"),
    (frozenset({"Replicas"}), "replicaset"),
)


def _kind(properties: Sequence[Property]) -> str:
    keys = {item.path[0] for item in properties}
    return next((kind for needed, kind in _KINDS if needed <= keys), "object")
