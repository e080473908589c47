"""One process holds a memory file. Others learn which one, instead of waiting for ever."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import PermanentError, RetryableError


class MemoryLock:
    """The lock beside a memory file, with the holder's process id in `<file>.lock.pid`.

    The lock is the operating system's: it ends with its process, however that ends. The id is only for the message.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._lock = FileLock(f"{memory}.lock", thread_local=False)
        self._holder = memory.with_name(memory.name + ".lock.pid")

    def acquire(self, timeout: float) -> None:
        """Takes the lock. Raises RetryableError naming the holder where it is not free within `timeout` seconds,
        PermanentError where the folder cannot be written."""
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=timeout, poll_interval=0.02)
            self._holder.write_text(str(os.getpid()))
        except Timeout as exc:
            raise RetryableError(
                f"memory {self._memory} is in use by process {self.holder() or 'unknown'}; wait until it is done, "
                "or let several processes share a Milvus server (setting memory_uri)"
            ) from exc
        except OSError as exc:
            self._lock.release()
            raise PermanentError(f"memory {self._memory} cannot be opened: {exc.strerror}") from exc

    def holder(self) -> int | None:
        """The process that wrote its id last, None where there is none."""
        try:
            return int(self._holder.read_text())
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        """Gives the lock back. Releasing twice is no error."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()
