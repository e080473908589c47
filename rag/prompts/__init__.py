"""Prompts, one versioned text file each: `analysis.v1.txt` is version 1 of the prompt `analysis`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text; `version` is what analyses record (`analysis/1`)."""

    version: str
    text: str


def load(name: str) -> Prompt:
    """The newest version of a prompt. Raises KeyError where there is none."""
    versions = {
        int(match[1]): entry
        for entry in files(__package__).iterdir()
        if (match := re.fullmatch(rf"{re.escape(name)}\.v(\d+)\.txt", entry.name))
    }
    if not versions:
        raise KeyError(name)
    newest = max(versions)
    return Prompt(f"{name}/{newest}", versions[newest].read_text(encoding="utf-8").strip())
