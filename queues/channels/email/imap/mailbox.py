"""One connection to a mailbox. Whatever a server does wrong becomes a TransientFailure with words for people."""

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
from models.kernel import limits, sockets
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.settings import Settings
from models.kernel.text import one_line
from queues.channels.email.imap import limits as bounds
from queues.channels.email.tls import client_context

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
_EXPECTED = "imap_url: expected imap://user:password@host[:port] or imaps://..."


class Refused(TransientFailure):
    """The server says no to this; the connection is well."""

    code = "mail_server_refused"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mailbox is, from the credential `imap_url`."""

    host: str
    port: int
    tls: bool
    user: str = field(repr=False)
    password: str = field(repr=False)
    ca_file: str | None

    @property
    def tls_needed(self) -> bool:
        """The password leaves in clear to this machine only, and not even there when the account names an authority."""
        return self.ca_file is not None or self.host not in _LOOPBACK


def server_of(account: ChannelAccount, settings: Settings) -> Server:
    """The account's server. Raises ConfigurationError, without the URL."""
    where = f"channel account {account.channel}/{account.name}"
    ca_file = account.config.get("imap_ca_file")
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigurationError(f"{where}: imap_ca_file: there is no such file")
    try:
        parts = urlsplit(account.credential("imap_url", settings).strip())
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{where}: {_EXPECTED}") from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in ("imap", "imaps") or not parts.hostname or not user:
        raise ConfigurationError(f"{where}: {_EXPECTED}")
    tls = parts.scheme == "imaps"
    return Server(parts.hostname, port or (993 if tls else 143), tls, user, password, ca_file)


@dataclass(frozen=True, slots=True)
class Folder:
    """What SELECT told: `next_uid` is above all there is."""

    uidvalidity: int
    next_uid: int
    messages: int


