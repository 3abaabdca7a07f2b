"""A clamd for tests: INSTREAM and PING over TCP or a socket in a folder, with a size limit and planned failures."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.services.clamav import EICAR

_wait_s = 10.0


@dataclass
class Clamd:
    """`says`: an answer to every stream, instead of a verdict. `stream_bytes_max`: StreamMaxLength."""

    folder: Path | None = None
    says: str | None = None
    hangs_up: bool = False
    stream_bytes_max: int = 1_000_000
    scanned: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        if self.folder is None:
            self._server = socket.create_server(("127.0.0.1", 0))
        else:
            self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._server.bind(str(self.folder / "clamd.ctl"))
            self._server.listen()
        self._thread = threading.Thread(target=self._run, name="clamd", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(_wait_s)

    @property
    def url(self) -> str:
        if self.folder is not None:
            return f"unix:{self.folder / 'clamd.ctl'}"
        return f"tcp://127.0.0.1:{self._server.getsockname()[1]}"

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # closed
                return
            with client:
                client.settimeout(_wait_s)
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        command = _until_null(client)
        if self.hangs_up:
            return
        if command == b"zPING":
            client.sendall(b"PONG\0")
            return
        assert command == b"zINSTREAM", command
        content = b""
        while length := struct.unpack("!I", _exactly(client, 4))[0]:
            if len(content) + length > self.stream_bytes_max:
                client.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):  # else the reset takes the answer with it
                    pass
                return
            content += _exactly(client, length)
        self.scanned.append(content)
        found = "stream: Eicar-Test-Signature FOUND" if EICAR in content else "stream: OK"
        client.sendall((self.says or found).encode() + b"\0")


def _until_null(client: socket.socket) -> bytes:
    found = b""
    while (one := client.recv(1)) not in (b"", b"\0"):
        found += one
    return found


def _exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = client.recv(size - len(found))
        if not piece:
            raise ConnectionError("the client ended in a chunk")
        found += piece
    return found
