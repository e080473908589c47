"""Incident memory: what happened before, found again. Importing this package imports no vendor SDK."""

from __future__ import annotations

from pathlib import Path

MEMORY_FILE = "memory.db"


def is_initialised(state: Path) -> bool:
    """Whether `cali memory init` has made a memory in a state folder (a file; a server is asked by opening it)."""
    return (state / MEMORY_FILE).is_file()
