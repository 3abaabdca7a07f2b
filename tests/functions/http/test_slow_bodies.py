"""Through a real gunicorn: callers who send slowly, or much, must not keep others from being answered."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import falcon
import pytest
from falcon import testing

from functions.http import reading
from functions.http.reading import Busy, Doors, Incoming, TooSlow
from models.kernel import limits
from models.kernel.errors import BadRequest, TooLarge
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, sqlite_only
from tests.functions.test_real_server import Server, refused, serving
from tests.functions.test_webhooks import EMAIL, EMAIL_HEADERS, MAIL, TELEGRAM, TELEGRAM_HEADERS, update

_probe_s = 2.0  # Kubernetes gives a probe 5
_large = 30 * limits.MIB - 1
KNOWN, NOBODY = f"Authorization: Bearer {DEMO_KEY}\r\n", ""


@contextmanager
def slow_clients(server: Server, count: int, path: str, header: str) -> Iterator[list[socket.socket]]:
    """Clients that announce 1,000 bytes and send one."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    with ExitStack() as held:
        clients = []
        for _ in range(count):
            client = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            client.sendall(head.encode() + b"{")
            clients.append(client)
        yield clients


def resident_bytes(process_id: int) -> int:
    """Of gunicorn's worker, its only child."""
    child = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()[0]
    return int(Path(f"/proc/{child}/statm").read_text().split()[1]) * 4096


@sqlite_only
@pytest.mark.parametrize(
    ("path", "header"),
    [("/v1/tickets", KNOWN), ("/v1/tickets", NOBODY), ("/v1/auth/tokens", NOBODY), ("/nowhere", NOBODY)],
)
def test_probes_answer_while_every_thread_could_wait_for_a_slow_client(
    desk: Desk, tmp_path: Path, path: str, header: str
) -> None:
    with serving("gateway", desk, tmp_path) as server, slow_clients(server, 16, path, header):
        for probe in ("/healthz", "/readyz"):
            started = time.monotonic()
            for _ in range(5):
                assert server.ask("GET", probe).status_code == 200
            assert time.monotonic() - started < _probe_s


@sqlite_only
def test_a_stranger_is_refused_at_once_and_hung_up_on(desk: Desk, tmp_path: Path) -> None:
    with (
        serving("webhooks", desk, tmp_path) as server,
        slow_clients(server, 1, TELEGRAM, NOBODY) as (client,),
    ):
        answer = b""
        while chunk := client.recv(65_536):
            answer += chunk

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"problem+json" in answer


@sqlite_only
def test_strangers_bodies_do_not_fill_the_memory(desk: Desk, tmp_path: Path) -> None:
    with serving("webhooks", desk, tmp_path) as server, ExitStack() as held:
        server.ask("POST", TELEGRAM, data=update(), headers=TELEGRAM_HEADERS)
        before = resident_bytes(server.process.pid)
        clients = [
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20)) for _ in range(8)
        ]
        for client in clients:
            client.sendall(f"POST {EMAIL} HTTP/1.1\r\nHost: x\r\nContent-Length: {_large}\r\n\r\n".encode())
        for client in clients:
            try:
                for _ in range(29):
                    client.sendall(b"x" * limits.MIB)
            except ConnectionError:  # it was told to go
                continue
        after = resident_bytes(server.process.pid)
        ten = server.ask("POST", EMAIL, data=b"x" * (10 * limits.MIB))

        assert after - before < 20 * limits.MIB
        refused(ten, 401)
        refused(server.ask("POST", TELEGRAM, data=b"x" * (2 * limits.MIB), headers=TELEGRAM_HEADERS), 413)
        assert server.ask("POST", EMAIL, data=MAIL, headers=EMAIL_HEADERS).status_code == 200


