"""Layouts: structured lines (JSON, logfmt) that have one sequence of keys, described by one expression.

The lines of a log have few layouts, and which of their fields is the time, the level or the message depends on the keys
and on what kind of value they hold, not on the values. So both are decided once per layout, from a sample, by the rules
of `ingest.parsing.fields`; `layout_columns` then takes whole columns of lines apart. Lines of no known layout, and rows
whose values do not fit what was decided, are read one by one: both ways give the same record.

What no role claims goes to the attributes as it stands, in runs of members that one group of the expression captures:
Rust's engine is fast ("one-pass") with at most sixteen groups.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

import orjson

from ingest.parsing import fields, structured
from ingest.parsing.fields import Path

MOST_LAYOUTS: Final = 6
"""Layouts of one syntax that a source may have; the more frequent ones count."""

LEAST_SHARE: Final = 0.02
"""Share of the sample's lines from which a layout counts."""

Kind = Literal["string", "integer", "number", "empty", "other"]
Node = tuple[tuple[str, "Kind | Node"], ...]
"""The keys of an object in order, each with the kind of its value or, for an object, with its own keys."""

_KEY: Final = re.compile(r"[A-Za-z0-9_.@$/-]+")
_B: Final = "[ \t]*"
_CHARACTER: Final = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])'  # \u escapes are left to a full decoder
_STRING: Final = f'"{_CHARACTER}*"'
_INTEGER: Final = "-?(?:0|[1-9][0-9]*)"
_SCALAR: Final = rf"(?:{_STRING}|{_INTEGER}(?:\.[0-9]+)?|true|false|null)"
_ARRAY: Final = rf"\[{_B}(?:{_SCALAR}{_B}(?:,{_B}{_SCALAR}{_B})*)?\]"
_PAIR: Final = f"{_STRING}{_B}:{_B}{_SCALAR}{_B}"
_OBJECT: Final = rf"\{{{_B}(?:{_PAIR}(?:,{_B}{_PAIR})*)?\}}"
_VALUE: Final = f"(?:{_SCALAR}|{_ARRAY}|{_OBJECT})"
_BLANK: Final = r'(?:null|""|\{\})'
_BARE: Final = r"[^\s\x22\x1c-\x1f]"
_TEXT: Final = rf"(?:{_STRING}|{_BARE}*)"
_FILLED: Final = rf'(?:"{_CHARACTER}+"|{_BARE}+)'


def _above(paths: Iterable[Path]) -> frozenset[Path]:
    """The objects in which some fields stand."""
    return frozenset(path[:depth] for path in paths for depth in range(1, len(path)))


_ROLE_PATHS: Final = frozenset(path for paths in fields.ROLES for path in paths)
_ROLE_OBJECTS: Final = _above(_ROLE_PATHS)
_REQUEST: Final = {**fields.REQUEST_LINE, **fields.REMARKS}
_REQUEST_PATHS: Final = frozenset(path for paths in _REQUEST.values() for path in paths)
_EVENT: Final = ("type", "reason")
"""Keys of a Kubernetes event; its type says how severe it is."""
_BUNYAN: Final = ("name", "v", "pid")


