"""Files through a real gunicorn: whoever sends or takes them slowly, or breaks off, costs little
and holds up nobody.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.http import streams
from functions.http.reading import Busy
from functions.http.streams import FileStream
from models.blobs.store import BlobStoreAway
from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, sqlite_only
from tests.functions.conftest import LogLines
from tests.functions.http.test_slow_bodies import KNOWN, resident_bytes, slow_clients
from tests.functions.test_real_server import Server, in_pieces, refused, serving
from tests.models.blobs.stores import SECRET_KEY, s3_server
from tests.services.waiting import wait_until

AUTHORISED = {"Authorization": f"Bearer {DEMO_KEY}"}
FILES = "/v1/attachments"
_probe_s = 2.0
_resident_more_max = 24 * limits.MIB


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    with serving("gateway", desk, tmp_path) as made:
        yield made


def path_of(answer: Any) -> str:
    return str(urlsplit(answer.json()["url"]).path)


@sqlite_only
def test_fifty_megabytes_pass_through_both_ways_in_little_memory(server: Server) -> None:
    content = os.urandom(limits.upload_bytes_max)
    server.ask("POST", FILES, data=b"small", headers=AUTHORISED)
    before = resident_bytes(server.process.pid)

    made = server.ask("POST", FILES, data=content, headers=AUTHORISED)
    chunked = server.ask("POST", FILES, data=in_pieces(content), headers=AUTHORISED)
    read = server.ask("GET", path_of(made))

    assert (made.status_code, chunked.status_code) == (201, 201)
    assert made.json()["sha256"] == chunked.json()["sha256"]
    assert read.content == content
    assert resident_bytes(server.process.pid) - before < _resident_more_max


@sqlite_only
def test_a_bucket_behind_the_function_serves_files_in_little_memory(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(25 * limits.MIB)
    with s3_server() as s3:
        s3.make_bucket()
        monkeypatch.setenv("BLOB_URL", s3.url())
        monkeypatch.setenv("BLOB_SECRET_KEY", SECRET_KEY)
        with serving("gateway", desk, tmp_path) as server:
            first = server.ask("POST", FILES, data=b"small", headers=AUTHORISED)
            server.ask("GET", path_of(first))
            before = resident_bytes(server.process.pid)

            made = server.ask("POST", FILES, data=content, headers=AUTHORISED)
            read = server.ask("GET", path_of(made))
            more = resident_bytes(server.process.pid) - before

    assert read.content == content
    assert more < 2 * _resident_more_max, f"{more / limits.MIB:.0f} MiB more"
    assert files_on_disk(tmp_path) == []


@sqlite_only
def test_an_upload_that_grows_beyond_the_bound_is_refused_with_the_reason(server: Server, tmp_path: Path) -> None:
    for body in (
        b"x" * (limits.upload_bytes_max + 1),
        in_pieces(b"x" * (limits.upload_bytes_max + limits.MIB)),
    ):
        refused(server.ask("POST", FILES, data=body, headers=AUTHORISED), 413)

    assert files_on_disk(tmp_path) == []


def files_on_disk(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


@sqlite_only
def test_an_upload_that_breaks_off_leaves_nothing(desk: Desk, server: Server, tmp_path: Path) -> None:
    head = f"POST {FILES} HTTP/1.1\r\nHost: x\r\n{KNOWN}Content-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head.encode() + b"x" * 300_000)
        wait_until(lambda: files_on_disk(tmp_path) != [], within_s=10, what="the upload's temporary file")
    wait_until(lambda: files_on_disk(tmp_path) == [], within_s=10, what="its end")

    assert desk.rows("SELECT id FROM attachments") == []
    assert desk.rows("SELECT sha256 FROM blobs") == []


@sqlite_only
def test_probes_answer_while_many_upload_slowly(server: Server) -> None:
    with slow_clients(server, 16, FILES, KNOWN):
        for probe in ("/healthz", "/readyz"):
            started = time.monotonic()
            for _ in range(5):
                assert server.ask("GET", probe).status_code == 200
            assert time.monotonic() - started < _probe_s


@sqlite_only
def test_a_stranger_does_not_upload(server: Server) -> None:
    refused(server.ask("POST", FILES, data=b"x" * (5 * limits.MIB)), 401)


@sqlite_only
def test_probes_and_others_answer_while_many_read_slowly(server: Server) -> None:
    """Readers that read nothing hold no thread. The process has slots for some; the next one gets 503."""
    made = server.ask("POST", FILES, data=os.urandom(20 * limits.MIB), headers=AUTHORISED)
    head = f"GET {path_of(made)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as held:
        readers = [
            held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            for _ in range(limits.downloads_max)
        ]
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(head)
            assert reader.recv(12) == b"HTTP/1.1 200"
        busy = server.ask("GET", path_of(made))
        started = time.monotonic()
        for _ in range(5):
            assert server.ask("GET", "/readyz").status_code == 200
            assert server.ask("GET", "/v1/tickets", headers=AUTHORISED).status_code == 200
        took_s = time.monotonic() - started

    refused(busy, 503)
    assert took_s < _probe_s
    wait_until(
        lambda: server.ask("GET", path_of(made)).status_code == 200,
        within_s=15,
        what="a place after the readers left",
    )


@sqlite_only
def test_neither_links_nor_names_are_logged(server: Server) -> None:
    made = server.ask("POST", f"{FILES}?filename=hush-hush.png", data=b"x", headers=AUTHORISED)
    server.ask("GET", path_of(made))
    server.ask("GET", "/files/forged-token")

    text = server.log.read_text(encoding="utf-8")
    assert path_of(made).rpartition("/")[2] not in text
    assert "forged-token" not in text
    assert "hush" not in text
    assert any(line.get("route") == "/files/{token}" for line in server.lines())


# -- without a server ------------------------------------------------------------------------------------------


class Request:
    """As much of a request as a stream looks at."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        self.env: dict[str, Any] = {} if sock is None else {"gunicorn.socket": sock}


class Broken:
    """A file whose store goes away while it is read."""

    def __init__(self) -> None:
        self.pieces = [b"first"]
        self.closed = False

    def read(self, size: int) -> bytes:
        if not self.pieces:
            raise BlobStoreAway()
        return self.pieces.pop()

    def close(self) -> None:
        self.closed = True


def test_a_store_that_goes_away_in_the_middle_ends_the_connection(log_lines: LogLines) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        file = Broken()
        stream = FileStream(file, Request(ours), bytes_max=100)  # type: ignore[arg-type]

        sent = list(stream)
        stream.close()

        assert sent == [b"first"]
        assert theirs.recv(1) == b"", "the reader sees an end, before all bytes that were announced"
        assert file.closed
    assert log_lines.events("download_broke_off")


def test_a_place_is_given_back_once_however_often_a_stream_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_wait_s", 0)
    monkeypatch.setattr(streams, "_places", threading.BoundedSemaphore(1))
    one = FileStream(Broken(), Request(), bytes_max=9)  # type: ignore[arg-type]
    with pytest.raises(Busy):
        FileStream(Broken(), Request(), bytes_max=9)  # type: ignore[arg-type]

    one.close()
    one.close()

    FileStream(Broken(), Request(), bytes_max=9).close()  # type: ignore[arg-type]
