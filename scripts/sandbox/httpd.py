"""A small HTTP/1.1 server on asyncio, for the Bot API and the control port.

The standard library's http.server takes 150 to 300 µs a request (it parses headers as e-mail) and a thread
a connection; the benchmark measures the desk through this server, so its own time must be small and even.
One event loop serves the Bot API, SMTP and control, hence no locks anywhere in the sandbox.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from scripts.sandbox import limits

log = logging.getLogger("nestor.sandbox")


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str  # percent-decoded, without the query
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "application/json"


class CloseConnection(Exception):
    """The handler wants the connection closed without an answer."""


class MalformedRequest(Exception):
    """The request is not HTTP/1.1 as this server understands it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


Handler = Callable[[Request], Awaitable[Response]]
ErrorForm = Callable[[int, str], Response]


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value, separators=(",", ":")).encode("ascii"))


class HttpServer:
    """Serve `handler`; what goes wrong before or inside it is answered in the form of `error_form`."""

    def __init__(self, handler: Handler, error_form: ErrorForm) -> None:
        self._handler = handler
        self._error_form = error_form
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port that was chosen when `port` is 0."""
        # asyncio sets TCP_NODELAY itself and looks no names up.
        self._server = await asyncio.start_server(self._serve, host, port, limit=limits.HEAD_BYTES_MAX, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) > limits.CONNECTIONS_MAX:
                raise MalformedRequest(503, "too many connections")
            while (request := await _read_request(reader, writer)) is not None:
                response = await self._answer(request)
                keep_alive = "close" not in request.headers.get("connection", "").lower()
                writer.write(_encoded(response, keep_alive=keep_alive))
                await writer.drain()
                if not keep_alive:
                    break
        except MalformedRequest as error:
            writer.write(_encoded(self._error_form(error.status, error.text), keep_alive=False))
        except (CloseConnection, ConnectionError, asyncio.IncompleteReadError, TimeoutError) as error:
            log.debug("connection_closed cause=%s", type(error).__name__)
        except asyncio.CancelledError:
            log.debug("connection_closed cause=stop")  # only close() cancels: there is no one to tell
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except (CloseConnection, ConnectionError):
            raise
        except Exception:
            # The one broad except: a fault of the sandbox must reach the client in the protocol's own form.
            log.exception("request_failed path_length=%d", len(request.path))
            return self._error_form(500, "Internal Server Error")


def _encoded(response: Response, *, keep_alive: bool) -> bytes:
    head = (
        f"HTTP/1.1 {response.status} {_reason(response.status)}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1", "replace") + response.body


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request, or None when the client closed between two requests."""
    try:
        async with asyncio.timeout(limits.IDLE_S_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise MalformedRequest(431, "Request Header Fields Too Large") from None
    lines = head[:-4].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        raise MalformedRequest(400, "Bad Request")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise MalformedRequest(400, "Bad Request")
        headers[name.strip().lower()] = value.strip()
    if parts[2] == "HTTP/1.0":
        headers["connection"] = "close"
    path, _, query = parts[1].partition("?")
    body = await _read_body(reader, writer, headers)
    return Request(parts[0].upper(), unquote(path), query, headers, body)


async def _read_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> bytes:
    length_text = headers.get("content-length", "0")
    if not length_text.isdecimal():
        raise MalformedRequest(400, "Bad Request")
    length = int(length_text)
    if length > limits.BODY_BYTES_MAX:
        await _discard(reader, min(length, limits.DISCARD_BYTES_MAX))
        raise MalformedRequest(413, "Request Entity Too Large")
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    if headers.get("expect", "").lower() == "100-continue" and (length or chunked):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    async with asyncio.timeout(limits.IDLE_S_MAX):
        return await _read_chunks(reader) if chunked else await reader.readexactly(length)


async def _discard(reader: asyncio.StreamReader, count: int) -> None:
    """Read the body away: closing before that resets the connection and hides the 413 from the client."""
    async with asyncio.timeout(limits.IDLE_S_MAX):
        while count > 0 and (block := await reader.read(limits.HEAD_BYTES_MAX)):
            count -= len(block)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size_line = await _line(reader)
        try:
            size = int(size_line.split(b";")[0], 16)
        except ValueError:
            raise MalformedRequest(400, "Bad Request") from None
        if size < 0 or len(body) + size > limits.BODY_BYTES_MAX:
            raise MalformedRequest(413, "Request Entity Too Large")
        if size == 0:
            while await _line(reader) != b"":  # trailers, which nobody here reads
                continue
            return bytes(body)
        body += await reader.readexactly(size)
        if await _line(reader) != b"":
            raise MalformedRequest(400, "Bad Request")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n"))[:-2]
    except asyncio.LimitOverrunError:
        raise MalformedRequest(400, "Bad Request") from None
