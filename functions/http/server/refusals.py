"""Responses that the server gives without the application: to a malformed head, or to a head that does not end.

gunicorn answers with an HTML page that quotes the request and has no security headers. The desk keeps its status and
replaces the rest: a problem document (RFC 9457) with the headers of every other response.
"""

from __future__ import annotations

import json

from functions.http import response_headers
from models.kernel import settings


class Page:
    """The error page of gunicorn. gunicorn writes to it as to a socket."""

    def __init__(self) -> None:
        self._written = b""

    def gettimeout(self) -> float:
        """Tell gunicorn that this socket never blocks."""
        return 0.0

    def sendall(self, data: bytes) -> None:
        """Keep the page; nothing of it is sent."""
        self._written += data

    def response(self) -> bytes:
        """Return the response that replaces the page."""
        line = self._written.partition(b"\r\n")[0].decode("latin-1")
        status, _, reason = line.partition(" ")[2].partition(" ")
        return response(int(status), reason)


def response(status: int, reason: str) -> bytes:
    """Return a whole response with this status. The connection ends after it."""
    body = json.dumps({"type": "about:blank", "title": reason, "status": status}).encode()
    headers = {
        "Connection": "close",
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        **response_headers.headers_for(settings.current()),
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
