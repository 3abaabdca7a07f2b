"""Reading of request bodies after authentication, within bounds of size, time and concurrency.

Without these bounds, eight clients that send a byte now and then occupy every thread, and bodies of unauthenticated
clients fill the memory. An unread body is drained for a moment, because a client that is still sending reads the
response only after that. Then the connection is closed.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from typing import Any

import falcon

from functions.http.server.keys import BUFFERED
from models.kernel import limits
from models.kernel.errors import BadRequest, NestorError, TooLarge, Unavailable

_chunk_bytes = 64 * 1024


class TooSlow(NestorError):
    """The request body did not arrive in time; send it again."""

    code, http_status = "too_slow", 408


class Busy(Unavailable):
    """Too many request bodies are being received; nothing was changed. Try again."""

    code = "busy"


class Doors:
    """Limits on concurrent body reads in this process. Reads never occupy all threads, unauthenticated callers get half
    of the slots, and few bodies can be large.
    """

    def __init__(self, threads: int) -> None:
        most = max(1, threads - limits.threads_for_answers)
        self._all = threading.BoundedSemaphore(most)
        self._strangers = threading.BoundedSemaphore(max(1, most // 2))
        self._large = threading.BoundedSemaphore(limits.large_bodies_max)

    @contextmanager
    def reading(self, *, known: bool, wait_s: float) -> Iterator[None]:
        """Hold a slot for reading. Raises Busy when none is free within `wait_s`."""
        with ExitStack() as places:
            for gate in [self._all] if known else [self._strangers, self._all]:
                _enter(places, gate, wait_s)
            yield

    @contextmanager
    def large(self) -> Iterator[None]:
        """Hold a slot for a body that takes much memory until it is stored. Raises Busy."""
        with ExitStack() as places:
            _enter(places, self._large, limits.large_body_wait_s)
            yield


def _enter(places: ExitStack, gate: threading.Semaphore, wait_s: float) -> None:
    if not gate.acquire(timeout=wait_s):
        raise Busy()
    places.callback(gate.release)


@cache
def doors(threads: int) -> Doors:
    """Return the slots of the process. The functions of the embedded desk share threads, so they share the slots."""
    return Doors(threads)


class _Watch:
    """A watchdog that ends reads at their deadline. A socket's timeout restarts with each byte; a deadline does not."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[object, tuple[float, socket.socket]] = {}
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    def add(self, key: object, ends_at: float, sock: socket.socket) -> None:
        with self._changed:
            self._ends[key] = (ends_at, sock)
            if self._thread is None:  # not at import, because gunicorn forks after the import
                self._thread = threading.Thread(target=self._run, name="slow-bodies", daemon=True)
                self._thread.start()
            elif ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, key: object) -> None:
        with self._changed:
            self._ends.pop(key, None)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for key, (ends_at, sock) in list(self._ends.items()):
                    if ends_at <= now:
                        del self._ends[key]
                        _end_reading(sock)
                self._wakes_at = min((ends_at for ends_at, _ in self._ends.values()), default=float("inf"))
                self._changed.wait(None if self._wakes_at == float("inf") else self._wakes_at - now)


def _end_reading(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RD)  # the reader sees the end; the response can still be sent
    except OSError:  # the caller has disconnected, and the reader notices that itself
        return


_watch = _Watch()


