"""Through a real gunicorn: connections that wait for a slow client hold no thread, and the forms of HTTP/1 work."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from models.kernel import limits
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, sqlite_only
from tests.functions.test_real_server import AUTHORISED, Server, serving

_health_s = 1.0  # the issue's number
HALF_OPEN, NOT_READING, SLOW_BODIES = 200, 10, 30
TICKET = json.dumps({"title": "Ordinary"}).encode()
HEAD = f"Host: x\r\nAuthorization: Bearer {DEMO_KEY}\r\nContent-Type: application/json\r\n"


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    with serving("gateway", desk, tmp_path) as made:
        yield made


def connect(server: Server, held: ExitStack, *, receive_bytes: int | None = None) -> socket.socket:
    client = held.enter_context(socket.socket())
    if receive_bytes is not None:  # before the connection, so that the window is small from the beginning
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.settimeout(20)
    client.connect(("127.0.0.1", server.port))
    return client


@contextmanager
def attack(server: Server) -> Iterator[None]:
    """Half-sent heads, readers that read nothing, and bodies that stop after one byte, all at once."""
    slow_body = f"POST /v1/tickets HTTP/1.1\r\n{HEAD}Content-Length: 1000\r\n\r\n{{".encode()
    with ExitStack() as held:
        for _ in range(HALF_OPEN):
            connect(server, held).sendall(b"GET / HTTP/1.1\r\nX: ")
        for _ in range(NOT_READING):
            client = connect(server, held, receive_bytes=4096)
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        for _ in range(SLOW_BODIES):
            connect(server, held).sendall(slow_body)
        yield


def test_slow_clients_stop_neither_probes_nor_requests(server: Server) -> None:
    server.ask("GET", "/openapi.json")  # made once
    with attack(server):
        for _ in range(10):
            for path in ("/healthz", "/readyz"):
                started = time.monotonic()
                assert server.ask("GET", path).status_code == 200
                assert time.monotonic() - started < _health_s
        made = [server.ask("POST", "/v1/tickets", data=TICKET, headers=AUTHORISED) for _ in range(20)]

    assert {answer.status_code for answer in made} == {201}


@sqlite_only
def test_half_sent_heads_alone_do_not_delay_requests(server: Server) -> None:
    """The issue's attack: eight of them stopped the desk."""
    with ExitStack() as held:
        for _ in range(HALF_OPEN):
            connect(server, held).sendall(b"GET / HTTP/1.1\r\nX: ")
        started = time.monotonic()
        assert server.ask("GET", "/v1/tickets", headers=AUTHORISED).status_code == 200
        assert time.monotonic() - started < _health_s


@sqlite_only
def test_a_head_that_does_not_end_is_cut_with_408_and_counted(server: Server) -> None:
    with ExitStack() as held:
        client = connect(server, held)
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
        started = time.monotonic()
        drip = threading.Event()

        def send_slowly() -> None:
            while not drip.wait(0.5):
                try:
                    client.sendall(b"y")
                except OSError:
                    return

        sender = threading.Thread(target=send_slowly)
        sender.start()
        answer = until_end(client)
        drip.set()
        sender.join()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert limits.request_head_s - 1 <= time.monotonic() - started < limits.request_head_s + 5
    assert 'nestor_http_connections_cut_total{reason="head"} 1.0' in server.ask("GET", "/metrics").text


