"""A small dataset on disk, made anew for each test that asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

WriteDataset = Callable[..., Path]


@pytest.fixture
def write_dataset(tmp_path: Path) -> WriteDataset:
    """Writes a dataset from cases and files, and gives its folder."""

    def write(
        cases: Sequence[Mapping[str, Any]], files: Mapping[str, str] | None = None, name: str = "small", head: str = ""
    ) -> Path:
        root = tmp_path / name
        root.mkdir()
        (root / "dataset.toml").write_text(head or f'name = "{name}"\ntitle = "A small one"\nkind = ["rca"]\n')
        (root / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
        for path, text in (files or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return write
