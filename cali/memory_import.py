"""`cali memory import`: files and datasets into the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.config import Settings
from core.domain import Quarantined
from core.errors import InputError
from core.memory import MemoryDocument, MemoryFilter, MemoryKind
from core.ports import IncidentMemory
from rag.memory.importing import read_file

TYPES: Final = frozenset({".md", ".markdown", ".txt", ".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did. `forgotten` counts passages that their file no longer has."""

    files: int
    added: int
    updated: int
    unchanged: int
    forgotten: int
    quarantined: tuple[Quarantined, ...]

    def to_json(self) -> dict[str, Any]:
        """The counts, and what could not be used with the reason."""
        return {**asdict(self), "quarantined": [asdict(item) for item in self.quarantined]}


def import_paths(
    paths: Sequence[Path],
    memory: IncidentMemory,
    settings: Settings,
    *,
    kind: MemoryKind | None,
    now: datetime,
    report: Callable[[str], None],
) -> Import:
    """Imports files, folders and datasets. A file that cannot be used is reported, the others are imported."""
    done = Import(0, 0, 0, 0, 0, ())
    for path, documents, quarantined in _read(paths, settings, kind, now, report):
        result = memory.add(documents)
        gone = _gone(memory, _source(path, settings), documents, settings.memory_tenant)
        done = Import(
            files=done.files + 1,
            added=done.added + result.added,
            updated=done.updated + result.updated,
            unchanged=done.unchanged + result.unchanged,
            forgotten=done.forgotten + memory.forget(gone),
            quarantined=(*done.quarantined, *quarantined),
        )
    return done


_Read = tuple[Path, Sequence[MemoryDocument], Sequence[Quarantined]]


def _read(
    paths: Sequence[Path],
    settings: Settings,
    kind: MemoryKind | None,
    now: datetime,
    report: Callable[[str], None],
) -> Iterator[_Read]:
    for path in paths:
        if (path / "dataset.toml").is_file():
            yield from _dataset(path, settings, now, report)
            continue
        files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix.lower() in TYPES)
        if not files:
            yield path, (), (Quarantined(str(path), 0, f"no files of type {', '.join(sorted(TYPES))}"),)
        for file in files:
            try:
                imported = read_file(file, tenant=settings.memory_tenant, kind=kind, name=_source(file, settings))
            except InputError as exc:
                yield file, (), (Quarantined(str(file), 0, str(exc).removeprefix(f"{file}: ")),)
                continue
            yield file, imported.documents, imported.quarantined


def _dataset(root: Path, settings: Settings, now: datetime, report: Callable[[str], None]) -> Iterator[_Read]:
    """The cases of a labelled dataset: logs go through detection, texts are read; the labelled cause is the cause."""
    from eval.datasets import load_dataset
    from eval.labels import read_labels

    dataset = load_dataset(root)
    for number, case in enumerate(dataset.cases, 1):
        cause = read_labels(case, root).root_cause
        text = (cause.text if cause else None) or None
        if case.text is not None:
            imported = read_file(case.text, tenant=settings.memory_tenant, name=_source(case.text, settings))
            known = [replace(document, cause=text or document.cause) for document in imported.documents]
            yield case.text, known, imported.quarantined
            continue
        report(f"{dataset.name}: {case.case_id} ({number} of {len(dataset.cases)})")
        try:
            yield root / case.case_id, _case_documents(case.input, settings, text, now, f"{root}/{case.case_id}"), ()
        except InputError as exc:
            yield root / case.case_id, (), (Quarantined(str(root / "cases.jsonl"), case.line, str(exc)),)


def _case_documents(
    case: Any, settings: Settings, cause: str | None, now: datetime, source: str
) -> list[MemoryDocument]:
    """One document: the worst incident of the case, or nothing where none is found."""
    from cali.assistant import explain
    from ingest.pipeline import DetectionOptions, detect
    from ingest.sources.files import open_sources
    from ingest.templates.miner import DrainMiner
    from rag.memory.documents import document_of_findings

    opened = open_sources([str(path) for path in case.logs])
    baseline = open_sources([str(path) for path in case.baseline_logs]).sources if case.baseline_logs else ()
    if not opened.sources:
        raise InputError(f"{case.case_id}: no log can be read")
    detection = detect(
        opened.sources,
        miner=DrainMiner(),
        options=DetectionOptions(timezone=ZoneInfo(case.timezone), since=case.window_start, until=case.window_end),
        baseline=baseline,
        observed_at=now,
    )
    findings = explain(detection, symptom=case.symptom, now=now).findings
    if not findings:
        return []
    document = document_of_findings(
        case.case_id, findings, symptom=case.symptom, tenant=settings.memory_tenant, source=source, cause=cause
    )
    return [document]


def _source(path: Path, settings: Settings) -> str:
    """The name by which a file is known again, from whichever folder it is imported: its path from the folder that the
    state folder is in, where it lies below that, else the whole path."""
    whole, home = path.resolve(), settings.state.resolve().parent
    return str(whole.relative_to(home) if whole.is_relative_to(home) else whole)


def _gone(memory: IncidentMemory, source: str, documents: Sequence[MemoryDocument], tenant: str) -> list[str]:
    """Passages that an earlier import of a file left, and that the file no longer has."""
    prose = [document for document in documents if document.kind is not MemoryKind.INCIDENT]
    if not prose:
        return []
    there = memory.export(MemoryFilter(kinds=(MemoryKind.RUNBOOK, MemoryKind.POSTMORTEM), tenant=tenant))
    current = {document.id for document in documents}
    return [document.id for document in there if document.source == source and document.id not in current]
