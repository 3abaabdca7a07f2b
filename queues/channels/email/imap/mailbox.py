"""One connection to a mailbox. Each fault of the server becomes a TransientFailure with a text for people."""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError, ProtocolError

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.settings import Settings
from models.kernel.storage import sockets
from models.kernel.text import one_line
from queues.channels.email.imap import limits as bounds
from queues.channels.email.oauth.bearer import Bearer, bearer_of
from queues.channels.email.oauth.client import is_used_for, server_url
from queues.channels.email.tls import client_context

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
_PORTS = {"imap": 143, "imaps": 993}
_EXPECTED = "imap_url: expected imap://user:password@host[:port] or imaps://..."
_EXPECTED_WITH_OAUTH = "imap_url: expected imaps://host[:port] or imap://..., because `oauth` logs in"


class Refused(TransientFailure):
    """The server refuses this request; the connection is usable."""

    code = "mail_server_refused"


class LoginRefused(TransientFailure):
    """The mailbox refuses the login."""

    code = "mail_login_refused"


@dataclass(frozen=True, slots=True)
class Server:
    """The IMAP server, from the credential `imap_url` or the account's mail service. `bearer`: the login by OAuth."""

    host: str
    port: int
    tls: bool
    user: str = field(repr=False)
    password: str = field(repr=False)
    ca_file: str | None
    bearer: Bearer | None = None

    @property
    def tls_needed(self) -> bool:
        """Return True if the login needs TLS: always, except for this machine when the account names no authority."""
        return self.ca_file is not None or self.host not in _LOOPBACK


def server_of(account: ChannelAccount, settings: Settings) -> Server:
    """Read the account's server. Raises ConfigurationError, whose text never has the URL."""
    where = f"channel account {account.channel}/{account.name}"
    ca_file = account.config.get("imap_ca_file")
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigurationError(f"{where}: imap_ca_file: there is no such file")
    by_oauth = is_used_for(account, "imap")
    expected = f"{where}: {_EXPECTED_WITH_OAUTH if by_oauth else _EXPECTED}"
    url = server_url(account, "imap") if by_oauth else ""
    try:
        parts = urlsplit(url or account.credential("imap_url", settings).strip())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise ConfigurationError(expected) from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if port is None or parts.scheme not in _PORTS or not parts.hostname or not (user or by_oauth):
        raise ConfigurationError(expected)
    bearer = bearer_of(account, settings, "imap", host=parts.hostname, port=port, user=user, password=password)
    return Server(parts.hostname, port, parts.scheme == "imaps", user, password, ca_file, bearer)


@dataclass(frozen=True, slots=True)
class Folder:
    """The answer to SELECT; `next_uid` is above the UIDs of all mails."""

    uidvalidity: int
    next_uid: int
    messages: int


