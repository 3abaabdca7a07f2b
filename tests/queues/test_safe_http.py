"""Calls to strangers' addresses: never into our own network, whatever a name server says, and
bounded in time and size.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests.adapters

from models.kernel import addresses
from models.kernel.errors import PermanentFailure, TooLarge
from queues.outside import safe_http
from tests.servers import HttpReceiver, Say, receiving

PUBLIC = "93.184.215.14"  # an address of the Internet; no test connects to it


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with receiving() as found:
        yield found


class Wires:
    """Stands where sockets are made: notes where they were to go, and leads them to the test's server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.called: list[tuple[str, int]] = []
        real = socket.create_connection

        def create(address: tuple[str, int], timeout: Any = None) -> socket.socket:
            self.called.append(address)
            return real(("127.0.0.1", port), timeout)

        monkeypatch.setattr(socket, "create_connection", create)


class Names:
    """A name server that gives each answer once; the last one again and again."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int) -> list[tuple[int, str]]:
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET6 if ":" in found else socket.AF_INET, found)]


def call(url: str, **more: Any) -> safe_http.Reply:
    arguments: dict[str, Any] = {"headers": {}, "body": b"{}", "private": True} | more
    return safe_http.call("POST", url, **arguments)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.0.192",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:5db8:d70e::1",
        "2001:0:1::1",
        "2001:db8::1",
        "fec0::1",
        "not an address",
        "",
    ],
)
def test_an_address_of_no_use_on_the_internet_is_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e", f"::ffff:{PUBLIC}"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "https://localhost/x",
        "https://db.internal/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://example.com:5432/x",
        "https://u:p@example.com/",
        "https://exa mple.com/",
        "https://example.com\\@127.0.0.1/",
        "https:///x",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/\r\nHost: x",
        "https://" + "a" * 3_000,
    ],
)
def test_a_url_that_must_not_be_called_is_refused_before_any_look_up(url: str) -> None:
    names = Names(PUBLIC)

    with pytest.raises(safe_http.AddressRefused):
        call(url, private=False, resolve=names)

    assert names.asked == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:10.0.0.1", "169.254.169.254", "64:ff9b::7f00:1"])
def test_a_name_of_a_private_address_is_refused_and_nothing_is_connected(
    address: str, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    wires = Wires(monkeypatch, receiver.port)

    with pytest.raises(safe_http.AddressRefused, match="private network"):
        call("http://hook.example.com/x", private=False, resolve=Names(address))

    assert wires.called == []


@pytest.mark.parametrize("literal", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_an_address_are_judged_as_what_they_lead_to(literal: str, receiver: HttpReceiver) -> None:
    """The system's own look-up reads these as 127.0.0.1."""
    with pytest.raises(safe_http.AddressRefused, match="private network"):
        call(f"http://{literal}/x", private=False)

    assert receiver.got == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = Wires(monkeypatch, 9)

    with pytest.raises(safe_http.AddressRefused):
        call(
            "http://hook.example.com/x",
            private=False,
            resolve=lambda host, port: [(socket.AF_INET, PUBLIC), (socket.AF_INET, "10.0.0.1")],
        )

    assert wires.called == []


