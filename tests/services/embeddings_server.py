"""A local HTTP server that speaks the embeddings part of the OpenAI protocol, with faults on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rag.memory.testing import WordEmbedder

Reply = tuple[int, dict[str, Any]]


def vectors(body: dict[str, Any]) -> Reply:
    """A vector per text, twice as long as it should be, in the wrong order."""
    rows = [
        {"object": "embedding", "index": index, "embedding": [2.0 * float(value) for value in vector]}
        for index, vector in enumerate(WordEmbedder(dimension=16).embed(body["input"]))
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return 200, {"object": "list", "model": body["model"], "data": rows[::-1], "usage": usage}


@dataclass
class EmbeddingsServer:
    """A running server: `requests` as they came, `reply` to change what it says."""

    url: str
    reply: Callable[[dict[str, Any]], Reply] = vectors
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def embeddings_server() -> Iterator[EmbeddingsServer]:
    """A server on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append({"path": self.path, **body})
            server.keys.append(self.headers.get("Authorization"))
            status, value = server.reply(body)
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = EmbeddingsServer(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