@dataclass(frozen=True, slots=True)
class Claim:
    """A field that has a role. `group` captures its value: a string's without quotes in JSON, as it stands in logfmt.

    `kept`: its member stays in the attributes, whatever the role makes of it.
    """

    role: str
    path: Path
    kind: Kind
    group: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the attributes, in order: a run of members (`group`), the member of a claim that a row may not use
    (`claim`), or an object with parts of its own (`key`, `parts`)."""

    group: str = ""
    claim: Claim | None = None
    key: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """One sequence of keys. `pattern` matches a whole line; `claims` are by role, `parts` make the attributes.

    `members` are the groups of single values by key (logfmt, where attributes are written anew).
    """

    format: str
    pattern: str
    claims: dict[str, Claim]
    parts: tuple[Part, ...] = ()
    members: dict[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    tail: str = ""
    """An expression for the tail (the group `tail`): where it matches, the line is of another layout."""


def learn_json(lines: Iterable[str]) -> list[Layout]:
    """The layouts of some lines of JSON, the most frequent first."""
    return _frequent([_of_json(skeleton(data)) for line in lines if (data := _object_of(line))])


def learn_logfmt(lines: Iterable[str]) -> list[Layout]:
    """The layouts of some lines of logfmt, the most frequent first."""
    return _frequent([_of_logfmt(tuple((k, v in ("", '""')) for k, v in structured.pairs(line))) for line in lines])


def _frequent(found: Sequence[Layout | None]) -> list[Layout]:
    counts = Counter(layout.pattern for layout in found if layout is not None)
    layouts = {layout.pattern: layout for layout in found if layout is not None}
    least = max(LEAST_SHARE * len(found), 2)
    return [layouts[pattern] for pattern, count in counts.most_common(MOST_LAYOUTS) if count >= least]


def _object_of(line: str) -> dict[str, Any] | None:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def skeleton(data: dict[str, Any]) -> Node:
    """The keys of an object and the kinds of its values."""
    return tuple((k, skeleton(v) if isinstance(v, dict) and v else _kind(v)) for k, v in data.items())


def _kind(value: object) -> Kind:
    if value is None or value == "" or value == {}:
        return "empty"
    if isinstance(value, bool):
        return "other"
    return {str: "string", int: "integer", float: "number"}.get(type(value), "other")  # type: ignore[return-value]


def _at(node: Node, path: Path) -> Kind | Node | None:
    found: Kind | Node | None = node
    for key in path:
        found = dict(found).get(key) if isinstance(found, tuple) else None
        if found is None:
            return None
    return found


class _UnsupportedError(Exception):
    """Lines of this kind are read one by one."""


def _roles(node: Node) -> dict[str, tuple[Path, Kind]]:
    """Which field of an object with these keys has which role. Raises _UnsupportedError where values decide that."""
    roles: dict[str, tuple[Path, Kind]] = {}
    for role, paths in zip(fields.ROLES._fields, fields.ROLES, strict=True):
        for path in paths:
            kind = _at(node, path)
            if kind is None or kind == "empty":
                continue
            if isinstance(kind, tuple) or kind not in _KINDS[role]:
                raise _UnsupportedError
            roles[role] = path, kind
            break
    if "time" not in roles and "message" not in roles:
        raise _UnsupportedError
    if "message" not in roles:
        roles |= _request(node, roles)
    if all(_at(node, (key,)) is not None for key in _EVENT):  # its type counts where its level says nothing
        raise _UnsupportedError
    if "service" not in roles and all(_at(node, (key,)) is not None for key in _BUNYAN):
        if _at(node, ("name",)) != "string":
            raise _UnsupportedError
        roles["service"] = ("name",), "string"
    if "service" in roles:
        roles.pop("pod", None)
        if roles.get("logger", ((),))[0] == roles["service"][0]:
            del roles["logger"]
    alone = sum(_at(node, path) is not None for path in fields.LOGGER) == 1
    if alone and roles.get("logger", ((),))[0] == ("logger",):
        del roles["logger"]  # it keeps its name, and so its place among the attributes
    if "trace" in roles:
        roles.pop("request", None)
    if "error" in roles and "stack" in roles and roles["error"][0] == roles["stack"][0]:
        raise _UnsupportedError
    return roles


def _request(node: Node, roles: Mapping[str, tuple[Path, Kind]]) -> dict[str, tuple[Path, Kind]]:
    """The fields of a request that make the message of an object without one; none where it tells of none."""
    found: dict[str, tuple[Path, Kind]] = {}
    for role, paths in _REQUEST.items():
        for path in paths:
            kind = _at(node, path)
            if kind is None or kind == "empty":
                continue
            if kind != "string" or any(path == other for other, _ in roles.values()):
                raise _UnsupportedError
            found[role] = path, kind
            break
    return found if {"method", "target"} <= found.keys() and "status" in roles else {}


_TEXTS: Final = ("string",)
_NAMES: Final = ("string", "integer")
_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "time": ("string", "integer", "number"),
    "level": _NAMES,
    "message": _TEXTS,
    "service": _TEXTS,
    "pod": _TEXTS,
    "trace": _NAMES,
    "span": _NAMES,
    "parent": (),
    "request": _NAMES,
    "logger": _TEXTS,
    "error": _TEXTS,
    "stack": _TEXTS,
    "status": _NAMES,
}
"""Kinds of values that a role can take in columns."""

_KEPT: Final = ("pod", "status", *_REQUEST)
_PARTIAL: Final = ("level", "logger", "error", "stack")
"""Roles whose member stays among the attributes in the rows that do not use it."""


@lru_cache(maxsize=512)
def _of_json(node: Node) -> Layout | None:
    keys = tuple(key for key, _ in node)
    try:
        if _wraps(keys):
            return _wrapper(node, keys)
        return _Json(node, _roles(node)).layout(keys)
    except _UnsupportedError:
        return None


def _wraps(keys: tuple[str, ...]) -> bool:
    """Whether a line of just these keys holds another one."""
    return frozenset(keys) == structured.ENVELOPE or ("log" in keys and structured.DOCKER.issuperset(keys))


def _wrapper(node: Node, keys: tuple[str, ...]) -> Layout:
    """The layout of a line that holds another one: Docker's json-file, the envelope."""
    names = {"message": "log", "time": "time"}
    if "log" not in keys:
        names = {"message": "message", "time": "timestamp", "service": "service"}
    roles: dict[str, tuple[Path, Kind]] = {}
    for role, key in names.items():
        if key in keys:
            if _at(node, (key,)) != "string":
                raise _UnsupportedError
            roles[role] = (key,), "string"
    return _Json(node, roles, open_end=False).layout(keys, "docker" if "log" in keys else "envelope")


