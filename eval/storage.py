"""The folder of a run: one file per judged case while it runs (so that it can be resumed), results at its end.

run.json                         what was run: systems, datasets and the digest of their cases
cases/<system>/<dataset>/<case>.json   one answer, written whole or not at all
reports/<dataset>/<case>.html    the system's own report of the case
predictions.jsonl metrics.json scores.json report.md report.html
systems/<system>/predictions.jsonl     the same of the baselines
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.memory import MemoryDocument, MemoryKind
from eval.datasets import Dataset
from eval.predictions import from_json, to_json
from eval.system import Outcome

_RESULTS = ("predictions.jsonl", "metrics.json", "scores.json", "report.md", "report.html")


@dataclass(frozen=True, slots=True)
class Answered:
    """One case answered by one system: an outcome, or template assignments (Loghub CSVs)."""

    outcome: Outcome
    templates: tuple[tuple[str, str], ...] | None = None


class RunFolder:
    """Reads and writes the folder of a run. Raises InputError where the folder holds something else."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self, systems: list[str], datasets: list[Dataset], resume: bool) -> None:
        """Makes the folder ready: empty of results, or (`resume`) as the same run left it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise InputError(f"{self.root} cannot be written: {exc.strerror}") from exc
        mine = self.root / "run.json"
        plan = {"systems": systems, "datasets": {each.name: _digest(each) for each in datasets}}
        if mine.exists():
            if resume and json.loads(mine.read_text(encoding="utf-8")) != plan:
                raise InputError(f"{self.root} holds another run (systems or datasets differ): run without --resume")
            if not resume:
                for name in ("cases", "reports", "systems"):
                    shutil.rmtree(self.root / name, ignore_errors=True)
            for name in _RESULTS:
                (self.root / name).unlink(missing_ok=True)
        elif any(self.root.iterdir()):
            raise InputError(f"{self.root} is not empty and holds no evaluation: name another --output")
        self.write("run.json", json.dumps(plan, indent=1))

    def write(self, name: str, text: str) -> Path:
        """Writes a file whole or not at all."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        return path

    def save(self, system: str, dataset: str, answered: Answered) -> None:
        """Keeps one answer."""
        document = answered.outcome.prediction.document
        value = {
            "outcome": to_json(answered.outcome),
            "document": None if document is None else _document(document),
            "templates": answered.templates,
        }
        self.write(f"cases/{slug(system)}/{dataset}/{answered.outcome.case_id}.json", json.dumps(value))

    def load(self, system: str, dataset: str, case_id: str) -> Answered | None:
        """The answer of an earlier, unfinished run; None where there is none. Failed cases are asked again."""
        path = self.root / f"cases/{slug(system)}/{dataset}/{case_id}.json"
        if not path.exists():
            return None
        value = json.loads(path.read_text(encoding="utf-8"))
        outcome = from_json(value["outcome"])
        if outcome.error is not None:
            return None
        templates = value["templates"]
        return Answered(
            _with_document(outcome, value["document"]),
            None if templates is None else tuple((each, text) for each, text in templates),
        )


def slug(system: str) -> str:
    """A system's name as a folder."""
    return system.replace(":", "-")


def _digest(dataset: Dataset) -> str:
    path = dataset.root / "cases.jsonl"
    if path.exists():
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return hashlib.sha256("\n".join(case.case_id for case in dataset.cases).encode()).hexdigest()[:16]


def _document(document: MemoryDocument) -> Mapping[str, Any]:
    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {
            key: value.isoformat() if isinstance(value, datetime) else value.value if isinstance(value, Enum) else value
            for key, value in pairs
            if key != "feedback"
        }

    return asdict(document, dict_factory=plain)


def _with_document(outcome: Outcome, value: dict[str, Any] | None) -> Outcome:
    if value is None:
        return outcome
    document = MemoryDocument(
        id=value["id"],
        kind=MemoryKind(value["kind"]),
        title=value["title"],
        text=value["text"],
        services=tuple(value["services"]),
        level=value["level"],
        starts_at=None if value["starts_at"] is None else datetime.fromisoformat(value["starts_at"]),
        ends_at=None if value["ends_at"] is None else datetime.fromisoformat(value["ends_at"]),
        template_ids=tuple(value["template_ids"]),
        cause=value["cause"],
        fix=value["fix"],
        labels=value["labels"],
    )
    return replace(outcome, prediction=replace(outcome.prediction, document=document))
