"""Milvus Lite as a process of its own: started on a file, stopped with us."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from pathlib import Path

from core.errors import InputError, RetryableError


def start(path: Path, wait: float) -> str:
    """Starts Milvus Lite on a file; the address of its socket.

    A process that was killed leaves its Milvus Lite running for a moment, until that one sees that the lock is free:
    starting is tried again for `wait` seconds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pkg_resources is deprecated
        from milvus_lite.server_manager import server_manager_instance

    logger = logging.getLogger()
    deadline = time.monotonic() + wait
    while True:
        disabled, logger.disabled = logger.disabled, True  # it logs that the file is held; we say it better
        try:
            uri = server_manager_instance.start_and_get_uri(str(path))
        except RuntimeError as exc:
            raise InputError(f"memory {path}: {exc}") from exc
        finally:
            logger.disabled = disabled
        if uri is not None:
            return str(uri)
        if time.monotonic() > deadline:
            raise RetryableError(f"memory {path} could not be opened: Milvus Lite did not start or is held elsewhere")
        time.sleep(0.05)


def stop(path: Path) -> None:
    manager = sys.modules.get("milvus_lite.server_manager")
    if manager is not None and str(path.absolute().resolve()) in manager.server_manager_instance._servers:
        manager.server_manager_instance.release_server(str(path))