def until_end(client: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    answer = b""
    try:
        while chunk := client.recv(65_536):
            answer += chunk
    except ConnectionResetError:
        return answer
    return answer


def answers(client: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """Read so many responses with a Content-Length from one connection."""
    found: list[tuple[int, dict[str, str], bytes]] = []
    buffer = b""
    while len(found) < count:
        while b"\r\n\r\n" not in buffer:
            chunk = client.recv(65_536)
            assert chunk, buffer
            buffer += chunk
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(fields.get("content-length", "0"))
        while len(buffer) < length:
            chunk = client.recv(65_536)
            assert chunk, buffer
            buffer += chunk
        found.append((int(status.split()[1]), fields, buffer[:length]))
        buffer = buffer[length:]
    assert buffer == b""
    return found


@sqlite_only
def test_the_forms_of_http_work(server: Server) -> None:
    """One start for all, because a start costs a second."""
    post = f"POST /v1/tickets HTTP/1.1\r\n{HEAD}Content-Length: {len(TICKET)}\r\n\r\n".encode()
    with ExitStack() as held:
        # keep-alive, with a pause between the bytes of each request
        client = connect(server, held)
        for _ in range(3):
            for start in range(0, len(post + TICKET), 100):
                client.sendall((post + TICKET)[start : start + 100])
            [(status, fields, _)] = answers(client, 1)
            assert (status, fields["connection"]) == (201, "keep-alive")

        # pipelining: three requests in one packet, then half of one and its rest
        client.sendall((post + TICKET) * 3 + post[:40])
        assert [status for status, _, _ in answers(client, 3)] == [201, 201, 201]
        client.sendall(post[40:] + TICKET)
        assert [status for status, _, _ in answers(client, 1)] == [201]

        # Expect: 100-continue
        client.sendall(post.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(TICKET)
        assert answers(client, 1)[0][0] == 201

        # a chunked body in pieces, and a request behind it
        head = f"POST /v1/tickets HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
        for piece in (head, b"%x\r\n" % len(TICKET), TICKET, b"\r\n0\r\n\r\n"):
            client.sendall(piece)
        assert answers(client, 1)[0][0] == 201
        client.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")

        # an empty line before a request, and Connection: close
        client.sendall(b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert until_end(client).endswith(b'"function":"gateway"}')

        # HTTP/1.0: closes, unless the client asks for more
        client = connect(server, held)
        client.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert answers(client, 1)[0][1]["connection"] == "keep-alive"
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert until_end(client).startswith(b"HTTP/1.0 200 ")

        # what is no HTTP gets a 4xx
        for wrong, status in (
            (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400),
            (b"GET / HTTP/1.1\r\nX: " + b"y" * (2 * limits.request_head_bytes_max), 431),
            (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
            (b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
            (b"POST /v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: what\r\n\r\n", 501),
        ):
            client = connect(server, held)
            client.sendall(wrong)
            assert until_end(client).startswith(b"HTTP/1.1 %d " % status), wrong[:60]
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


@sqlite_only
def test_a_response_that_is_read_slowly_arrives_whole(server: Server) -> None:
    whole = server.ask("GET", "/openapi.json").content
    with ExitStack() as held:
        client = connect(server, held, receive_bytes=4096)
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while chunk := client.recv(8_192):
            answer += chunk
            time.sleep(0.001)  # not a wait for an event: the reader is slow

    assert answer.partition(b"\r\n\r\n")[2] == whole


@sqlite_only
def test_sigterm_finishes_a_response_that_is_being_read(server: Server) -> None:
    whole = server.ask("GET", "/openapi.json").content
    with ExitStack() as held:
        client = connect(server, held, receive_bytes=4096)
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 40)
        answer = client.recv(1000)
        half_open = connect(server, held)
        half_open.sendall(b"GET / HTTP/1.1\r\nX: ")
        server.process.terminate()
        answer += until_end(client)

    assert server.process.wait(15) == 0
    bodies = answer.split(b"HTTP/1.1 200 OK")[1:]
    assert all(body.endswith(whole) for body in bodies)


@sqlite_only
def test_scarce_connections_go_to_who_sends_a_request(desk: Desk, tmp_path: Path) -> None:
    """More half-sent heads than a process has connections: the oldest ones make room."""
    with serving("gateway", desk, tmp_path) as server, ExitStack() as held:
        for _ in range(limits.http_connections_max + 50):
            connect(server, held).sendall(b"GET / HTTP/1.1\r\nX: ")
        started = time.monotonic()
        assert server.ask("GET", "/healthz").status_code == 200
        assert time.monotonic() - started < _health_s
        assert 'nestor_http_connections_cut_total{reason="room"}' in server.ask("GET", "/metrics").text


# -- TLS -------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(*form))
    return files


@sqlite_only
def test_tls_is_served_while_others_send_no_handshake(
    desk: Desk, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    options = ["--certfile", str(certificate[0]), "--keyfile", str(certificate[1])]
    with serving("gateway", desk, tmp_path, *options, scheme="https") as server, ExitStack() as held:
        for _ in range(20):
            connect(server, held).sendall(b"\x16\x03\x01")  # the beginning of a handshake
        connect(server, held).sendall(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
        with requests.Session() as session:  # one connection
            pages = [session.get(server.url + "/openapi.json", timeout=20) for _ in range(3)]
            made = [session.post(server.url + "/v1/tickets", TICKET, headers=AUTHORISED, timeout=20) for _ in range(3)]
        large = b'{"title": "' + b"x" * 500_000 + b'"}'
        refused = requests.post(server.url + "/v1/tickets", large, headers=AUTHORISED, timeout=20)
        context = ssl.create_default_context(cafile=str(certificate[0]))
        plain = connect(server, held, receive_bytes=4096)
        client = held.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
        bodies = [body for _, _, body in answers(client, 5)]

    assert [answer.status_code for answer in (*pages, *made)] == [200] * 3 + [201] * 3
    assert refused.status_code == 422
    assert bodies == [pages[0].content] * 5