class _Json:
    """Writes the expression of a JSON layout."""

    def __init__(self, node: Node, roles: dict[str, tuple[Path, Kind]], *, open_end: bool = True) -> None:
        self._node = node
        self._open_end = open_end
        markers = _BUNYAN if _at(node, ("name",)) else ()
        if not any(role == "level" for role in roles):
            markers = (*markers, *_EVENT)
        self._markers = tuple((key,) for key in markers)
        self._claims = {
            path: Claim(role, path, kind, f"v{number}", role in _KEPT)
            for number, (role, (path, kind)) in enumerate(roles.items())
        }
        # What a request is told by matters only where there is no message.
        self._paths = _ROLE_PATHS if "message" in roles else _ROLE_PATHS | _REQUEST_PATHS
        self._objects = _ROLE_OBJECTS if "message" in roles else _ROLE_OBJECTS | _above(_REQUEST_PATHS)
        self._runs = 0

    def layout(self, keys: tuple[str, ...], name: str = "json") -> Layout:
        for key in keys:
            if not _KEY.fullmatch(key):
                raise _UnsupportedError
        last = max(at for at, (key, kind) in enumerate(self._node) if not self._free((key,), kind))
        end = last + 1 if self._open_end and not _wraps(keys[: last + 1]) else len(self._node)
        inner, parts = self._members(self._node[:end])
        inner += _B
        tail = ""
        if self._open_end:
            member = f"{_STRING}{_B}:{_B}{_VALUE}{_B}"
            inner += f"(?:,{_B}(?P<tail>{member}(?:,{_B}{member})*))?"
            parts = (*parts, Part("tail"))
            others = {*(path[0] for path in self._paths), *fields.GELF, *(key for (key,) in self._markers)}
            tail = rf'"(?:{"|".join(re.escape(key) for key in sorted(others))})"{_B}:'
        claims = {claim.role: claim for claim in self._claims.values()}
        return Layout(name, rf"^\{{{_B}{inner}\}}{_B}$", claims, parts, keys=keys, tail=tail)

    def _free(self, path: Path, kind: Kind | Node) -> bool:
        """Whether neither a field nor any inside it matters for a role."""
        if path in self._claims or path in self._markers or path in self._objects:
            return False
        return kind != "empty" or path not in self._paths

    def _members(self, node: Node, path: Path = ()) -> tuple[str, tuple[Part, ...]]:
        """The expression for the members of an object, and the parts that they give to the attributes."""
        patterns: list[str] = []
        parts: list[Part] = []
        run: list[str] = []

        def flush() -> None:
            if run:
                patterns.append(f"(?P<r{self._runs}>{f'{_B},{_B}'.join(run)})")
                parts.append(Part(f"r{self._runs}"))
                self._runs += 1
                run.clear()

        for key, kind in node:
            if not _KEY.fullmatch(key):
                raise _UnsupportedError
            here = (*path, key)
            name = f'"{re.escape(key)}"{_B}:{_B}'
            claim = self._claims.get(here)
            if claim is not None and claim.kept:
                run.append(name + _captured(claim))
            elif claim is not None:
                flush()
                patterns.append(name + _captured(claim))
                if claim.role in _PARTIAL:
                    parts.append(Part(claim=claim))
            elif isinstance(kind, tuple) and here in self._objects:
                flush()
                inner, nested = self._members(kind, here)
                patterns.append(rf"{name}\{{{_B}{inner}{_B}\}}")
                parts.append(Part(key=key, parts=nested))
            elif kind == "empty" and here in self._paths:
                run.append(name + _BLANK)
            else:  # an object where a role may look inside would be another layout
                run.append(name + (f"(?:{_SCALAR}|{_ARRAY})" if here in self._objects else _VALUE))
        flush()
        return f"{_B},{_B}".join(patterns), tuple(parts)


