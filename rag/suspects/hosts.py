"""Which machine a record was written on or is about.

Sources: the host of a syslog or journald record; what an envelope's service says after the program's name
(`kafka/broker-3`, `nova/nova-compute-compute-02`); and the machine that a message names (`node 'rabbit@mq-1'`,
`blacklisted host hdp-w03`). Machines of a cluster are called nodes by those who manage it; others are hosts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from rag.suspects.clue import Clue
from rag.suspects.names import SOURCE_FILE

_HOST_KEYS: Final = ("hostname", "host", "host.name", "node", "nodename", "node_name", "_HOSTNAME")
_MACHINE: Final = r"(?P<name>[a-z0-9_]+@[a-z0-9][\w.-]*[a-z0-9]|[a-z](?:[a-z0-9.-]*[a-z0-9])?)"
_NAMED: Final = (
    re.compile(
        r"\b(?P<kind>node|host|machine|worker|broker|data ?node|server|hypervisor)s?(?: name)?[ =:(\[]+[\"'`]*"
        rf"{_MACHINE}"
        r"(?=[\"'`:,;.)\]/ ]|$)",
    ),
    re.compile(rf"\b(?P<kind>Server) [\w.-]+/{_MACHINE} is (?:going )?(?:DOWN|UP)\b"),
    re.compile(rf"\b(?P<kind>hostAndPort)[\"': =]+{_MACHINE}:\d+"),
    re.compile(rf"\bMarking {_MACHINE} as failed(?P<kind>)"),
    re.compile(rf"\bfrom {_MACHINE}/\d{{1,3}}(?:\.\d{{1,3}}){{3}}\b(?P<kind>)"),
    re.compile(rf"\b(?:at|election) (?P<kind>)address {_MACHINE}/\d{{1,3}}(?:\.\d{{1,3}}){{3}}\b"),
    re.compile(rf"\bon (?P<kind>)\[[\w-]{{12,}}\]\[{_MACHINE}\]\["),  # Elasticsearch: node's id, name, path
    re.compile(rf"\b(?P<kind>server): {_MACHINE}/\d{{1,3}}(?:\.\d{{1,3}}){{3}}:\d+"),
)
"""A machine that a message names as one."""
_NUMBERED: Final = re.compile(r"\d")
_INSTANCE: Final = re.compile(r"[-_@]?\d+$")


def logged_on(clue: Clue) -> str | None:
    """The machine that the header of a record names; None where it names none."""
    values = (clue.record.attributes.get(key) for key in _HOST_KEYS)
    return next((value for value in values if isinstance(value, str) and _is_name(value)), None)


def host_of(clue: Clue) -> str | None:
    """The machine that a record was written on, as its header or its envelope says; None where neither does."""
    written = logged_on(clue)
    if written is not None:
        return written
    part = clue.record.attributes.get("component")
    if not isinstance(part, str) or "/" not in part:
        return None
    instance = part.split("/", 1)[1]
    return instance if _INSTANCE.search(instance) and _is_name(instance) else None


def machine_of(clue: Clue, clues: Iterable[Clue]) -> str | None:
    """`node/name` or `host/name`: the machine that a record is about, else the one that it was written on.

    Where the record names none, the one that the most other failures name, if there is one ahead.
    """
    others = [other for other in clues if other.novelty > 0.3]
    own = node_named(clue)
    if own is not None:
        node = f"node/{own.split('/', 1)[1]}"
        return node if any(node_named(other) == node for other in others) else own
    written = host_of(clue)
    if written is not None:
        return _shortest(written, [clue, *others])
    counted: Counter[str] = Counter()
    called: dict[str, str] = {}
    for other in others:
        named = node_named(other)
        if named is not None:
            name = named.split("/", 1)[1]
            counted[name] += other.activity.during
            called[name] = max(called.get(name, named), named)  # a node, where one calls it so
    ranked = counted.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return called[ranked[0][0]]


_SERVER: Final = re.compile(rf"\b(?:host|server|addr(?:ess)?)=[\"'`]?{_MACHINE}")


def server_of(product: str, clues: Iterable[Clue]) -> str | None:
    """`host/name`: the machine that a database or broker runs on, by its own records or as its clients call it."""
    clues = list(clues)
    for clue in clues:
        if clue.service == product and (written := host_of(clue)) is not None:
            return _shortest(written, clues)
    for clue in clues:
        named = _SERVER.search(clue.text[:1_000]) if clue.failing else None
        if named is not None and _is_name(named["name"]):
            return f"host/{named['name']}"
    return None


def node_named(clue: Clue) -> str | None:
    """`node/name` or `host/name`: the machine that a message names."""
    text = clue.text[:1_000]
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            name = match["name"]
            if _is_name(name) and (_NUMBERED.search(name) or "@" in name):
                return f"{_kind(match['kind'], name)}/{name}"
    return None


def _kind(word: str, name: str) -> str:
    return "node" if "node" in word or "node" in name or word == "worker" or "@" in name else "host"


def _is_name(value: str) -> bool:
    """Whether a value could be a machine's name: not an address, a file, a number or a sentence."""
    plain = re.fullmatch(r"[A-Za-z0-9][\w.@-]*", value) is not None and re.search(r"[A-Za-z]", value) is not None
    return plain and value not in ("localhost", "None", "null") and SOURCE_FILE.search(value) is None


def _shortest(instance: str, clues: Iterable[Clue]) -> str:
    """The end of an instance's name that the records call a machine (`nova-compute-compute-02`: `compute-02`)."""
    texts = [clue.text[:1_000] for clue in clues]
    parts = instance.split("-")
    for start in range(len(parts) - 1):
        tail = "-".join(parts[start:])
        called = re.compile(rf"(?:\b(node|host|machine|hypervisor|server)[ =:(\['\"]+|\bon ){re.escape(tail)}\b")
        if any(called.search(text) for text in texts):
            return f"{_kind('', tail)}/{tail}"
    return f"{_kind('', instance)}/{instance}"
