"""Milvus Lite as a process of its own: started on a file, stopped with us."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from core.errors import InputError, RetryableError


def start(path: Path, wait: float) -> str:
    """Starts Milvus Lite on a file; the address of its socket.

    A process that was killed leaves its Milvus Lite running for a moment, until that one sees that the lock is free:
    starting is tried again for `wait` seconds.
    """
    with _package_resources():
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


@contextmanager
def _package_resources() -> Iterator[None]:
    """milvus-lite reads its own version with setuptools' pkg_resources, which is deprecated, gone from setuptools 81 on
    and takes 0.15 s to import: meanwhile, what it asks for stands in its place."""
    if "pkg_resources" in sys.modules:
        yield
        return
    stand_in = ModuleType("pkg_resources")
    stand_in.DistributionNotFound = importlib.metadata.PackageNotFoundError  # type: ignore[attr-defined]
    stand_in.get_distribution = importlib.metadata.distribution  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        if sys.modules.get("pkg_resources") is stand_in:
            del sys.modules["pkg_resources"]


def stop(path: Path) -> None:
    manager = sys.modules.get("milvus_lite.server_manager")
    if manager is not None and str(path.absolute().resolve()) in manager.server_manager_instance._servers:
        manager.server_manager_instance.release_server(str(path))
