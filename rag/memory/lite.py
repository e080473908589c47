"""Milvus Lite as a process of its own: started on a file, stopped with us."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from core.errors import InputError, RetryableError

_MAX_SOCKET_PATH: Final = 107
"""Bytes of a socket's path (`sun_path` of Linux, without its end)."""
_SQLITE: Final = b"SQLite format 3\0"
_LOGGING: Final = {"GLOG_minloglevel": "2"}
"""Errors alone: by default every start writes a file of calls and one of warnings into the temporary folder."""


class LiteServer:
    """A running Milvus Lite."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def uri(self) -> str:
        """The address of its socket."""
        return str(self._server.uds_path)

    def stop(self) -> None:
        """Ends the process and waits for it; its socket is removed."""
        self._server.stop()


def start(path: Path, wait: float) -> LiteServer:
    """Starts Milvus Lite on a file.

    A process that was killed leaves its Milvus Lite running for a moment, until that one sees that the lock is free:
    starting is tried again for `wait` seconds.

    The socket, and a log where there are errors, are put beside the file (the socket into the temporary folder where
    its path would be too long). The caller holds the memory's lock: other sockets there are left over and removed.
    """
    with _package_resources():
        from milvus_lite.server import Server

    file = path.absolute().resolve()
    _check(file)
    for stale in file.parent.glob(f".{file.name}.*.sock"):
        stale.unlink(missing_ok=True)
    socket = str(file.parent / f".{file.name}.{os.getpid()}.sock")
    logger = logging.getLogger()
    deadline = time.monotonic() + wait
    while True:
        disabled, logger.disabled = logger.disabled, True  # it logs that the file is held; we say it better
        try:
            server = Server(str(file))
            if len(os.fsencode(socket)) <= _MAX_SOCKET_PATH:
                server._uds_path = socket
            with _environment({**_LOGGING, "GLOG_log_dir": str(file.parent)}):
                if server.init() and server.start():
                    return LiteServer(server)
            server.stop()
        except RuntimeError as exc:
            raise InputError(f"memory {path}: {exc}") from exc
        finally:
            logger.disabled = disabled
        if time.monotonic() > deadline:
            raise RetryableError(f"memory {path} could not be opened: Milvus Lite did not start or is held elsewhere")
        time.sleep(0.05)


def _check(file: Path) -> None:
    """Raises InputError for a file that is no database: Milvus Lite would say so in its own log alone."""
    try:
        with file.open("rb") as content:
            head = content.read(len(_SQLITE))
    except FileNotFoundError:
        return
    except OSError as exc:
        raise InputError(f"memory {file} cannot be read: {exc.strerror}") from exc
    if head not in (b"", _SQLITE):
        raise InputError(f"{file} is no memory, or damaged: put it elsewhere, and `cali memory init` makes a new one")


@contextmanager
def _environment(wanted: dict[str, str]) -> Iterator[None]:
    """Variables that a process gets which is started meanwhile; where the user set one, that stays."""
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


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
