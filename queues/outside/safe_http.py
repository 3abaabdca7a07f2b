"""HTTP calls to URLs from outside: they never reach our own network, and they have bounds of time and size.

The name is looked up once, every address is checked, and the connection goes to a checked address. A name that changes
its address a moment later (DNS rebinding) has no effect. Host, SNI and the certificate check use the name.
Redirects are not followed, and proxies of the environment are not used, because a proxy would look the name up again.
"""

from __future__ import annotations

import os
import queue
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from models.kernel import addresses, limits
from models.kernel.errors import PermanentFailure, TooLarge, TransientFailure
from models.kernel.storage import sockets

# Takes host and port; returns pairs of address family and address.
Resolver = Callable[[str, int], list[tuple[int, str]]]

# -- limits ----------------------------------------------------------------------------------------------------
_addresses_tried_max = 4  # of one name; each can take a connect timeout
_chunk_bytes = 65_536  # of a body: the usual size of one read from a socket
_in_memory_bytes_max = 1024 * 1024  # of a download; a larger download goes to a file


class AddressRefused(PermanentFailure):
    """The address is one of a private network."""

    code = "address_refused"


class NotReached(TransientFailure):
    """The server could not be reached; nothing was sent."""

    code = "not_reached"


class NoAnswer(TransientFailure):
    """The request may have arrived; there was no whole answer in time."""

    code = "no_answer"


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer: header names in lower case, and the beginning of the body (`truncated`
    when there was more).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration_ms: int

    def retry_after_s(self) -> float | None:
        """Return the seconds of a Retry-After header (RFC 9110, 10.2.3). None without a header, and for a date, because
        clocks differ.
        """
        text = self.headers.get("retry-after", "").strip()
        return min(float(text), limits.provider_wait_s_max) if text.isdecimal() and len(text) < 10 else None


def look_up(host: str, port: int) -> list[tuple[int, str]]:
    """Return the addresses of a name, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(address[0])) for family, _, _, _, address in found]


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    private: bool,
    connect_s: float = limits.send_connect_timeout_s,
    total_s: float = limits.send_read_timeout_s,
    body_bytes_max: int = 65_536,
    resolve: Resolver = look_up,
) -> Reply:
    """Make one request; return the response with any status. `total_s` also bounds a server that sends a byte at a
    time.

    Raises AddressRefused, NotReached (nothing was sent), NoAnswer (the request may have arrived).
    """
    started = time.monotonic()
    with _response(method, url, headers, body, private, connect_s, total_s, resolve) as response:
        found = b"".join(_chunks(response, body_bytes_max + 1))
        return Reply(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            found[:body_bytes_max],
            len(found) > body_bytes_max,
            int((time.monotonic() - started) * 1000),
        )


def download(
    url: str,
    *,
    headers: Mapping[str, str],
    private: bool,
    bytes_max: int,
    connect_s: float = limits.send_connect_timeout_s,
    total_s: float = limits.send_read_timeout_s,
    resolve: Resolver = look_up,
) -> BinaryIO:
    """Download a file; return its bytes as a stream at its beginning. The caller closes the stream.

    Raises as `call` does, TooLarge above `bytes_max`, NotReached for 429 and 5xx, PermanentFailure for every other
    status but 200.
    """
    with _response("GET", url, headers, None, private, connect_s, total_s, resolve) as response:
        if response.status_code == 429 or response.status_code >= 500:
            raise NotReached(f"the file's server answered {response.status_code}")
        if response.status_code != 200:
            raise PermanentFailure(f"the file's server answered {response.status_code}")
        file = tempfile.SpooledTemporaryFile(max_size=_in_memory_bytes_max)  # noqa: SIM115 -- the caller's
        try:
            size = 0
            for chunk in _chunks(response, bytes_max + 1):
                size += len(chunk)
                file.write(chunk)
            if size > bytes_max:
                raise TooLarge(f"the file has more than {bytes_max} bytes")
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast(BinaryIO, file)


def _chunks(response: requests.Response, bytes_max: int) -> Iterator[bytes]:
    """Yield at most `bytes_max` bytes of the body unchanged. Compressed content stays compressed, because the request
    asks for the identity encoding.
    """
    left = bytes_max
    while left > 0 and (chunk := response.raw.read(min(left, _chunk_bytes), decode_content=False)):
        left -= len(chunk)
        yield chunk


@contextmanager
def _response(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    private: bool,
    connect_s: float,
    total_s: float,
    resolve: Resolver,
) -> Iterator[requests.Response]:
    if (problem := addresses.url_problem(url, private=private)) is not None:
        raise AddressRefused(problem)
    line = _Line(private=private, resolve=resolve)
    alarm = threading.Timer(total_s, line.cut)
    alarm.daemon = True
    session = requests.Session()
    session.trust_env = False
    adapter = _Adapter(line)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    told = {"accept-encoding": "identity", "user-agent": "Nestor", **headers}
    alarm.start()
    try:
        with session.request(
            method,
            url,
            data=body,
            headers=told,
            allow_redirects=False,
            stream=True,
            timeout=(connect_s, total_s),
        ) as response:
            yield response
    except (requests.RequestException, HTTPError, OSError) as error:
        if line.refusal is not None:
            raise line.refusal from error
        if line.connected:
            raise NoAnswer(f"no whole answer: {_name_of(error, line)}") from error
        raise NotReached(f"cannot be reached: {_name_of(error, line)}") from error
    finally:
        alarm.cancel()
        session.close()
        line.close()


def _name_of(error: BaseException, line: _Line) -> str:
    """Return the reason without an address, which the library's message may contain."""
    return "it took too long" if line.was_cut else type(error).__name__