class _Gunicorn(io.RawIOBase):
    """A body on a real socket, with the mark that gunicorn closes by."""

    failed = False

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, size: int = -1) -> bytes:
        """As gunicorn: until all of it is there, or the end."""
        whole = b""
        while len(whole) < size and (more := self._sock.recv(size - len(whole))):
            whole += more
        return whole


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, Any]]:
    """A client's end, and what makes a body of 1,000 bytes of the other."""
    ours, theirs = socket.socketpair()
    stream = _Gunicorn(ours)

    def incoming(threads: int = 8, length: int = 1_000) -> Incoming:
        environ = testing.create_environ(method="POST", headers={"Content-Length": str(length)})
        environ |= {"wsgi.input": stream, "gunicorn.socket": ours}
        return Incoming(falcon.Request(environ), threads)

    incoming.stream = stream  # type: ignore[attr-defined]  # for what a test asks after
    with ours, theirs:
        yield theirs, incoming


def take(incoming: Incoming, bytes_max: int = 2_000) -> bytes:
    with incoming.body(bytes_max) as body:
        return body


def test_a_body_that_stands_still_is_408_and_the_connection_ends(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, incoming = line
    monkeypatch.setattr(limits, "body_stall_s", 0.05)
    client.sendall(b"x")

    with pytest.raises(TooSlow):
        take(incoming())

    assert TooSlow.http_status == 408
    assert incoming.stream.failed


def test_a_body_that_drips_is_ended_by_the_whole_time(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, incoming = line
    monkeypatch.setattr(limits, "stranger_body_s", 0.2)
    client.sendall(b"x" * 999)
    started = time.monotonic()

    with pytest.raises(TooSlow):
        take(incoming())

    assert time.monotonic() - started < limits.body_stall_s
    assert incoming.stream.failed


def test_a_whole_body_leaves_the_connection_as_it_was(line: Any) -> None:
    client, incoming = line
    client.sendall(b"x" * 1_000)

    assert take(incoming()) == b"x" * 1_000
    assert not incoming.stream.failed
    assert incoming.stream._sock.gettimeout() is None


def test_a_body_that_ends_early_is_400_and_one_over_the_bound_413(line: Any) -> None:
    client, incoming = line
    with pytest.raises(TooLarge):
        take(incoming(), bytes_max=999)
    client.sendall(b"x" * 10)
    client.shutdown(socket.SHUT_WR)

    with pytest.raises(BadRequest):
        take(incoming())
    assert incoming.stream.failed


def test_an_unwanted_body_is_read_on_and_an_endless_one_is_not(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, incoming = line
    client.sendall(b"x" * 1_000)
    incoming().finish()
    assert not incoming.stream.failed
    assert incoming.stream._sock.gettimeout() is None

    incoming(length=limits.drain_stranger[0] + 1).finish()

    assert incoming.stream.failed


def test_two_threads_are_never_given_to_bodies_and_strangers_get_half_of_the_rest() -> None:
    doors = Doors(8)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(doors.reading(known=False, wait_s=0))
        with pytest.raises(Busy), doors.reading(known=False, wait_s=0):
            pass
        for _ in range(3):
            held.enter_context(doors.reading(known=True, wait_s=0))
        with pytest.raises(Busy), doors.reading(known=True, wait_s=0):
            pass

    with doors.reading(known=False, wait_s=0):
        assert Busy.http_status == 503


def test_two_large_bodies_at_once_and_the_third_comes_again(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, incoming = line
    doors = Doors(8)
    monkeypatch.setattr(limits, "large_body_wait_s", 0.0)
    monkeypatch.setattr(limits, "large_body_bytes_min", 500)
    monkeypatch.setattr(reading, "doors", lambda threads: doors)
    with ExitStack() as held:
        for _ in range(limits.large_bodies_max):
            client.sendall(b"x" * 1_000)
            held.enter_context(incoming().body(2_000))
        client.sendall(b"x" * 1_000)
        with pytest.raises(Busy):
            take(incoming())
        client.sendall(b"x" * 100)
        take(incoming(length=100))

    assert len(take(incoming())) == 1_000
