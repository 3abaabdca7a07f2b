"""Responses of the server itself, without the application: the same headers, no word of the request, no smuggling."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.http import response_headers
from functions.http.server import refusals
from models.kernel import limits, settings
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.functions.test_real_server import Server, serving

_HOST = b"Host: x\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    with serving("gateway", desk, tmp_path) as made:
        yield made


def ask(server: Server, request: bytes) -> bytes:
    """Send one request; return what the server sends until it closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(request)
        try:
            while chunk := client.recv(65_536):
                answer += chunk
        except ConnectionResetError:
            return answer
    return answer


def read(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}, body


@sqlite_only
def test_what_is_no_http_is_refused_with_the_headers_of_every_answer_and_without_its_words(server: Server) -> None:
    """One start for all, because a start costs a second."""
    expected = {name.lower(): value for name, value in response_headers.headers_for(settings.current()).items()}
    for request, wanted in (
        (b"GET / HTTP/1.1\r\nsecret-word: \x00\r\n\r\n", 400),
        (b"GET / secret-word HTTP/1.1\r\n" + _HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nsecret-word: " + b"y" * (2 * limits.request_head_bytes_max), 431),
        (b"GET /secret-word" + b"a" * 9_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n", 414),
        (b"POST /v1/tickets HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: secret-word\r\n\r\n", 501),
    ):
        status, headers, body = read(ask(server, request))

        assert status == wanted, request[:60]
        assert {name: headers.get(name) for name in expected} == expected, request[:60]
        assert headers["content-type"] == "application/problem+json"
        assert headers["content-length"] == str(len(body))
        assert json.loads(body)["status"] == wanted
        assert b"secret-word" not in body


AMBIGUOUS = (
    b"Content-Length: 5\r\n" + _CHUNKED,
    _CHUNKED + b"Content-Length: 5\r\n",
    _CHUNKED + _CHUNKED,
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: 5\r\nContent-Length: 5\r\n",
)


@sqlite_only
def test_a_body_whose_end_is_ambiguous_is_refused_and_the_connection_ends(server: Server) -> None:
    """A proxy that reads the length differently would take the rest for a second request (RFC 9112, section 11.2)."""
    for fields in AMBIGUOUS:
        answer = ask(server, b"POST /v1/tickets HTTP/1.1\r\n" + _HOST + fields + b"\r\n0\r\n\r\n" + SMUGGLED)

        assert read(answer)[0] in (400, 501), fields
        assert answer.count(b"HTTP/1.1 ") == 1, fields


def test_the_page_of_gunicorn_gives_only_its_status() -> None:
    page = refusals.Page()
    page.sendall(b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n<html>words</html>")

    status, headers, body = read(page.response())

    assert (status, json.loads(body)["title"]) == (431, "Request Header Fields Too Large")
    assert headers["connection"] == "close"
    assert b"words" not in page.response()
