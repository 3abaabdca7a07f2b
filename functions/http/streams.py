"""Send a file piece by piece: a reader that stalls or leaves costs a thread some seconds, and never the memory of the
whole file.
"""

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
_wait_s = 2.0  # for a place; a browser that loads a dozen pictures asks for all at once


@cache
def _places(threads: int) -> threading.BoundedSemaphore:
    """The process's places for files on their way out."""
    return threading.BoundedSemaphore(max(1, threads // limits.downloads_share))


class FileStream:
    """The pieces of an open file, at most `bytes_max` of it; closed by the server when the answer ends, however it
    ends.

    Raises Busy without a place.
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
            # The status is sent, so the reader learns of it by a connection that ends too early.
            log.error("download_broke_off", exc_info=error)
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
            raise StopIteration from error
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Called by the server, once or more."""
        if not self._open:
            return
        self._open = False
        try:
            self._file.close()
            if self._socket is not None and self._socket.fileno() != -1:
                self._socket.settimeout(None)
        finally:
            self._places.release()
