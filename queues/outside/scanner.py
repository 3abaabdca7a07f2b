"""A client of clamd, ClamAV's daemon: one file over its INSTREAM command.

A client sends `zINSTREAM`, then chunks with their length in four bytes (network byte order), then a chunk of length 0.
clamd answers `stream: OK`, `stream: NAME FOUND`, or an error; it ends a stream above its StreamMaxLength early.
Source: https://docs.clamav.net/manual/Usage/Scanning.html and clamd(8).
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from models.kernel import limits
from models.kernel.errors import TransientFailure

_PORT = 3310  # of clamd, by its documentation
_ANSWER_BYTES_MAX = 4096  # a line with the name of a signature


class ScannerAway(TransientFailure):
    """The malware scanner does not answer."""

    code = "scanner_away"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state`: clean, infected or too_large. `detail`: the name of the signature."""

    state: str
    detail: str | None = None


def scan(url: str, file: BinaryIO) -> Verdict:
    """Have a stream scanned. Network: not in a transaction. Raises ScannerAway."""
    with _connected(url, limits.scan_s) as clamd:
        clamd.send(b"zINSTREAM\0")
        while piece := file.read(limits.blob_piece_bytes):
            if clamd.has_answered():
                break  # above its size limit it answers early, and reads no further
            clamd.send(struct.pack("!I", len(piece)) + piece)
        else:
            clamd.send(struct.pack("!I", 0))
        return _verdict(clamd.answer())


def ping(url: str) -> None:
    """Check that the scanner answers. Raises ScannerAway."""
    with _connected(url, limits.scanner_ping_s) as clamd:
        clamd.send(b"zPING\0")
        if (found := clamd.answer()) != "PONG":
            raise ScannerAway(f"expected PONG of the malware scanner, found {found[:80]!r}")


def _verdict(answer: str) -> Verdict:
    if answer == "stream: OK":
        return Verdict("clean")
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return Verdict("infected", answer.removeprefix("stream: ").removesuffix(" FOUND"))
    if "size limit exceeded" in answer:
        return Verdict("too_large", "larger than the scanner's own limit (StreamMaxLength of clamd)")
    raise ScannerAway(f"the malware scanner answered {answer[:200]!r}")


class _Clamd:
    """A connection, with one deadline for everything."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._socket = sock
        self._deadline_s = deadline_s

    def send(self, content: bytes) -> None:
        self._wait()
        try:
            self._socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            if not self.has_answered():
                raise

    def has_answered(self) -> bool:
        """Return True if an answer, or the end of the connection, has come."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def answer(self) -> str:
        """Read one answer, which ends with a null character or with the connection."""
        found = b""
        while b"\0" not in found and len(found) < _ANSWER_BYTES_MAX:
            self._wait()
            piece = self._socket.recv(_ANSWER_BYTES_MAX)
            if not piece:
                break
            found += piece
        if not found:
            raise ScannerAway("the malware scanner closed the connection without an answer")
        return found.partition(b"\0")[0].decode("utf-8", "replace").strip()

    def _wait(self) -> None:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("no answer in time")
        self._socket.settimeout(left_s)


@contextmanager
def _connected(url: str, within_s: float) -> Iterator[_Clamd]:
    deadline_s = time.monotonic() + within_s
    try:
        with _connect(url) as sock:
            yield _Clamd(sock, deadline_s)
    except OSError as error:
        raise ScannerAway(f"the malware scanner is away ({type(error).__name__}: {error})") from error


def _connect(url: str) -> socket.socket:
    """Connect to `tcp://host:port` or `unix:/path`."""
    parts = urlsplit(url)
    if parts.scheme == "tcp":
        return socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or _PORT), timeout=limits.scanner_ping_s
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(limits.scanner_ping_s)
        sock.connect(parts.path)
    except OSError:
        sock.close()
        raise
    return sock
