"""`cali eval validate`: everything that is wrong with a dataset, labels included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core.domain import FAULT_TYPES, Category
from eval.datasets import TEMPLATES_KIND, Case, Dataset, Problem, read_dataset, rfc3339
from eval.labels import ATTRIBUTES, read_templates

_CATEGORIES = frozenset(category.value for category in Category)


def validate_dataset(root: Path) -> list[Problem]:
    """All problems of a dataset, in the order of its lines; warnings are about values outside the vocabulary."""
    dataset, problems = read_dataset(root)
    if dataset is None:
        return problems
    if TEMPLATES_KIND in dataset.kinds and not (root / "cases.jsonl").exists():
        return [*problems, *_templates(dataset)]
    if not dataset.cases and not problems:
        problems.append(Problem(str(root / "cases.jsonl"), 0, "holds no case"))
    path = str(root / "cases.jsonl")
    known = {case.case_id: case for case in dataset.cases}
    lengths: dict[Path, int] = {}
    for case in dataset.cases:
        problems.extend(Problem(path, case.line, message) for message in _errors(case, known, lengths))
        problems.extend(Problem(path, case.line, message, warning=True) for message in _warnings(case, known))
    return sorted(problems, key=lambda problem: (problem.file, problem.line))


def _errors(case: Case, known: Mapping[str, Case], lengths: dict[Path, int]) -> Iterator[str]:
    fields = case.fields
    yield from _times(case)
    verdict = fields.get("is_incident")
    if verdict not in (True, False, None) or (isinstance(verdict, int) and not isinstance(verdict, bool)):
        yield f"is_incident must be true, false or null, not {verdict!r}"
    if verdict is False and fields.get("root_cause"):
        yield "a healthy case (is_incident false) has a root_cause"
    if verdict is False and fields.get("incidents"):
        yield "a healthy case (is_incident false) has incidents"
    if verdict is False and fields.get("anomalous_lines"):
        yield "a healthy case (is_incident false) has anomalous_lines"
    for name in ("anomalous_lines", "anomalous_lines_annotator2"):
        yield from _lines(case, name, lengths)
    yield from _sessions(case, lengths)
    yield from _root_cause(fields.get("root_cause"), "root_cause")
    for name in ("related", "related_other_service"):
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            yield f"{name} must be a list of case ids"
            continue
        for each in value:
            other = known.get(each)
            if other is None:
                yield f"{name} points to {each!r}, which is no case of this dataset"
            elif each == case.case_id:
                yield f"{name} points to the case itself"


def _times(case: Case) -> Iterator[str]:
    fields = case.fields
    start, end = case.input.window_start, case.input.window_end
    if start and end and start > end:
        yield f"window_start {fields['window_start']} is after window_end {fields['window_end']}"

    def inside(value: object, name: str) -> Iterator[str]:
        try:
            time = rfc3339(value)
        except ValueError:
            yield f"{name} {value!r} is no RFC 3339 time with a zone"
            return
        if (start and time < start) or (end and time > end):
            yield f"{name} {value} is outside the window {fields.get('window_start')} to {fields.get('window_end')}"

    if fields.get("onset") is not None:
        yield from inside(fields["onset"], "onset")
    for name in ("incidents", "grey"):
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            yield f"{name} must be a list of objects"
            continue
        ids: set[str] = set()
        for number, each in enumerate(value, 1):
            label = f"{name}[{each.get('id', number)}]"
            if str(each.get("id", number)) in ids:
                yield f"{label}: the id is used twice"
            ids.add(str(each.get("id", number)))
            if each.get("starts_at") is None:
                yield f"{label}: starts_at is missing"
            elif name == "incidents":
                yield from inside(each["starts_at"], f"{label}.starts_at")
            yield from _interval(each, label, name == "grey")
            if name == "incidents":
                yield from _root_cause(each.get("root_cause"), f"{label}.root_cause")


def _interval(value: Mapping[str, Any], label: str, closed: bool) -> Iterator[str]:
    try:
        starts: datetime | None = rfc3339(value["starts_at"]) if value.get("starts_at") is not None else None
        ends: datetime | None = rfc3339(value["ends_at"]) if value.get("ends_at") is not None else None
    except ValueError as exc:
        yield f"{label}: {exc}"
        return
    if closed and ends is None:
        yield f"{label}: ends_at is missing"
    if starts and ends and ends < starts:
        yield f"{label}: ends_at is before starts_at"


def _root_cause(value: object, label: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield f"{label} must be an object"
        return
    for name in (*ATTRIBUTES, "text"):
        found = value.get(name)
        if not (
            found is None
            or isinstance(found, str)
            or (name != "text" and isinstance(found, list) and all(isinstance(each, str) for each in found))
        ):
            yield f"{label}.{name} must be a string"


def _line_count(path: Path, lengths: dict[Path, int]) -> int:
    if path not in lengths:
        count, last = 0, b"\n"
        with path.open("rb") as source:
            while chunk := source.read(1 << 20):
                count += chunk.count(b"\n")
                last = chunk[-1:]
        lengths[path] = count + (last != b"\n")
    return lengths[path]


def _lines(case: Case, name: str, lengths: dict[Path, int]) -> Iterator[str]:
    value = case.fields.get(name)
    if value is None:
        return
    if not isinstance(value, list) or not all(type(line) is int for line in value):
        yield f"{name} must be a list of line numbers"
        return
    if not case.input.logs:
        yield f"{name} is given, but the case has no logs"
        return
    total = _line_count(case.input.logs[0], lengths)
    wrong = [line for line in value if not 1 <= line <= total]
    if wrong:
        yield f"{name} names line {wrong[0]}, but {case.fields['logs'][0]} has {total} lines"


def _sessions(case: Case, lengths: dict[Path, int]) -> Iterator[str]:
    if not case.input.sessions:
        return
    if not case.input.logs:
        yield "sessions is given, but the case has no logs"
        return
    total = _line_count(case.input.logs[0], lengths)
    for key, lines in case.input.sessions.items():
        if lines and max(lines) > total:
            yield f"session {key} names line {max(lines)}, but {case.fields['logs'][0]} has {total} lines"


def _warnings(case: Case, known: Mapping[str, Case]) -> Iterator[str]:
    for name in ("related", "related_other_service"):
        value = case.fields.get(name)
        for each in value if isinstance(value, list) else ():
            other = known.get(each) if isinstance(each, str) else None
            if other is not None and other is not case and other.pool != case.pool:
                yield f"{name} points to {each!r}, which is in another pool: it is left out of the scoring"
            elif other is not None and other is not case and case.group is not None and other.group == case.group:
                yield f"{name} points to {each!r}, which is in the same group: it is left out of the scoring"
    causes = [case.fields.get("root_cause"), *(case.fields.get("incidents") or ())]
    for each in causes:
        cause = each.get("root_cause", each) if isinstance(each, dict) else None
        if not isinstance(cause, dict):
            continue
        category, fault = cause.get("category"), cause.get("fault_type")
        if isinstance(category, str) and category not in _CATEGORIES:
            yield f"unknown category {category!r} (CALI knows {', '.join(sorted(_CATEGORIES))})"
        if isinstance(fault, str) and fault not in FAULT_TYPES:
            yield f"fault_type {fault!r} is not in CALI's vocabulary"


def _templates(dataset: Dataset) -> Iterator[Problem]:
    for case in dataset.cases:
        try:
            messages, _ = read_templates(case, dataset.root)
        except (KeyError, ValueError, OSError) as exc:
            yield Problem(str(dataset.root / case.fields["csv"]), 1, f"no Loghub CSV: {exc!r}")
            continue
        if not messages:
            yield Problem(str(dataset.root / case.fields["csv"]), 0, "holds no message")
