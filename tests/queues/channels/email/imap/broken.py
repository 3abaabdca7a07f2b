"""An IMAP server that answers as a test says, also against every rule; else like a small mailbox with one mail."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

MAIL = b"From: ada@example.test\r\nMessage-ID: <1@x>\r\nSubject: Trouble\r\n\r\nIt burns.\r\n"
_GOOD = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
    "LOGIN": b"{tag} OK done\r\n",
    "SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n{tag} OK [READ-WRITE] done\r\n",
    "SEARCH": b"* SEARCH 1\r\n{tag} OK done\r\n",
    "FLAGS": b"* 1 FETCH (UID 1 FLAGS ())\r\n{tag} OK done\r\n",
    "SIZE": b"* 1 FETCH (UID 1 RFC822.SIZE %d)\r\n{tag} OK done\r\n" % len(MAIL),
    "BODY": b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n" % len(MAIL) + MAIL + b")\r\n{tag} OK done\r\n",
    "STORE": b"{tag} OK done\r\n",
    "LOGOUT": b"* BYE\r\n{tag} OK done\r\n",
}
HANG_UP = b""


class BrokenServer:
    """`answers`: by command (SIZE, FLAGS and BODY are the kinds of FETCH, `BODY 2` that of one mail); HANG_UP closes.

    `heard`: the commands, without values.
    """

    def __init__(self, greeting: bytes = b"* OK ready\r\n", **answers: bytes) -> None:
        self._greeting = greeting
        self._answers = {**_GOOD, **answers}
        self.heard: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"imap://desk:secret@127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name="broken imap", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self._greeting == HANG_UP:
            return
        connection.sendall(self._greeting)
        for line in connection.makefile("rb"):
            tag, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            words = rest.upper().removeprefix("UID ").split(" ")
            command = words[0]
            if command == "FETCH":
                command = next((name for name in ("SIZE", "FLAGS") if name in rest), "BODY")
                if f"{command} {words[1]}" in self._answers:
                    command = f"{command} {words[1]}"
            self.heard.append(command)
            answer = self._answers.get(command, b"{tag} BAD what\r\n")
            if answer == HANG_UP:
                return
            connection.sendall(answer.replace(b"{tag}", tag.encode()))
