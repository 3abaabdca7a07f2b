"""Send a file in pieces, so that memory never holds the whole file. The server asks for the next piece when the client
has taken the one before, and closes a client that is too slow (functions/http/server).
"""

from __future__ import annotations

import socket
import threading
from typing import BinaryIO

import falcon

from functions.http.reading import Busy
from models.kernel import limits
from models.kernel.errors import NestorError
from models.kernel.telemetry import logs

log = logs.get("http")
_wait_s = 0.1  # for a slot; a longer wait would hold the thread that other requests need
_places = threading.BoundedSemaphore(limits.downloads_max)  # the download slots of the process


class FileStream:
    """The pieces of an open file, at most `bytes_max` bytes. The server closes it when the response ends.

    Raises Busy when no slot is free.
    """

    def __init__(self, file: BinaryIO, req: falcon.Request, *, bytes_max: int) -> None:
        self._file, self._left = file, bytes_max
        self._socket: socket.socket | None = req.env.get("gunicorn.socket")
        self._places = _places
        self._open = self._places.acquire(timeout=_wait_s)
        if not self._open:
            file.close()
            raise Busy()

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
        finally:
            self._places.release()
