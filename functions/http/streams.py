"""Send a file in pieces: a stalled client holds a thread for seconds, and memory never holds the whole file."""

from __future__ import annotations

import socket
import threading
from functools import cache
from typing import BinaryIO

import falcon

from functions.http.reading import Busy
from models.kernel import limits, logs
from models.kernel.errors import NestorError

log = logs.get("http")
# The wait for a slot: a browser requests a dozen pictures at once.
_wait_s = 2.0


@cache
def _places(threads: int) -> threading.BoundedSemaphore:
    """The download slots of the process."""
    return threading.BoundedSemaphore(max(1, threads // limits.downloads_share))


class FileStream:
    """The pieces of an open file, at most `bytes_max` bytes. The server closes it when the response ends.

    Raises Busy when no slot is free.
    """

    def __init__(self, file: BinaryIO, req: falcon.Request, threads: int, *, bytes_max: int) -> None:
        self._file, self._left = file, bytes_max
        self._socket: socket.socket | None = req.env.get("gunicorn.socket")
        self._places = _places(threads)
        self._open = self._places.acquire(timeout=_wait_s)
        if not self._open:
            file.close()
            raise Busy()
        if self._socket is not None:
            self._socket.settimeout(limits.download_stall_s)

    def __iter__(self) -> FileStream:
        return self

    def __next__(self) -> bytes:
        try:
            piece = self._file.read(min(limits.blob_piece_bytes, self._left))
        except (NestorError, OSError) as error:
            # The status is already sent, so only an early end of the connection tells the client.
            log.error("download_broke_off", exc_info=error)
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
            raise StopIteration from error
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file and free the slot. The server may call this more than once."""
        if not self._open:
            return
        self._open = False
        try:
            self._file.close()
            if self._socket is not None and self._socket.fileno() != -1:
                self._socket.settimeout(None)
        finally:
            self._places.release()
