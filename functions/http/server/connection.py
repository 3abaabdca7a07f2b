"""A connection: the bytes that wait in both directions, and the request that is being answered."""

from __future__ import annotations

import fcntl
import selectors
import socket
import ssl
import termios
from collections import deque
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import Any

from gunicorn.http.unreader import SocketUnreader

from functions.http.server.framing import Framing

_receive_bytes = 16 * 1024
_pieces_at_once = 16  # of one system call; a response has two or three


class State(Enum):
    """The event that a connection waits for. In `WORKING` a thread owns the connection."""

    HANDSHAKE = "handshake"
    HEAD = "head"
    BODY = "body"
    WORKING = "working"
    WRITING = "writing"
    IDLE = "idle"
    LINGERING = "lingering"


class Outbox:
    """The bytes of a response that the kernel has not taken yet. gunicorn writes a response to it as to a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.taken_bytes = 0  # by the kernel
        self._pieces: deque[memoryview] = deque()

    def sendall(self, data: bytes) -> None:
        """Append to the response. `flush` sends it."""
        if data:
            self._pieces.append(memoryview(data))

    def send(self, data: bytes) -> int:
        """Send at once: 100 Continue, which the client waits for."""
        self.sendall(data)
        self.flush()
        return len(data)

    def gettimeout(self) -> float:
        """Tell gunicorn that this socket never blocks."""
        return 0.0

    def flush(self) -> bool:
        """Send what the kernel takes without waiting; return whether all is sent. Raises OSError."""
        while self._pieces:
            try:
                sent = self._send()
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            self.taken_bytes += sent
            while sent:
                first = self._pieces[0]
                if sent < len(first):
                    self._pieces[0] = first[sent:]
                    break
                sent -= len(first)
                self._pieces.popleft()
        return True

    def _send(self) -> int:
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.setblocking(False)
            try:
                return self.sock.send(self._pieces[0])
            finally:
                self.sock.setblocking(True)
        return self.sock.sendmsg(islice(self._pieces, _pieces_at_once), [], socket.MSG_DONTWAIT)

    def waiting_bytes(self) -> int:
        """The bytes that the kernel has not taken."""
        return sum(len(piece) for piece in self._pieces)

    def acknowledged_bytes(self) -> int:
        """The bytes that have reached the peer. Without this, a full send buffer of the kernel looks like a peer that
        reads nothing.
        """
        queued = bytearray(4)
        try:
            fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, queued)
        except OSError:  # the system does not tell; then only what the kernel takes counts
            return self.taken_bytes
        return self.taken_bytes - int.from_bytes(queued, "little")


class Inbox(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """The source that gunicorn's parser reads: first the bytes that arrived before a thread took the request.

    While it parses a head it never waits for more, because the head is complete.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.waits = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        data: bytes = super().chunk(size_hint) if self.waits else b""
        return data

    def buffered_bytes(self) -> int:
        """The bytes that can be read without waiting."""
        return len(self.buf.getbuffer())


class Response:
    """A response on its way: gunicorn's framing of it, and the application's pieces that are still to come."""

    def __init__(self, framed: Any, pieces: Any) -> None:
        self.framed = framed
        self.iterator: Iterator[bytes] = iter(pieces)
        self.written = False  # to the outbox, whole
        self._pieces = pieces

    def close(self) -> None:
        """Let the application free what the response holds. Safe to repeat."""
        pieces, self._pieces = self._pieces, None
        if hasattr(pieces, "close"):
            pieces.close()


class Connection:
    """One connection of a client. The main thread owns it, except in the state WORKING."""

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        self.sock, self.client, self.server = sock, client, server
        self.state = State.HEAD
        self.ends_at = float("inf")
        self.received = bytearray()
        self.searched_bytes = 0
        self.framing: Framing | None = None
        self.outbox = Outbox(sock)
        self.inbox: Inbox | None = None
        self.parser: Any = None
        self.response: Response | None = None
        self.marked_bytes = 0  # acknowledged when the current window of the rate began

    def secure(self, context: ssl.SSLContext) -> None:
        """Wrap the socket. The handshake follows."""
        self.sock = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        self.outbox.sock = self.sock

    def shake_hands(self) -> int:
        """Continue the TLS handshake; return the selector event that it waits for, or 0 at its end. Raises OSError."""
        assert isinstance(self.sock, ssl.SSLSocket)
        self.sock.setblocking(False)
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            return selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            return selectors.EVENT_WRITE
        finally:
            self.sock.setblocking(True)
        return 0

    def receive(self) -> bytes | None:
        """Read what has arrived: b"" for the end, None when nothing is there. Raises OSError."""
        try:
            if not isinstance(self.sock, ssl.SSLSocket):
                return self.sock.recv(_receive_bytes, socket.MSG_DONTWAIT)
            self.sock.setblocking(False)
            try:
                return self.sock.recv(_receive_bytes)
            finally:
                self.sock.setblocking(True)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def has_more(self) -> bool:
        """Return True if TLS has decrypted bytes that the poller does not see."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0