def test_a_name_that_changes_its_address_after_the_look_up_is_called_where_it_was_judged(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is harmless, every later one is ours."""
    wires, names = Wires(monkeypatch, receiver.port), Names(PUBLIC, "127.0.0.1")

    answer = call("http://hook.example.com/x", private=False, resolve=names)

    assert answer.status == 204
    assert (wires.called, names.asked) == ([(PUBLIC, 80)], 1)
    assert receiver.got[0].headers["host"] == "hook.example.com"


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(307, headers={"location": receiver.url + "/elsewhere"}))

    answer = call(receiver.url)

    assert (answer.status, len(receiver.got)) == (307, 1)


def test_a_proxy_of_the_environment_is_not_used(receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look the name up again, on its own terms."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert call(receiver.url).status == 204


def test_a_server_that_says_nothing_ends_in_time_and_leaves_it_open_whether_it_took_the_request(
    receiver: HttpReceiver,
) -> None:
    receiver.answers.append(Say(hang=True))
    started = time.monotonic()

    with pytest.raises(safe_http.NoAnswer):
        call(receiver.url, total_s=0.3)

    assert time.monotonic() - started < 5


def test_a_server_that_sends_a_byte_at_a_time_ends_in_time(receiver: HttpReceiver) -> None:
    """Each byte comes within the socket's timeout; only a bound of the whole call ends it."""
    receiver.answers.append(Say(200, body=b"x" * 10_000, drip_s=0.05))
    started = time.monotonic()

    with pytest.raises(safe_http.NoAnswer, match="too long"):
        call(receiver.url, total_s=0.5)

    assert time.monotonic() - started < 5


def test_a_connection_that_ends_instead_of_an_answer_leaves_it_open(receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(cut=True))

    with pytest.raises(safe_http.NoAnswer):
        call(receiver.url)


def test_a_port_where_nobody_listens_is_not_reached_and_certainly_got_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        with pytest.raises(safe_http.NotReached):
            call(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_a_name_without_address_is_not_reached() -> None:
    def nowhere(host: str, port: int) -> list[tuple[int, str]]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(safe_http.NotReached):
        call("http://nowhere.example/", resolve=nowhere)


def test_a_name_server_that_says_nothing_is_not_waited_for() -> None:
    ended = threading.Event()

    def silent(host: str, port: int) -> list[tuple[int, str]]:
        ended.wait(20)
        return []

    started = time.monotonic()
    with pytest.raises(safe_http.NotReached):
        call("http://slow.example/", resolve=silent, connect_s=0.2)

    ended.set()
    assert time.monotonic() - started < 5


def test_only_the_beginning_of_a_large_answer_is_read(receiver: HttpReceiver) -> None:
    receiver.answers.append(Say(500, body=b"y" * 1_000_000))

    answer = call(receiver.url, body_bytes_max=500)

    assert (answer.body, answer.truncated) == (b"y" * 500, True)


def test_a_file_comes_as_a_stream_and_a_larger_one_than_allowed_does_not(receiver: HttpReceiver) -> None:
    receiver.answers.extend([Say(200, body=b"z" * 300_000), Say(200, body=b"z" * 300_001)])

    with safe_http.download(receiver.url, headers={}, private=True, bytes_max=300_000) as stream:
        assert stream.read() == b"z" * 300_000
    with pytest.raises(TooLarge):
        safe_http.download(receiver.url, headers={}, private=True, bytes_max=300_000)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (503, safe_http.NotReached),
        (429, safe_http.NotReached),
        (404, PermanentFailure),
        (302, PermanentFailure),
    ],
)
def test_a_file_that_is_not_given_says_whether_to_ask_again(
    status: int, kind: type[Exception], receiver: HttpReceiver
) -> None:
    receiver.answers.append(Say(status))

    with pytest.raises(kind):
        safe_http.download(receiver.url, headers={}, private=True, bytes_max=10)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for hook.example.com, with its key in one file."""
    path = tmp_path / "hook.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=hook.example.com",
            "-addext",
            "subjectAltName=DNS:hook.example.com",
            "-keyout",
            path,
            "-out",
            tmp_path / "c",
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + (tmp_path / "c").read_bytes())
    return path


def test_the_certificate_is_checked_for_the_name_though_the_connection_goes_to_an_address(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    seen: list[str | None] = []
    context.sni_callback = lambda ssl_socket, name, ctx: seen.append(name)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))

    with receiving(context) as receiver:
        Wires(monkeypatch, receiver.port)
        right = call("https://hook.example.com/x", private=False, resolve=Names(PUBLIC))
        with pytest.raises(safe_http.NotReached):
            call("https://other.example.com/x", private=False, resolve=Names(PUBLIC))

    assert right.status == 204
    assert seen == ["hook.example.com", "other.example.com"]
    assert [got.headers["host"] for got in receiver.got] == ["hook.example.com"]
