"""The state folder: the catalog, the snapshot of the templates, the memory. One process writes it at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, PermanentError, RetryableError


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Places inside one state folder."""

    path: Path

    @property
    def templates(self) -> Path:
        """The snapshot of the mined templates."""
        return self.path / "templates.json.zst"

    @property
    def lock(self) -> Path:
        """The lock file, and beside it who holds it."""
        return self.path / "lock"

    @property
    def holder(self) -> Path:
        """Says which process holds the lock."""
        return self.path / "lock.json"

    @contextmanager
    def locked(self, command: str, wait: float = 10.0) -> Iterator[None]:
        """Holds the folder for this process, creating it first; `wait` is in seconds.

        Raises RetryableError that names the process which holds it, PermanentError where the folder cannot be written.
        """
        from filelock import FileLock, Timeout  # starts asyncio, which a run without state does not wait for

        try:
            if self.path.exists() and not self.path.is_dir():
                raise InputError(f"state {self.path} is a file; --state takes a folder")
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.lock)
            lock.acquire(timeout=wait)
        except Timeout as exc:
            raise RetryableError(
                f"state {self.path} is held by {self._held_by()}; wait for it, or use another --state or --no-state"
            ) from exc
        except OSError as exc:
            raise PermanentError(
                f"state {self.path} cannot be written: {exc.strerror}; use another --state, or --no-state"
            ) from exc
        try:
            self._write_holder(command)
            yield
        finally:
            self.holder.unlink(missing_ok=True)
            lock.release()

    def _write_holder(self, command: str) -> None:
        try:
            self.holder.write_text(json.dumps({"pid": os.getpid(), "command": command}), encoding="utf-8")
        except OSError as exc:
            raise PermanentError(
                f"state {self.path} cannot be written: {exc.strerror}; --no-state works without"
            ) from exc

    def _held_by(self) -> str:
        try:
            holder = json.loads(self.holder.read_text(encoding="utf-8"))
            return f"process {holder['pid']} (cali {holder['command']})"
        except (OSError, ValueError, KeyError):
            return "another process"
