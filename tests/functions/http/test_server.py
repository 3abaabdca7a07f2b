"""The parts of the server below the functions, without a process of their own."""

from __future__ import annotations

import selectors
import socket
from contextlib import ExitStack

import pytest

from functions.http.server import framing
from functions.http.server.connection import Connection, State
from functions.http.server.waiting import Waiting
from functions.http.server.worker import DeskWorker


@pytest.mark.parametrize(
    ("head", "body_bytes", "probe"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 0, True),
        (b"\r\nHEAD /readyz?x=1 HTTP/1.0\r\n\r\n", 0, True),
        (b"GET /healthz/deep HTTP/1.1\r\n\r\n", 0, False),
        (b"GET /v1/tickets HTTP/1.1\r\nX: /healthz\r\n\r\n", 0, False),
        (b"POST /healthz HTTP/1.1\r\n\r\n", 0, False),
        (b"GET /healthz HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 5, False),
        (b"POST / HTTP/1.1\r\ncontent-LENGTH:\t12 \r\nX: y\r\n\r\n", 12, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", None, False),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", None, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n", None, False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", None, False),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", None, False),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", 0, False),
    ],
)
def test_the_end_of_a_request_is_found(head: bytes, body_bytes: int | None, probe: bool) -> None:
    assert framing.read(bytearray(head + b"body")) == framing.Framing(len(head), body_bytes, probe)


def test_the_end_of_a_head_is_found_wherever_its_packets_are_cut() -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for cut in range(len(head)):
        assert framing.read(bytearray(head[:cut])) is None
        assert framing.read(bytearray(head), searched_bytes=cut) is not None


def test_a_line_without_cr_is_found_in_the_bytes_that_are_new() -> None:
    assert framing.is_hopeless(bytearray(b"GET / HTTP/1.1\nHost: x"))
    assert not framing.is_hopeless(bytearray(b"GET / HTTP/1.1\r\nHost: x\r"))
    assert not framing.is_hopeless(bytearray(b"GET / HTTP/1.1\r\n"), searched_bytes=15)
    assert framing.is_hopeless(bytearray(b"GET / HTTP/1.1\r\nHost: x\n"), searched_bytes=20)


def test_an_event_of_a_connection_that_made_room_in_the_same_poll_is_ignored() -> None:
    # given: two connections with data, whose events one poll returns
    worker = DeskWorker.__new__(DeskWorker)
    worker.waiting, worker.connections, worker.context = Waiting(), 2, None
    with selectors.DefaultSelector() as worker.poller, ExitStack() as held:
        kept = []
        for _ in range(2):
            ours, theirs = socket.socketpair()
            held.enter_context(theirs)
            kept.append(Connection(ours, ("192.0.2.1", 1), ("192.0.2.2", 2)))
            worker._await(kept[-1], State.HEAD, 10.0)
            theirs.sendall(b"GET / HTTP/1.1\r\nX: ")
        events = worker.poller.select(1.0)
        assert len(events) == 2

        # when: the first one's event closes the second one
        worker._make_room()
        for key, _ in events:
            key.data(key.fileobj)

        # then
        assert worker.connections == 1
        assert worker.waiting.least() is kept[1]
        assert bytes(kept[1].received) == b"GET / HTTP/1.1\r\nX: "
        worker._close(kept[1])


def test_the_embedded_desk_has_the_same_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_BIND", "127.0.0.1")
    from functions import gunicorn_conf as function
    from scripts.desk import gunicorn_conf as embedded

    assert embedded.worker_class == function.worker_class == "functions.http.server.worker.DeskWorker"