class Incoming:
    """The unread body of a request. `known`: the caller is authenticated."""

    def __init__(self, req: falcon.Request, threads: int) -> None:
        chunked = "chunked" in (req.get_header("Transfer-Encoding") or "").lower()
        self.known = False
        self._req = req
        self._threads = threads
        self._chunked = chunked
        self._socket: socket.socket | None = req.env.get("gunicorn.socket")
        self._announced: int | None = None
        self._taken = 0
        self._buffered_bytes: Callable[[], int] = req.env.get(BUFFERED) or (lambda: 0)
        self._finished = not chunked and (req.env.get("CONTENT_LENGTH") or "0").strip() in ("", "0")

    def _has_arrived(self) -> bool:
        """Return True if the rest of the body has arrived with the head: reading it never waits
        (functions/http/server).
        """
        return self._announced is not None and self._buffered_bytes() >= self._announced - self._taken

    def is_at_hand(self) -> bool:
        """Return True if the body is small and has arrived: to read it waits for nobody."""
        if self._finished:
            return True
        if self._chunked:
            return False
        self._announced = self._req.content_length
        return (self._announced or 0) <= limits.large_body_bytes_min and self._has_arrived()

    def _slot(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold one of the slots for bodies that a thread waits for."""
        return nullcontext() if self._has_arrived() else doors(self._threads).reading(known=self.known, wait_s=wait_s)

    @contextmanager
    def body(self, bytes_max: int) -> Iterator[bytes]:
        """Read the body, at most `bytes_max` bytes. A large body holds one of the few large slots until the block ends.

        Raises TooLarge, TooSlow, Busy, and BadRequest for an incomplete body.
        """
        if not self._chunked:
            self._announced = self._req.content_length
        if self._announced is not None and self._announced > bytes_max:
            raise TooLarge(f"The request body has {self._announced} bytes; at most {bytes_max} are accepted.")
        size_max = bytes_max if self._announced is None else self._announced
        with ExitStack() as held:
            if self._finished:
                yield b""
                return
            with self._slot(limits.body_place_wait_s):
                if size_max > limits.large_body_bytes_min:
                    held.enter_context(doors(self._threads).large())
                whole = self._read(bytes_max)
            yield whole

    @contextmanager
    def pieces(self, bytes_max: int, *, whole_s: float = limits.body_s) -> Iterator[Iterator[bytes]]:
        """Read the body in pieces, without holding it in memory. A slot is held until the block ends.

        Raises TooLarge for a Content-Length above the bound, TooSlow and Busy. The iterator raises BadRequest for an
        incomplete body. For a body above `bytes_max`, the iterator yields one byte more than that and ends, so the
        consumer must count the bytes.
        """
        if not self._chunked:
            self._announced = self._req.content_length
        if self._announced is not None and self._announced > bytes_max:
            raise TooLarge(f"The request body has {self._announced} bytes; at most {bytes_max} are accepted.")
        size_max = bytes_max if self._announced is None else self._announced
        with ExitStack() as held:
            held.enter_context(self._slot(limits.body_place_wait_s))
            if size_max > limits.large_body_bytes_min:  # the slot limits the load of the disk, not of the memory
                held.enter_context(doors(self._threads).large())
            yield self._whole(bytes_max, whole_s)

    def _whole(self, bytes_max: int, whole_s: float) -> Iterator[bytes]:
        yield from self._chunks(bytes_max + 1, limits.body_stall_s, whole_s)
        if not self._finished and self._taken <= bytes_max:
            self._hang_up()
            raise BadRequest(f"The request body ended after {self._taken} of {self._announced} bytes.")

    def beginning(self, bytes_max: int) -> bytes:
        """Read the first bytes of a body that is too large. `finish` drains the rest or closes the connection."""
        if self._finished:
            return b""
        with self._slot(limits.body_place_wait_s):
            return b"".join(self._chunks(bytes_max, limits.body_stall_s, limits.stranger_body_s))[:bytes_max]

    def _read(self, bytes_max: int) -> bytes:
        whole_s = limits.body_s if self.known else limits.stranger_body_s
        whole = io.BytesIO()  # getvalue() returns its own buffer; a join of chunks would hold a large body twice
        for chunk in self._chunks(bytes_max + 1, limits.body_stall_s, whole_s):
            whole.write(chunk)
        if self._taken > bytes_max:
            raise TooLarge(f"The request body has more than {bytes_max} bytes.")
        if not self._finished:
            self._hang_up()
            raise BadRequest(f"The request body ended after {self._taken} of {self._announced} bytes.")
        return whole.getvalue()

    def finish(self) -> None:
        """Drain an unread body for a moment, or close the connection after the response."""
        if not self._finished and not self._read_on():
            self._hang_up()

    def _read_on(self) -> bool:
        """Drain the unread body; return whether its end was reached."""
        bytes_max, stall_s, whole_s = limits.drain_known if self.known else limits.drain_stranger
        if self._announced is None and not self._chunked:
            try:
                self._announced = self._req.content_length
            except falcon.HTTPError:
                return False
        if self._announced is not None and self._announced - self._taken > bytes_max:
            return False
        try:
            with self._slot(0):
                for _ in self._chunks(bytes_max, stall_s, whole_s):
                    pass
        except (TooSlow, BadRequest, Busy):
            return False  # the response is decided already; an error in the rest does not change it
        return self._finished

    def _chunks(self, most: int, stall_s: float, whole_s: float) -> Iterator[bytes]:
        """Yield at most `most` bytes in pieces. `_finished` is true if they were the whole body."""
        stream: Any = self._req.stream if self._chunked else self._req.bounded_stream
        left, ends_at = most, time.monotonic() + whole_s
        with self._timed(stall_s, ends_at):
            while left > 0 and not self._finished:
                try:
                    chunk = stream.read(min(left, _chunk_bytes))
                except Exception as error:  # each server has its own exceptions for malformed chunks and disconnects
                    self._hang_up()
                    if isinstance(error, TimeoutError) or time.monotonic() >= ends_at:
                        raise TooSlow() from error
                    raise BadRequest("The request body ended early, or its chunks are malformed.") from error
                self._taken += len(chunk)
                left -= len(chunk)
                self._finished = not chunk if self._announced is None else self._taken >= self._announced
                if not self._finished and time.monotonic() >= ends_at:
                    self._hang_up()
                    raise TooSlow()
                if not chunk:
                    return
                yield chunk

    @contextmanager
    def _timed(self, stall_s: float, ends_at: float) -> Iterator[None]:
        """Set timeouts on the connection of gunicorn; another server, as in tests, sets its own."""
        if self._socket is None or self._has_arrived():
            yield
            return
        self._socket.settimeout(stall_s)
        _watch.add(self, ends_at, self._socket)
        try:
            yield
        finally:
            _watch.remove(self)
            self._socket.settimeout(None)

    def _hang_up(self) -> None:
        """Close the connection after the response, so that the rest of the body is not parsed as a request."""
        self._finished = True
        stream: Any = self._req.env.get("wsgi.input")
        if hasattr(stream, "failed"):
            stream.failed = True  # gunicorn then closes the connection after the response
        if self._socket is not None:
            _end_reading(self._socket)  # without this, gunicorn's main thread waits 2 s before it closes
