"""The parts of the server below the functions, without a process of their own."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from functions.http.server import framing
from functions.http.server.connection import Connection, Outbox, State
from functions.http.server.waiting import Waiting
from functions.http.server.worker import DeskWorker
from models.kernel import limits


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


@pytest.fixture
def connections() -> Iterator[Callable[..., Connection]]:
    """Makes waiting connections, the older ones first."""
    with ExitStack() as held:

        def make(waiting: Waiting, state: State, *, received: bytes = b"", ends_at: float = 10.0) -> Connection:
            ours, theirs = socket.socketpair()
            held.enter_context(ours)
            held.enter_context(theirs)
            made = Connection(ours, None, None)
            waiting.add(made, state, ends_at)
            waiting.receive(made, received)
            return made

        yield make


def test_who_does_the_least_makes_room(connections: Callable[..., Connection]) -> None:
    """A half-closed connection before a half-sent head, that before an idle one; a reader that reads is spared."""
    waiting = Waiting()
    order = [State.IDLE, State.BODY, State.HEAD, State.HANDSHAKE, State.LINGERING]
    made = {state: [connections(waiting, state) for _ in range(2)] for state in order}
    reader = connections(waiting, State.WRITING)
    reader.marked_bytes = -1  # it has taken a byte since its window began

    left = []
    while (least := waiting.least()) is not None:
        left.append(least)
        waiting.remove(least)

    assert left == [one for state in reversed(order) for one in made[state]]


def test_a_reader_that_reads_nothing_makes_room_after_some_seconds(connections: Callable[..., Connection]) -> None:
    waiting, now = Waiting(), time.monotonic()
    fresh = connections(waiting, State.WRITING, ends_at=now + limits.reader_window_s)
    assert waiting.least() is None

    waiting.add(fresh, State.WRITING, now + limits.reader_window_s - limits.reader_patience_s - 1)

    assert waiting.least() is fresh


def test_late_connections_come_in_the_order_of_their_ends(connections: Callable[..., Connection]) -> None:
    waiting = Waiting()
    made = [connections(waiting, State.HEAD, ends_at=float(end)) for end in (1, 2, 3, 9)]

    late = []
    for connection in waiting.late(3.0):
        late.append(connection)
        waiting.remove(connection)
    waiting.hurry(State.HEAD, 4.0)

    assert late == made[:3]
    assert made[3].ends_at == 4.0


def test_incomplete_requests_and_unread_responses_have_a_bound_of_memory_together(
    connections: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "held_requests_bytes_max", 250)
    monkeypatch.setattr(limits, "held_responses_bytes_max", 250)
    waiting = Waiting()
    heads = [connections(waiting, State.HEAD, received=b"x" * 100) for _ in range(4)]
    writers = [connections(waiting, State.WRITING) for _ in range(4)]
    for writer in writers:
        writer.outbox.sendall(b"y" * 100)
    writers[0].marked_bytes = -1  # it reads

    closed = []
    for connection in waiting.surplus():
        closed.append(connection)
        waiting.remove(connection)

    assert closed == [*heads[:2], *writers[1:3]]


def test_an_outbox_sends_what_the_kernel_takes_and_keeps_the_rest() -> None:
    ours, theirs = socket.socketpair()
    content = bytes(range(256)) * 8_192  # 2 MiB: more than the buffers of a pair of sockets
    with ours, theirs:
        outbox = Outbox(ours)
        for start in range(0, len(content), 10_000):
            outbox.sendall(content[start : start + 10_000])
        assert not outbox.flush()
        assert outbox.taken_bytes + outbox.waiting_bytes() == len(content)

        received = bytearray()
        while len(received) < len(content):
            received += theirs.recv(65_536)
            outbox.flush()

        assert bytes(received) == content
        assert outbox.flush()
        assert outbox.acknowledged_bytes() == len(content)
