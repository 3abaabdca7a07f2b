"""Through a real gunicorn and real sockets: what an in-process client cannot show, above all that the client of a large
body sees why.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, PROBLEM, sqlite_only
from tests.functions.conftest import FORBIDDEN
from tests.functions.test_webhooks import EMAIL, EMAIL_HEADERS, MAIL
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
AUTHORISED = {"Authorization": f"Bearer {DEMO_KEY}", "Content-Type": "application/json"}
_start_s, _stop_s, _answer_s = 30.0, 15.0, 30.0

pytestmark = sqlite_only


@dataclass
class Server:
    """A function's process."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=_answer_s, **more)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def serving(
    function: str, desk: Desk, folder: Path, *arguments: str, until: str = "/readyz", scheme: str = "http"
) -> Iterator[Server]:
    """The function as a pod runs it, with more `arguments` of gunicorn, on a socket that we opened (port 0), so that no
    port is raced for. `until` answers 200.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    log = folder / f"{function}.log"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "functions/gunicorn_conf.py",
        "-b",
        f"fd://{listener.fileno()}",
        *arguments,
    ]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, f"functions.{function}.app:create_app()"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[listener.fileno()],
            stderr=file,
            stdout=file,
        )
    listener.close()
    server = Server(f"{scheme}://127.0.0.1:{port}", port, process, log)
    try:
        wait_until(lambda: _answers(server, until), within_s=_start_s, what=f"{function} answering {until}")
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_stop_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _answers(server: Server, path: str) -> bool:
    assert server.process.poll() is None, server.log.read_text(encoding="utf-8")
    try:
        return server.ask("GET", path).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def gateway_server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    with serving("gateway", desk, tmp_path) as server:
        yield server


def in_pieces(raw: bytes) -> Iterator[bytes]:
    """A body without a length: requests sends it chunked."""
    for start in range(0, len(raw), 65_536):
        yield raw[start : start + 65_536]


def refused(response: requests.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    assert response.json()["request_id"] == response.headers["x-request-id"]


def test_the_gateway_over_real_sockets(gateway_server: Server, desk: Desk) -> None:
    """One start for all of it, because a start costs a second."""
    server = gateway_server
    large = b'{"title": "' + b"x" * (10 * limits.MIB) + b'"}'

    refused(server.ask("POST", "/v1/tickets", data=large, headers=AUTHORISED), 413)
    refused(server.ask("POST", "/v1/tickets", data=in_pieces(large), headers=AUTHORISED), 413)
    refused(server.ask("POST", "/v1/tickets", data=large, headers={}), 401)
    refused(server.ask("POST", "/v1/tickets", data=in_pieces(large), headers={}), 401)
    refused(server.ask("POST", "/v1/auth/tokens", data=large, headers=AUTHORISED), 413)
    refused(server.ask("POST", "/v1/nowhere", data=large), 404)
    chunked = server.ask("POST", "/v1/tickets", data=in_pieces(b'{"title": "In pieces"}'), headers=AUTHORISED)
    assert chunked.status_code == 201
    assert server.ask("GET", "/v1/tickets", data=b"a body", headers=AUTHORISED).status_code == 200
    assert server.ask("BREW", "/v1/tickets", headers=AUTHORISED).status_code in (400, 405)
    assert server.ask("OPTIONS", "/v1/tickets").headers["allow"]
    _send_half_a_body(server)
    for head in (
        b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ):
        assert b" 5" not in _talk(server, head).partition(b"\r\n")[0]
    after = server.ask("GET", "/v1/tickets", headers=AUTHORISED)
    assert [ticket["title"] for ticket in after.json()["items"]] == ["In pieces"]
    assert 'method="OTHER"' not in after.text
    metrics = server.ask("GET", "/metrics").text
    assert "BREW" not in metrics
    assert "nestor_oldest_due_task_seconds" in metrics


def _send_half_a_body(server: Server) -> None:
    """A client that goes in the middle of its body; nothing comes of it."""
    head = f"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {DEMO_KEY}\r\n"
    answer = _talk(
        server,
        (head + 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"title": "Half"}').encode(),
    )
    assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0]


def _talk(server: Server, raw: bytes) -> bytes:
    """Send bytes, say that no more will come, and read what is answered until the server hangs up."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=_answer_s) as connection:
        try:
            connection.sendall(raw)
            _say_no_more(connection)
            while chunk := connection.recv(65_536):
                answer += chunk
        except ConnectionError:  # the server hung up first; what it said until then is the answer
            return answer
    return answer


def _say_no_more(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:  # the server was quicker and reset the connection; its answer may wait to be read
        if error.errno != errno.ENOTCONN:
            raise


def test_a_webhook_takes_25_mb_says_why_it_does_not_take_more_and_stops_in_order(desk: Desk, tmp_path: Path) -> None:
    with serving("webhooks", desk, tmp_path) as server:
        attachment = b"x" * (25 * limits.MIB)

        taken = server.ask("POST", EMAIL, data=MAIL + attachment, headers=EMAIL_HEADERS)
        for body in (b"x" * (31 * limits.MIB), in_pieces(b"x" * (31 * limits.MIB))):
            refused(server.ask("POST", EMAIL, data=body, headers=EMAIL_HEADERS), 413)
        unknown = server.ask("POST", EMAIL, data=MAIL, headers={"Content-Type": "message/rfc822"})

        assert taken.status_code == 200, taken.text
        refused(unknown, 401)
    assert server.process.returncode == 0
    assert len(desk.rows("SELECT 1 FROM inbox WHERE status <> 'failed'")) == 1
    requests_told = [line for line in server.lines() if line["event"] == "request"]
    assert [line["status"] for line in requests_told] == [200, 413, 413, 401]
    assert {line["route"] for line in requests_told} == {"/webhooks/{channel}/{account}"}
    for line in server.log.read_text(encoding="utf-8").splitlines():
        assert not [word for word in FORBIDDEN if word in line], line
