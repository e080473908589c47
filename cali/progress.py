"""Progress on a terminal, for work longer than a second; nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY: Final = 1.0
"""Seconds before anything is shown."""


class _Display:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def update(self, lines: int, what: str) -> None:
        if self._progress is None:
            if time.monotonic() - self._started < DELAY:
                return
            self._open()
        assert self._progress is not None and self._task is not None
        self._progress.update(self._task, completed=lines, what=what)

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f} lines"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=None, what="")

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


@contextmanager
def progress(enabled: bool = True) -> Iterator[Callable[[int, str], None] | None]:
    """A callback that shows (lines so far, what is read); None where stderr is no terminal or `enabled` is false."""
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    display = _Display()
    try:
        yield display.update
    finally:
        display.close()