def _captured(claim: Claim) -> str:
    if claim.kind == "string":
        return f'"(?P<{claim.group}>{_CHARACTER}+)"'
    number = r"(?:\.[0-9]+)?" if claim.role == "time" else ""
    return f"(?P<{claim.group}>{_INTEGER}{number})"


@lru_cache(maxsize=512)
def _of_logfmt(keys: tuple[tuple[str, bool], ...]) -> Layout | None:
    """The layout of a line of pairs, given by its keys and whether their values are empty."""
    names = tuple(key for key, _ in keys)
    if len(names) < 2 or len(set(names)) < len(names):
        return None
    node: Node = tuple((key, "empty" if empty else "string") for key, empty in keys)
    try:
        roles = _roles(node)
    except _UnsupportedError:
        return None
    if not any(re.fullmatch(structured.LOGFMT_KEY, f"{key}=") for key in names):
        return None
    by_path = {path: Claim(role, path, kind, "", role in _KEPT) for role, (path, kind) in roles.items()}
    blank = _ROLE_PATHS if "message" in roles else _ROLE_PATHS | _REQUEST_PATHS
    patterns: list[str] = []
    claims: dict[str, Claim] = {}
    members: dict[str, str] = {}
    parts: list[Part] = []
    for number, (key, empty) in enumerate(keys):
        group = f"v{number}"
        claim = by_path.get((key,))
        value = _FILLED if claim is not None else r"(?:\x22\x22)?" if empty and (key,) in blank else _TEXT
        patterns.append(f"{re.escape(key)}=(?P<{group}>{value})")
        if claim is not None:
            claim = claims[claim.role] = Claim(claim.role, claim.path, claim.kind, group, claim.kept)
        if claim is None or claim.kept:
            members[key] = group
            parts.append(Part(group))
        elif claim.role in _PARTIAL:
            parts.append(Part(claim=claim))
    return Layout("logfmt", f"^{' +'.join(patterns)} *$", claims, tuple(parts), members, names)
