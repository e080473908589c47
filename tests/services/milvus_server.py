"""A Milvus that listens on a TCP port: Milvus Lite's server, which speaks the protocol of the large one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def milvus_server(file: Path) -> Iterator[str]:
    """The URI of a running server whose data lie in a file."""
    from milvus_lite.server import Server

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(str(file), f"127.0.0.1:{port}")
    assert server.init() and server.start()
    try:
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "the Milvus server does not listen"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process = server._p
        if process is not None:
            process.kill()
            process.wait()
            server._p = None
        server.stop()
