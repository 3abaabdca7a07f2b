"""A real HTTP server that plays a provider's API: it answers as told, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

_hang_s_max = 30.0  # a handler that nobody releases ends by itself


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """One answer. `hang`: none, until the test is over; `cut`: the connection is closed instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False


@dataclass
class FakeApi:
    """`answers` are given in order; `at` those of a path, each time. An unexpected request is answered 418."""

    url: str
    answers: deque[Answer] = field(default_factory=deque)
    at: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, status: int, document: Any = None, headers: Mapping[str, str] | None = None) -> None:
        """The next answer."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers.append(Answer(status, body, headers or {}))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        api = cast(_Server, self.server).api
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        api.calls.append(Call(self.command, self.path, headers, body))
        answer = api.at.get(self.path) or (api.answers.popleft() if api.answers else Answer(418))
        if answer.hang:
            api.over.wait(_hang_s_max)
        if answer.hang or answer.cut:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = _serve  # noqa: N815 -- the standard library's names

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: FakeApi


@contextmanager
def running() -> Iterator[FakeApi]:
    """A server on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.api = FakeApi(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.api
    finally:
        server.api.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10.0)
