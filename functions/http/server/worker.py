"""gunicorn's worker class for every function (`worker_class` in functions/gunicorn_conf.py).

The main thread accepts, receives heads and small bodies, sends what a slow reader has not taken, and closes what is too
slow. A thread of the pool runs a request from its complete head until the kernel has no room for the response; when
there is room again, a thread continues. Probes have a thread of their own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn import sock as tls
from gunicorn.workers import base
from gunicorn.workers.gthread import PollableMethodQueue

from functions.http.server import framing, open_files, refusals, serving
from functions.http.server.connection import Connection, State
from functions.http.server.waiting import Waiting
from models.kernel import imports, limits

_look_s = 0.5  # between two looks at the deadlines
_accepts_at_once = 64  # then the other events get their turn
_scarce = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class DeskWorker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """One process of a function: an event loop, and threads that run requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alive = True
        self.finished = PollableMethodQueue()
        self.waiting = Waiting()
        self.connections = 0
        self._accepting = False
        self._looks_at = 0.0

    # -- the process -----------------------------------------------------------------------------------------------

    def init_process(self) -> None:
        """Make the things that a fork does not share, then run."""
        self.poller = selectors.DefaultSelector()
        self.finished.init()
        self.threads = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="requests")
        self.probes = ThreadPoolExecutor(1, thread_name_prefix="probes")
        self.context: ssl.SSLContext | None = tls.ssl_context(self.cfg) if self.cfg.is_ssl else None
        self.connections_max = max(1, min(limits.http_connections_max, open_files.most() - limits.other_files_max))
        super().init_process()

    def load_wsgi(self) -> None:
        """Import and make the application."""
        with imports.at_start():
            super().load_wsgi()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop (SIGTERM)."""
        if self.alive:
            self.alive = False
            self.finished.defer(lambda: None)  # wakes the poller

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once (SIGQUIT)."""
        self.threads.shutdown(wait=False)
        self.probes.shutdown(wait=False)
        super().handle_quit(sig, frame)

    def run(self) -> None:
        """Serve until SIGTERM or the arbiter's end, then finish the requests that have begun."""
        self.poller.register(self.finished.fileno(), selectors.EVENT_READ, self.finished.run_callbacks)
        self._set_accepting(True)
        while self.alive:
            self._turn()
        self.alive = False
        for listener in self.sockets:
            self._accept(listener)  # callers whom the kernel has accepted already
        self._set_accepting(False)
        now = time.monotonic()
        for state in (State.IDLE, State.HEAD):
            self.waiting.hurry(state, now + limits.stop_keepalive_s)
        while self.connections > 0 and time.monotonic() < now + self.cfg.graceful_timeout:
            self._turn()
        self.threads.shutdown(wait=False)
        self.probes.shutdown(wait=False)
        self.poller.close()
        self.finished.close()
        for listener in self.sockets:
            listener.close()

    def _turn(self) -> None:
        for key, _ in self.poller.select(_look_s):
            key.data(key.fileobj)
        now = time.monotonic()
        if now < self._looks_at:
            return
        self._looks_at = now + _look_s
        self.notify()
        self._end_the_late(now)
        self.alive = self.alive and self.ppid == os.getppid()
        if self.alive:
            self._set_accepting(True)

    # -- accepting -------------------------------------------------------------------------------------------------

    def _set_accepting(self, wanted: bool) -> None:
        if wanted == self._accepting:
            return
        for listener in self.sockets:
            if wanted:
                listener.setblocking(False)
                self.poller.register(listener, selectors.EVENT_READ, self._accept)
            else:
                self.poller.unregister(listener)
        self._accepting = wanted

    def _accept(self, listener: Any) -> None:
        for _ in range(_accepts_at_once):
            if self.connections >= self.connections_max and not self._make_room():
                self._set_accepting(False)  # until the next look; the kernel keeps the next callers
                return
            try:
                sock, client = listener.accept()
            except OSError as error:
                if error.errno in _scarce and not self._make_room():
                    self._set_accepting(False)
                return
            self.connections += 1
            self._welcome(Connection(sock, client, listener.getsockname()))

    def _welcome(self, connection: Connection) -> None:
        if self.context is not None:
            connection.secure(self.context)
            self._await(connection, State.HANDSHAKE, limits.request_head_s)
            self._on_handshake(connection, None)
            return
        try:
            data = connection.receive()
        except OSError:
            data = b""
        if data == b"":
            self._end(connection)
        else:
            connection.received += data or b""
            self._start_or_await(connection)

    def _on_handshake(self, connection: Connection, _: Any) -> None:
        if not self.waiting.has(connection):  # closed for another event of the same poll
            return
        try:
            events = connection.shake_hands()
        except OSError:  # no TLS, or no version that both know
            self._close(connection)
            return
        if events:
            self.poller.modify(connection.sock, events, partial(self._on_handshake, connection))
            return
        self._leave(connection)
        self._await(connection, State.HEAD, limits.request_head_s)
        self._on_readable(connection, None)

    def _make_room(self) -> bool:
        """Close the connection that does the least; return whether there was one."""
        connection = self.waiting.least()
        if connection is not None:
            self._cut(connection, "room")
        return connection is not None

    # -- receiving -------------------------------------------------------------------------------------------------

    def _await(self, connection: Connection, state: State, seconds: float) -> None:
        """Wait for the peer in the main thread, for so many seconds at most."""
        writes = state is State.WRITING
        on_event = partial(self._on_writable if writes else self._on_readable, connection)
        self.waiting.add(connection, state, time.monotonic() + seconds)
        self.poller.register(connection.sock, selectors.EVENT_WRITE if writes else selectors.EVENT_READ, on_event)

    def _leave(self, connection: Connection) -> None:
        """End the wait: a thread takes the connection, or it closes."""
        self.waiting.remove(connection)
        self.poller.unregister(connection.sock)

    def _on_readable(self, connection: Connection, _: Any) -> None:
        if not self.waiting.has(connection):  # closed for another event of the same poll
            return
        try:
            data = connection.receive()
            while data and connection.has_more():
                self.waiting.receive(connection, data)
                data = connection.receive()
        except OSError:  # reset by the peer
            data, connection.framing = b"", None
        if connection.state is State.LINGERING:
            self._linger_on(connection, data)
        elif data == b"":
            if connection.framing is None:
                self._close(connection)
            else:
                self._leave(connection)
                self._start(connection)  # the application answers the part that has arrived
        else:
            self.waiting.receive(connection, data or b"")
            if connection.received:
                self._go_on_receiving(connection)

    def _go_on_receiving(self, connection: Connection) -> None:
        state = self._judge(connection)
        if state is None:
            self._leave(connection)
            self._start(connection)
        elif state is not connection.state:
            seconds = limits.request_head_s if state is State.HEAD else limits.body_ahead_s
            self.waiting.add(connection, state, time.monotonic() + seconds)

    def _start_or_await(self, connection: Connection) -> None:
        """Begin with a connection that nobody waits for."""
        state = self._judge(connection)
        if state is None:
            self._start(connection)
        else:
            self._await(connection, state, limits.request_head_s if state is State.HEAD else limits.body_ahead_s)

    def _judge(self, connection: Connection) -> State | None:
        """The state in which the rest of the request is awaited; None when a thread takes it."""
        received, searched_bytes = connection.received, connection.searched_bytes
        if connection.framing is None:
            connection.framing = framing.read(received, searched_bytes)
            connection.searched_bytes = len(received)
        found = connection.framing
        if found is None:
            too_long = len(received) > limits.request_head_bytes_max
            return None if too_long or framing.is_hopeless(received, searched_bytes) else State.HEAD
        body_bytes = found.body_bytes or 0
        here = len(received) - found.head_bytes >= body_bytes
        return None if here or body_bytes > limits.body_ahead_bytes_max else State.BODY

    def _start(self, connection: Connection) -> None:
        probe = connection.framing is not None and connection.framing.probe
        self._submit(self.probes if probe else self.threads, serving.begin, connection)

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[..., Any], connection: Connection) -> None:
        connection.state = State.WORKING
        done = pool.submit(work, self, connection)
        done.add_done_callback(partial(self.finished.defer, self._on_done, connection))

    # -- responding ------------------------------------------------------------------------------------------------

    def _on_done(self, connection: Connection, done: Future[serving.Next]) -> None:
        """A thread gives the connection back."""
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self.log.error("Error handling request", exc_info=error)
        following = serving.Next.CLOSE if error is not None or done.cancelled() else done.result()
        if following is serving.Next.WRITE:
            connection.marked_bytes = connection.outbox.acknowledged_bytes()
            self._await(connection, State.WRITING, limits.reader_window_s)
        elif following is serving.Next.CLOSE:
            self._linger(connection)
        elif connection.received:  # the client has sent its next request already
            self._start_or_await(connection)
        else:
            self._await(connection, State.IDLE, self.cfg.keepalive if self.alive else limits.stop_keepalive_s)
            if connection.has_more():
                self._on_readable(connection, None)

    def _on_writable(self, connection: Connection, _: Any) -> None:
        if not self.waiting.has(connection):  # closed for another event of the same poll
            return
        try:
            finished = connection.outbox.flush()
        except OSError:  # the client has disconnected
            self._close(connection)
            return
        if finished:
            self._leave(connection)
            self._submit(self.threads, serving.go_on, connection)

    # -- closing ---------------------------------------------------------------------------------------------------

    def _end_the_late(self, now: float) -> None:
        for connection in self.waiting.late(now):
            state = connection.state
            if state is State.WRITING and self._reads_on(connection):
                self.waiting.add(connection, state, now + limits.reader_window_s)
            elif state is State.BODY:
                self._leave(connection)
                self._start(connection)  # the application first refuses what it refuses without a body
            elif state in (State.IDLE, State.LINGERING):
                self._close(connection)
            else:
                self._cut(connection, state.value)
        for connection in self.waiting.surplus():
            self._cut(connection, "memory")

    def _reads_on(self, connection: Connection) -> bool:
        """Return True if the reader took its share in the window that ends now."""
        taken, before = connection.outbox.acknowledged_bytes(), connection.marked_bytes
        connection.marked_bytes = taken
        return taken - before >= limits.reader_bytes_per_s_min * limits.reader_window_s

    def _linger(self, connection: Connection) -> None:
        """Close in order (RFC 9112, section 9.6): say that no more will come, and read what is still on its way, so
        that the client sees the response before the end.
        """
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was first
            self._end(connection)
            return
        connection.received, connection.marked_bytes = bytearray(), 0
        self._await(connection, State.LINGERING, limits.linger_s)

    def _linger_on(self, connection: Connection, data: bytes | None) -> None:
        connection.marked_bytes += len(data or b"")
        if data == b"" or connection.marked_bytes > limits.linger_bytes_max:
            self._close(connection)

    def _cut(self, connection: Connection, reason: str) -> None:
        """Close a connection that is too slow, or that has to make room."""
        from models.kernel.telemetry import metrics  # late: the arbiter loads this module and counts nothing

        metrics.connections_cut.labels(reason).inc()
        if connection.state in (State.HEAD, State.BODY) and connection.received and self.context is None:
            with contextlib.suppress(OSError):  # the client has disconnected, or reads nothing
                connection.sock.send(refusals.response(408, "Request Timeout"), socket.MSG_DONTWAIT)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close a waiting connection."""
        self._leave(connection)
        self._end(connection)

    def _end(self, connection: Connection) -> None:
        self.connections -= 1
        with contextlib.suppress(OSError):  # the client has reset the connection
            connection.sock.close()
        if connection.response is not None:
            self.threads.submit(connection.response.close)