class Mailbox:
    """A logged-in connection; use it as a context manager."""

    def __init__(self, server: Server) -> None:
        with _said("connecting"):
            self._client: Any = IMAPClient(
                server.host,
                server.port,
                ssl=server.tls,
                ssl_context=client_context(server.ca_file) if server.tls else None,
                timeout=SocketTimeout(bounds.connect_s, bounds.read_s),
            )
            # IDLE waits without a read, so no timeout of ours would notice a server that vanished before the next round.
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
        """Say goodbye; what was stored is stored, so a failure here changes nothing."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError, ValueError):
            if error is None:
                self._client.logout()
                return
        self._hang_up()

    def _hang_up(self) -> None:
        """The connection may be half-open after a failed STARTTLS, or closed by the server."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.shutdown()

    def _introduce(self, server: Server) -> None:
        if not server.tls and server.tls_needed:
            with _said("STARTTLS"):
                if not self._client.has_capability("STARTTLS"):
                    raise TransientFailure("the mail server offers no TLS; the password was not sent in clear")
                self._client.starttls(client_context(server.ca_file))
        with _said("the login"):
            self._client.login(server.user, server.password)

    def select(self, folder: str, *, readonly: bool = False) -> Folder:
        """Open the folder, or look again at what it holds now. Raises TransientFailure for one that is not there."""
        with _said(f"the folder {one_line(folder, 60)}"):
            told = self._client.select_folder(folder, readonly)
        uidvalidity, next_uid = told.get(b"UIDVALIDITY"), told.get(b"UIDNEXT")
        if not isinstance(uidvalidity, int) or not isinstance(next_uid, int):
            raise TransientFailure("the mail server tells no UIDVALIDITY or UIDNEXT; its mails cannot be told apart")
        return Folder(uidvalidity, next_uid, int(told.get(b"EXISTS", 0)))

    def uids_after(self, uid: int) -> list[int]:
        """All above `uid`. `*` is the highest there is, so a server may answer with one that is not above (RFC 3501 6.4.8)."""
        return self._search(["UID", f"{uid + 1}:*"], above=uid)

    def unanswered_uids(self, after: int, since: date | None) -> list[int]:
        """Those above `after` that nobody has seen, or that came on `since` or later."""
        unseen = self._search(["UID", f"{after + 1}:*", "UNSEEN"], above=after)
        if since is None:
            return unseen
        return sorted({*unseen, *self._search(["UID", f"{after + 1}:*", "SINCE", since], above=after)})

    def unseen_uids(self, after: int, up_to: int) -> list[int]:
        return self._search(["UID", f"{after + 1}:{up_to}", "UNSEEN"], above=after)

    def _search(self, criteria: list[object], *, above: int) -> list[int]:
        with _said("the search"):
            return sorted({int(uid) for uid in self._client.search(criteria) if int(uid) > above})

    def sizes(self, uids: list[int]) -> dict[int, int]:
        """Bytes of each mail that is still there. Raises Refused."""
        with _said("the mails' sizes", refused=Refused):
            told = self._client.fetch(uids, ["RFC822.SIZE"])
            return {int(uid): int(items[b"RFC822.SIZE"]) for uid, items in told.items() if b"RFC822.SIZE" in items}

    def fetch(self, uid: int, bytes_max: int) -> bytes | None:
        """The first `bytes_max` bytes of the mail, which stays unseen; None when it is gone. Raises Refused."""
        with _said("fetching a mail", refused=Refused):
            # The answer is bounded by asking for a part: RFC822.SIZE may lie.
            told = self._client.fetch([uid], [f"BODY.PEEK[]<0.{bytes_max}>"])
            for key, value in told.get(uid, {}).items():
                if key.startswith(b"BODY[]"):
                    return value if isinstance(value, bytes) else b""
        return None

    def mark_seen(self, uids: list[int]) -> None:
        """Raises Refused where the mailbox may only be read."""
        with _said("marking mails as seen", refused=Refused):
            self._client.add_flags(uids, [b"\\Seen"], silent=True)

    def wait(self, stop: threading.Event, for_s: float, *, idle: bool) -> None:
        """Until the server tells of a change, `stop` is set or `for_s` seconds are over."""
        with _said("waiting for mail"):
            if not idle or not self._client.has_capability("IDLE"):
                stop.wait(for_s)
                self._client.noop()
                return
            deadline = time.monotonic() + for_s
            self._client.idle()
            while not stop.is_set() and (left_s := deadline - time.monotonic()) > 0:
                before = time.monotonic()
                slice_s = min(bounds.idle_slice_s, left_s)
                told = self._client.idle_check(timeout=slice_s)
                if any(isinstance(one, tuple) and one[:1] == (b"BYE",) for one in told):
                    raise imaplib.IMAP4.abort("BYE")  # it may keep the connection open for seconds more
                # An empty answer before its time is the connection's end, which idle_done tells.
                if any(_is_new(one) for one in told) or (not told and time.monotonic() - before < slice_s / 2):
                    break
            self._client.idle_done()


def _is_new(response: Any) -> bool:
    return isinstance(response, tuple) and len(response) > 1 and response[1] in (b"EXISTS", b"RECENT")


@contextlib.contextmanager
def _said(step: str, *, refused: type[TransientFailure] = TransientFailure) -> Iterator[None]:
    """Tell people what went wrong. A server's text is kept short and without addresses."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise TransientFailure(f"{step}: the server's certificate is not good: {error.verify_message}") from error
    except LoginError as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):  # IMAPClient calls this a refusal, too
            raise TransientFailure(f"{step}: the mail server ended the connection") from error
        raise TransientFailure(f"the mailbox refused the login: {_words(error)}") from error
    except imaplib.IMAP4.abort as error:
        raise TransientFailure(f"{step}: the mail server ended the connection") from error
    except ProtocolError as error:  # IMAPClient cannot read it: nobody knows where its end is
        raise TransientFailure(f"{step}: the mail server's answer cannot be read") from error
    except imaplib.IMAP4.error as error:
        raise refused(f"{step}: {_words(error)}") from error
    except OSError as error:
        raise TransientFailure(f"{step} failed ({type(error).__name__})") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # imaplib and IMAPClient take a server's grammar for granted.
        raise TransientFailure(f"{step}: the mail server's answer cannot be read ({type(error).__name__})") from error


def _words(error: Exception) -> str:
    text = re.sub(r"\bb'|'$", "", str(error)[:2000])
    return one_line(_ADDRESS.sub("[address]", text), bounds.detail_chars_max)
