"""A local HTTP server that speaks the OpenAI protocol (chat completions, streamed; models), with faults on demand.

No model can run in the tests; the protocol, the client library and the network stack are real.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Say:
    """One reply. `status` other than 200 is an error with `text` as its message.

    `cut` ends the stream in the middle; `stall` waits (seconds) before anything is sent; `drip` sends comments only;
    `raw` is sent as it is, in place of a stream.
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None
    cut: bool = False
    close: bool = False
    stall: float = 0.0
    drip: bool = False
    raw: bytes | None = None
    usage: bool = True


Script = Callable[[dict[str, Any]], Say]


@dataclass
class OpenAIServer:
    """A running server: `url` for clients, `requests` as they came, `script` to change what it says."""

    url: str
    script: Script
    models: list[str]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


def in_turn(*replies: Say) -> Script:
    """Says each reply once, the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def script(_: dict[str, Any]) -> Say:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


@contextmanager
def openai_server(script: Script, models: tuple[str, ...] = ("test-model",)) -> Iterator[OpenAIServer]:
    """Runs a server on a free port of the loopback."""
    state: OpenAIServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests look at `requests`."""

        def do_GET(self) -> None:
            if self.path.rstrip("/").endswith("/models"):
                data = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in state.models]
                self._json(200, {"object": "list", "data": data})
            else:
                self._json(404, {"error": {"message": f"no such path {self.path}"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append(body)
            state.keys.append(self.headers.get("authorization"))
            say = state.script(body)
            if say.stall:
                state.stopping.wait(say.stall)
            if say.close:
                self.close_connection = True
                return
            if say.status != 200:
                self._json(say.status, {"error": {"message": say.text, "type": "error"}}, say.headers)
                return
            self._stream(body, say)

        def _json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def _stream(self, body: dict[str, Any], say: Say) -> None:
            assert body["stream"] is True
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                if say.raw is not None:
                    self.wfile.write(say.raw)
                    return
                if say.drip:
                    while not state.stopping.wait(0.05):
                        self.wfile.write(b": still thinking\n\n")
                        self.wfile.flush()
                    return
                half = say.text[: len(say.text) // 2] if say.cut else say.text
                self._event(body, {"role": "assistant", "content": ""})
                for start in range(0, len(half), 40):
                    self._event(body, {"content": half[start : start + 40]})
                if say.cut:
                    return
                if say.refusal is not None:
                    self._event(body, {"refusal": say.refusal})
                self._event(body, {}, finish=say.finish)
                if say.usage:
                    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
                    self._event(body, None, usage=usage)
                self.wfile.write(b"data: [DONE]\n\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up, as it should

        def _event(
            self, body: dict[str, Any], delta: dict[str, Any] | None, finish: str | None = None, usage: object = None
        ) -> None:
            choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
            event = {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": int(time.time()),
                "model": body["model"],
                "choices": choices,
            }
            if usage is not None:
                event["usage"] = usage
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = OpenAIServer(f"http://127.0.0.1:{server.server_port}/v1", script, list(models))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        server.shutdown()
        server.server_close()