class _Line:
    """The one connection of a call; another thread can end it."""

    def __init__(self, *, private: bool, resolve: Resolver) -> None:
        self._private, self._resolve = private, resolve
        self._duplicate: socket.socket | None = None
        self._lock = threading.Lock()
        self.refusal: AddressRefused | None = None
        self.connected = False
        self.was_cut = False

    def connect(self, host: str, port: int, timeout_s: float | None) -> socket.socket:
        """Look up the name, check the addresses, and connect to a checked one. Raises OSError."""
        found = _in_time(self._resolve, host, port, timeout_s)
        if not self._private and not all(addresses.is_public(address) for _, address in found):
            self.refusal = AddressRefused(
                f"{host} is an address of a private network; WEBHOOKS_PRIVATE=true allows those"
            )
            raise OSError("refused")
        failure: OSError = OSError("the name has no address")
        for _, address in found[:_addresses_tried_max]:
            try:
                # The address is a literal: there is no second look-up.
                connected = socket.create_connection((address, port), timeout_s)
            except OSError as error:
                failure = error
                continue
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets.watch_peer(connected, limits.provider_lost_s)
            with self._lock:
                # TLS takes the socket over; a duplicate lets the alarm end the call at any moment.
                self._duplicate = socket.socket(fileno=os.dup(connected.fileno()))
                if self.was_cut:
                    self._shut()
            return connected
        raise failure

    def cut(self) -> None:
        """End the call: a thread that waits for a byte gets an error."""
        with self._lock:
            self.was_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._duplicate is not None:
            try:
                self._duplicate.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side has closed the connection already.
                return

    def close(self) -> None:
        with self._lock:
            if self._duplicate is not None:
                self._duplicate.close()
                self._duplicate = None


def _in_time(resolve: Resolver, host: str, port: int, timeout_s: float | None) -> list[tuple[int, str]]:
    """Look up a name within `timeout_s`, because the system's own limit is minutes. A longer look-up continues in its
    own thread.
    """
    answer: queue.SimpleQueue[list[tuple[int, str]] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            answer.put(resolve(host, port))
        except Exception as error:  # noqa: BLE001 -- raised again in the caller's thread
            answer.put(error)

    threading.Thread(target=look, name="look-up", daemon=True).start()
    try:
        found = answer.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError("the look-up of the name took too long") from None
    if isinstance(found, Exception):
        raise found
    return found


class _Adapter(HTTPAdapter):
    """The adapter of Requests whose pools connect through a `_Line`."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        line = self._line

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, line)

            def request(self, *a: Any, **n: Any) -> None:
                _request(self, super().request, line, *a, **n)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, line)

            def request(self, *a: Any, **n: Any) -> None:
                _request(self, super().request, line, *a, **n)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _request(connection: Any, request: Callable[..., None], line: _Line, *a: Any, **n: Any) -> None:
    """Connect first (with TLS), so that a failure before the request's first byte differs from a later one."""
    if connection.sock is None:
        connection.connect()
    line.connected = True
    request(*a, **n)


def _connected(connection: HTTPConnection, line: _Line) -> socket.socket:
    """Connect through our line, with the exceptions of urllib3's `_new_conn`."""
    timeout = connection.timeout
    try:
        return line.connect(connection.host, connection.port, timeout if isinstance(timeout, int | float) else None)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "connect timed out") from error
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except OSError as error:
        raise NewConnectionError(connection, "cannot connect") from error
