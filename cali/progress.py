"""Progress on a terminal, for work longer than a second; nothing in a pipe.

A model's reply is streamed, but only its length is shown while it arrives: until code has checked each claim
(`rag.verification`), its words are no finding, and a half-read sentence about a cause is easily taken for one.
"""

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


class Display:
    """One line on the terminal that says what is being done. It is gone when the work is."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def reading(self, lines: int, what: str) -> None:
        """So many lines were read so far; `what` is read now."""
        self._show(f"{lines:,} lines", what)

    def preparing(self, model: str) -> None:
        """A model is prepared for its first use."""
        self._show("preparing the model", f"{model}, once per user", wait=False)

    def asking(self, number: int, total: int) -> Callable[[str], None]:
        """A model is asked about incident `number` of `total`; what is returned takes its reply, piece by piece."""
        which = f"incident {number} of {total}"
        characters = 0

        def on_text(piece: str) -> None:
            nonlocal characters
            characters += len(piece)
            self._show(f"the model answers: {characters:,} characters", f"{which}; shown once it is checked")

        self._show("asking the model", which, wait=False)  # it takes its time, and its first word may be far
        return on_text

    def _show(self, doing: str, what: str, wait: bool = True) -> None:
        if self._progress is None:
            if wait and time.monotonic() - self._started < DELAY:
                return
            self._open()
        assert self._progress is not None and self._task is not None
        from report.text import printable  # the name of a file may hold what a terminal obeys

        self._progress.update(self._task, doing=doing, what=printable(what))

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[doing]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("", total=None, doing="", what="")

    def close(self) -> None:
        """Takes the line away."""
        if self._progress is not None:
            self._progress.stop()


@contextmanager
def progress(enabled: bool = True) -> Iterator[Display | None]:
    """A display; None where stderr is no terminal or `enabled` is false."""
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    display = Display()
    try:
        yield display
    finally:
        display.close()
