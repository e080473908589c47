"""An HTTP client that a server can hold only for so long, and fill memory with only so much."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx2

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
"""Bytes of one response: a streamed token takes some 300, so that this is room for fifty thousand."""
_USERINFO: Final = re.compile(r"(?<=://)[^/@\s]*@")


class ResponseTooLargeError(httpx2.StreamError):
    """A server sent more than `MAX_RESPONSE_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_RESPONSE_BYTES // 1024 // 1024} MiB in one response")


@contextmanager
def bounded_client(timeout: float) -> Iterator[tuple[httpx2.Client, threading.Event]]:
    """A client for one request, and an event that says that its time is over. `timeout` is in seconds.

    httpx bounds each read; a server that drips a byte now and then would still hold us for ever. Closing the client at
    the deadline ends that. A response that is too large raises ResponseTooLargeError while it is read.
    """
    expired = threading.Event()
    client = httpx2.Client(timeout=timeout, transport=_BoundedTransport())

    def expire() -> None:
        expired.set()
        client.close()

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    try:
        yield client, expired
    finally:
        timer.cancel()
        client.close()


def without_password(url: str) -> str:
    """A URL as it may be shown: what stands before the `@` is left out."""
    return _USERINFO.sub("", url)


class _BoundedTransport(httpx2.BaseTransport):
    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response

    def close(self) -> None:
        self._inner.close()


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._inner:
            size += len(part)
            if size > MAX_RESPONSE_BYTES:
                raise ResponseTooLargeError
            yield part

    def close(self) -> None:
        self._inner.close()
