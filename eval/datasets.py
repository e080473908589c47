"""Datasets of labelled incidents: `dataset.toml`, `cases.jsonl`, `logs/` (format: docs/evaluation.md).

This module reads files and makes the `CaseInput`s, which carry no label; `eval.labels` reads the labels for the scorer.
A folder of Loghub CSVs (`<system>/*_structured*.csv`) is a dataset of kind `templates`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InputError
from eval.system import CaseInput

TEMPLATES_KIND = "templates"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a dataset. `line` is 1-based, 0 where the file as a whole is meant."""

    file: str
    line: int
    message: str
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {'warning: ' if self.warning else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Case:
    """One line of `cases.jsonl`. `fields` holds everything it says, unknown fields included.

    `pool`: retrieval only inside it (None: the dataset is one pool). `group`: never in each other's memory.
    `text`: a document instead of logs.
    """

    case_id: str
    line: int
    fields: Mapping[str, Any]
    input: CaseInput
    pool: str | None = None
    group: str | None = None
    text: Path | None = None

    def relative(self, root: Path) -> dict[str, str]:
        """The path of each log as the system sees it, and as the case names it."""
        entries = (*self.fields.get("logs", ()), *self.fields.get("baseline_logs", ()))
        return {str(root / entry): entry for entry in entries}


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset. `kinds`: what it is made for (`rca`, `detection-lines`, `streams`, `text`, `templates` ...)."""

    root: Path
    name: str
    title: str
    licence: str
    source: str
    kinds: tuple[str, ...]
    timezone: str
    cases: tuple[Case, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Collects problems while reading, so that all are shown together."""

    problems: list[Problem] = field(default_factory=list)

    def say(self, file: Path, line: int, message: str) -> None:
        self.problems.append(Problem(str(file), line, message))


def read_dataset(root: Path) -> tuple[Dataset | None, list[Problem]]:
    """Reads a dataset as far as it can be read, with everything that kept parts of it from being read."""
    reader = _Reader()
    if not root.is_dir():
        reader.say(root, 0, "no such folder; a dataset is a folder with dataset.toml and cases.jsonl")
        return None, reader.problems
    if not (root / "cases.jsonl").exists() and loghub_files(root):
        return _loghub(root), []
    head = _read_head(root, reader)
    zone = head.get("timezone", "UTC")
    cases = []
    seen: dict[str, int] = {}
    for number, fields in _read_lines(root / "cases.jsonl", reader):
        case = _read_case(root, number, fields, zone, reader)
        if case is None:
            continue
        if case.case_id in seen:
            reader.say(
                root / "cases.jsonl", number, f"case_id {case.case_id!r} is already on line {seen[case.case_id]}"
            )
            continue
        seen[case.case_id] = number
        cases.append(case)
    kind = head.get("kind", [])
    dataset = Dataset(
        root=root,
        name=str(head.get("name", root.resolve().name)),
        title=str(head.get("title", "")),
        licence=str(head.get("licence", "")),
        source=str(head.get("source", "")),
        kinds=(kind,) if isinstance(kind, str) else tuple(str(each) for each in kind),
        timezone=zone,
        cases=tuple(cases),
    )
    return dataset, reader.problems


def load_dataset(root: Path) -> Dataset:
    """Reads a dataset. Raises InputError naming file and line of what cannot be used (the first ten)."""
    dataset, problems = read_dataset(root)
    if problems or dataset is None:
        shown = "\n".join(f"  {problem}" for problem in problems[:10])
        more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
        raise InputError(
            f"dataset {root} cannot be used:\n{shown}{more}\n`cali eval validate {root}` checks the rest too"
        )
    return dataset


def loghub_files(root: Path) -> dict[str, Path]:
    """The structured CSV of each system in a Loghub folder; a corrected one is preferred."""
    found: dict[str, Path] = {}
    for path in sorted(root.glob("*/*_structured*.csv")):
        system = path.parent.name
        if system not in found or "corrected" in path.name:
            found[system] = path
    return found


def _loghub(root: Path) -> Dataset:
    cases = tuple(
        Case(system, 0, {"csv": str(path.relative_to(root))}, CaseInput(system, (path,)))
        for system, path in loghub_files(root).items()
    )
    name = root.resolve().name
    return Dataset(root, name, "Templates of Loghub logs", "", "logpai/loghub", (TEMPLATES_KIND,), "UTC", cases)


def _read_head(root: Path, reader: _Reader) -> dict[str, Any]:
    path = root / "dataset.toml"
    try:
        head = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        reader.say(path, 0, f"cannot be read: {exc.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        reader.say(path, 0, f"not TOML: {exc}")
        return {}
    for name in ("name", "title", "licence", "source"):
        if name in head and not isinstance(head[name], str):
            reader.say(path, 0, f"{name} must be a string")
    if "name" not in head:
        reader.say(path, 0, "name is missing")
    zone = head.get("timezone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        reader.say(path, 0, f"timezone {zone!r} is no IANA time zone (UTC, Asia/Seoul ...)")
        head["timezone"] = "UTC"
    kind = head.get("kind", [])
    if not isinstance(kind, str) and not (isinstance(kind, list) and all(isinstance(each, str) for each in kind)):
        reader.say(path, 0, "kind must be a string or a list of strings")
        head["kind"] = []
    return head


def _read_lines(path: Path, reader: _Reader) -> list[tuple[int, dict[str, Any]]]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        reader.say(path, 0, f"cannot be read: {exc.strerror}")
        return []
    found = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw)
        except ValueError as exc:
            reader.say(path, number, f"not JSON: {exc}")
            continue
        if isinstance(value, dict):
            found.append((number, value))
        else:
            reader.say(path, number, "a case must be a JSON object")
    return found


def _read_case(root: Path, number: int, fields: dict[str, Any], zone: str, reader: _Reader) -> Case | None:
    say = partial(reader.say, root / "cases.jsonl", number)
    before = len(reader.problems)
    case_id = fields.get("case_id")
    if not isinstance(case_id, str) or not case_id or "/" in case_id or case_id in {".", ".."}:
        say("case_id must be a string without '/'")
    for name in ("logs", "baseline_logs"):
        value = fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            say(f"{name} must be a list of paths")
            fields = {**fields, name: []}
            continue
        for each in value:
            if not (root / each).is_file():
                say(f"{name} names {each!r}, which is no file of the dataset")
    for name in ("pool", "group", "symptom", "text", "sessions"):
        if fields.get(name) is not None and not isinstance(fields[name], str):
            say(f"{name} must be a string")
            fields = {**fields, name: None}
    times = {name: _read_time(fields.get(name), name, say) for name in ("window_start", "window_end")}
    if not fields.get("logs") and not fields.get("text"):
        say("logs is empty and text names no document: there is nothing to look at")
    if fields.get("text") and not (root / fields["text"]).is_file():
        say(f"text names {fields['text']!r}, which is no file of the dataset")
    sessions = _read_sessions(root, fields.get("sessions"), say, reader)
    if len(reader.problems) > before:
        return None
    seen = CaseInput(
        case_id=str(case_id),
        logs=tuple(root / each for each in fields.get("logs", [])),
        baseline_logs=tuple(root / each for each in fields.get("baseline_logs", [])),
        window_start=times["window_start"],
        window_end=times["window_end"],
        symptom=fields.get("symptom"),
        sessions=sessions,
        timezone=zone,
    )
    text = root / fields["text"] if fields.get("text") else None
    return Case(str(case_id), number, fields, seen, fields.get("pool"), fields.get("group"), text)


def _read_time(value: object, name: str, say: partial[None]) -> datetime | None:
    if value is None:
        return None
    try:
        return rfc3339(value)
    except ValueError:
        say(f"{name} {value!r} is no RFC 3339 time with a zone (2026-03-02T10:00:00Z)")
        return None


def rfc3339(value: object) -> datetime:
    """The time of an RFC 3339 string. Raises ValueError for anything else, a time without a zone included."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no string")
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{value!r} names no zone")
    return time


def _read_sessions(root: Path, name: str | None, say: partial[None], reader: _Reader) -> Mapping[str, tuple[int, ...]]:
    """Session id -> lines, by id: the order in the file could tell the labels."""
    if not name:
        return {}
    if not (root / name).is_file():
        say(f"sessions names {name!r}, which is no file of the dataset")
        return {}
    sessions: dict[str, tuple[int, ...]] = {}
    for number, value in _read_lines(root / name, reader):
        key, lines = value.get("session_id"), value.get("lines")
        if not isinstance(key, str) or key in sessions:
            reader.say(root / name, number, "session_id must be a string that no other session has")
        elif not isinstance(lines, list) or not all(type(line) is int and line > 0 for line in lines):
            reader.say(root / name, number, "lines must be a list of 1-based line numbers")
        else:
            sessions[key] = tuple(lines)
    return dict(sorted(sessions.items()))