class Mailbox:
    """A logged-in connection; use it as a context manager."""

    def __init__(self, server: Server) -> None:
        if server.bearer is not None:
            server.bearer.prepare()
        try:
            self._open(server)
        except LoginRefused:
            if server.bearer is None:
                raise
            # The access token may have been revoked before its end.
            server.bearer.renew()
            self._open(server)

    def _open(self, server: Server) -> None:
        with _translated("connecting"):
            self._client: Any = IMAPClient(
                server.host,
                server.port,
                ssl=server.tls,
                ssl_context=client_context(server.ca_file) if server.tls else None,
                timeout=SocketTimeout(bounds.connect_s, bounds.read_s),
            )
            # IDLE waits without a read, so no timeout would notice a vanished server before the next round.
            sockets.watch_peer(self._client.socket(), limits.provider_lost_s)
        try:
            self._introduce(server)
        except BaseException:
            self._hang_up()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out. The mails are stored already, so a failure here changes nothing."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError, ValueError):
            if error is None:
                self._client.logout()
                return
        self._hang_up()

    def _hang_up(self) -> None:
        """Close the connection, which may be half-open after a failed STARTTLS, or closed by the server."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.shutdown()

    def _introduce(self, server: Server) -> None:
        if not server.tls and server.tls_needed:
            with _translated("STARTTLS"):
                if not self._client.has_capability("STARTTLS"):
                    raise TransientFailure("the mail server offers no TLS; the password was not sent in clear")
                self._client.starttls(client_context(server.ca_file))
        if server.bearer is None:
            with _translated("the login"):
                self._client.login(server.user, server.password)
        else:
            self._log_in_by_token(server.bearer)

    def _log_in_by_token(self, bearer: Bearer) -> None:
        with _translated("the login"):
            if not self._client.has_capability(f"AUTH={bearer.mechanism}"):
                raise TransientFailure(f"the mail server offers no {bearer.mechanism}; check `oauth.mechanism`")
            # The first challenge is empty, and another one is the server's error.
            responses = iter((bearer.first_response(), bearer.answer_to_error()))
            self._client.sasl_login(bearer.mechanism, lambda challenge: next(responses, None))

    def select(self, folder: str, *, readonly: bool = False) -> Folder:
        """Open the folder or refresh its state. Raises TransientFailure for a missing folder."""
        with _translated(f"the folder {one_line(folder, 60)}"):
            told = self._client.select_folder(folder, readonly)
        uidvalidity, next_uid = told.get(b"UIDVALIDITY"), told.get(b"UIDNEXT")
        if not isinstance(uidvalidity, int) or not isinstance(next_uid, int):
            raise TransientFailure("the mail server tells no UIDVALIDITY or UIDNEXT; its mails cannot be told apart")
        return Folder(uidvalidity, next_uid, int(told.get(b"EXISTS", 0)))

    def uids_after(self, uid: int) -> list[int]:
        """Return the UIDs above `uid`. `*` is the highest UID, which may be below them (RFC 3501 section 6.4.8)."""
        return self._search(["UID", f"{uid + 1}:*"], above=uid)

    def unanswered_uids(self, after: int, since: date | None) -> list[int]:
        """Return the UIDs above `after` of mails that nobody has seen, or that arrived on `since` or later."""
        unseen = self._search(["UID", f"{after + 1}:*", "UNSEEN"], above=after)
        if since is None:
            return unseen
        return sorted({*unseen, *self._search(["UID", f"{after + 1}:*", "SINCE", since], above=after)})

    def unseen_uids(self, after: int, up_to: int) -> list[int]:
        return self._search(["UID", f"{after + 1}:{up_to}", "UNSEEN"], above=after)

    def _search(self, criteria: list[object], *, above: int) -> list[int]:
        with _translated("the search"):
            return sorted({int(uid) for uid in self._client.search(criteria) if int(uid) > above})

    def sizes(self, uids: list[int]) -> dict[int, int]:
        """Return the size in bytes of each mail that still exists. Raises Refused."""
        with _translated("the mails' sizes", refused=Refused):
            told = self._client.fetch(uids, ["RFC822.SIZE"])
            return {int(uid): int(items[b"RFC822.SIZE"]) for uid, items in told.items() if b"RFC822.SIZE" in items}

    def flags(self, uids: list[int]) -> dict[int, tuple[bytes, ...]]:
        """Return the flags and keywords of each mail that still exists. Raises Refused."""
        with _translated("the mails' flags", refused=Refused):
            told = self._client.fetch(uids, ["FLAGS"])
            return {int(uid): tuple(items[b"FLAGS"]) for uid, items in told.items() if b"FLAGS" in items}

    def fetch(self, uid: int, bytes_max: int) -> bytes | None:
        """Return the first `bytes_max` bytes of the mail, which stays unseen; None when it is gone. Raises Refused."""
        with _translated("fetching a mail", refused=Refused):
            # Fetching a part bounds the answer, because RFC822.SIZE may be wrong.
            told = self._client.fetch([uid], [f"BODY.PEEK[]<0.{bytes_max}>"])
            for key, value in told.get(uid, {}).items():
                if key.startswith(b"BODY[]"):
                    return value if isinstance(value, bytes) else b""
        return None

    def mark_seen(self, uids: list[int]) -> None:
        """Set the Seen flag. Raises Refused for a read-only mailbox."""
        with _translated("marking mails as seen", refused=Refused):
            self._client.add_flags(uids, [b"\\Seen"], silent=True)

    def wait(self, stop: threading.Event, for_s: float, *, idle: bool) -> None:
        """Wait until the server reports a change, `stop` is set or `for_s` seconds are over."""
        with _translated("waiting for mail"):
            if not idle or not self._client.has_capability("IDLE"):
                stop.wait(for_s)
                self._client.noop()
                return
            deadline = time.monotonic() + for_s
            self._client.idle()
            while not stop.is_set() and (left_s := deadline - time.monotonic()) > 0:
                if self._has_changed(min(bounds.idle_slice_s, left_s)):
                    break
            self._client.idle_done()

    def _has_changed(self, slice_s: float) -> bool:
        """Wait for a time slice; True after a change or the end of the connection, which idle_done reports."""
        before = time.monotonic()
        responses = self._client.idle_check(timeout=slice_s)
        if any(isinstance(one, tuple) and one[:1] == (b"BYE",) for one in responses):
            # The server may keep the connection open for some more seconds.
            raise imaplib.IMAP4.abort("BYE")
        # An empty answer before the end of the slice is the end of the connection.
        return any(_is_new(one) for one in responses) or (not responses and time.monotonic() - before < slice_s / 2)


def _is_new(response: Any) -> bool:
    return isinstance(response, tuple) and len(response) > 1 and response[1] in (b"EXISTS", b"RECENT")


@contextlib.contextmanager
def _translated(step: str, *, refused: type[TransientFailure] = TransientFailure) -> Iterator[None]:
    """Turn errors into failures with a text for people. The server's text is cut and loses its addresses."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise TransientFailure(f"{step}: the server's certificate is not good: {error.verify_message}") from error
    except LoginError as error:
        # IMAPClient reports the end of the connection as a refused login as well.
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            raise TransientFailure(f"{step}: the mail server ended the connection") from error
        raise LoginRefused(f"the mailbox refused the login: {_words(error)}") from error
    except imaplib.IMAP4.abort as error:
        raise TransientFailure(f"{step}: the mail server ended the connection") from error
    except ProtocolError as error:
        # The end of an unreadable answer is unknown.
        raise TransientFailure(f"{step}: the mail server's answer cannot be read") from error
    except imaplib.IMAP4.error as error:
        raise refused(f"{step}: {_words(error)}") from error
    except OSError as error:
        raise TransientFailure(f"{step} failed ({type(error).__name__})") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # imaplib and IMAPClient raise these for answers that break the grammar.
        raise TransientFailure(f"{step}: the mail server's answer cannot be read ({type(error).__name__})") from error


def _words(error: Exception) -> str:
    text = re.sub(r"\bb'|'$", "", str(error)[:2000])
    return one_line(_ADDRESS.sub("[address]", text), bounds.detail_chars_max)
