"""A real HTTP server in the test's process that answers as the test tells it, one answer a request."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_close_s = 10.0  # a server that does not end fails the test instead of the session


@dataclass(frozen=True)
class Say:
    """An answer. `hang`: none, until the test ends. `cut`: the connection ends instead; after `body`, when that is to
    be sent first.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False
    length: int | None = None
    drip_s: float | None = None


@dataclass(frozen=True)
class Got:
    """A request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpReceiver:
    """Keeps what it was sent in `got`; gives the next of `answers`, then `otherwise`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.got: list[Got] = []
        self.answers: deque[Say] = deque()
        self.otherwise = Say(204)
        self.ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                told = {key.lower(): value for key, value in self.headers.items()}
                receiver.got.append(Got(self.command, self.path, told, body))
                receiver._answer(self, receiver.answers.popleft() if receiver.answers else receiver.otherwise)

            do_GET = do_POST = do_PUT = do_PATCH = _take  # noqa: N815 -- http.server finds them by these names

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is part of the tests."""

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_port)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/hook"

    def _answer(self, handler: BaseHTTPRequestHandler, say: Say) -> None:
        handler.close_connection = True
        if say.hang:
            self.ended.wait(_close_s)
            return
        if say.cut and not say.body:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(say.status)
        for name, value in say.headers.items():
            handler.send_header(name, value)
        if say.status != 204:
            handler.send_header("content-length", str(len(say.body) if say.length is None else say.length))
        handler.end_headers()
        if say.drip_s is None:
            handler.wfile.write(say.body)
            return
        for position in range(len(say.body)):
            if self.ended.wait(say.drip_s):
                return
            handler.wfile.write(say.body[position : position + 1])


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """A server for the length of a test."""
    receiver = HttpReceiver(tls)
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join(_close_s)
        assert not thread.is_alive()
