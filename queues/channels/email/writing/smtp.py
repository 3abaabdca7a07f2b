"""One SMTP conversation, step by step, so that after any failure it is known whether the mail may have gone.

Only between the end of the data and the server's reply it cannot be known. smtplib's own `sendmail` hides where it was.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from models.kernel import limits, sockets
from models.kernel.text import one_line
from models.ports.outbound import SendOutcome, accepted, permanent, transient, unknown
from queues.channels.email.tls import client_context

_DETAIL_CHARS_MAX = 300
_CONVERSATION_S_MAX = limits.actor_time_limit_s - 20.0  # all steps, with room to record the outcome
_QUIT_S = 2.0  # the mail is accepted by then
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
# RFC 3463 3.2 and RFC 7505: no such mailbox or host, bad syntax, moved, takes no mail. 5.1.7 and 5.1.8 are about us.
_GONE = re.compile(rb"5\.1\.(?:[1236]|10)(?![0-9])")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_LINE_DOT = re.compile(rb"(?m)^\.")
_PIECE_BYTES = 256 * 1024  # sent at a time: a mail of 35 MiB is not copied whole, and its sending is under the deadline
# 5xx answers about our login: the configuration is to be mended, and the mail can go then.
_LOGIN_CODES = frozenset({530, 534, 535, 538})


NO_UTF8 = "the mail server takes no addresses with letters beyond ASCII"


class BadUrl(ValueError):
    """The account's smtp_url cannot be used; the text says why, without the URL."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed over, from the credential `smtp_url`."""

    host: str
    port: int
    tls: bool
    user: str
    password: str
    ca_file: str | None = None

    @property
    def local(self) -> bool:
        return self.host in _LOOPBACK

    @property
    def starttls(self) -> bool:
        """A relay on this machine has no certificate that anybody could check, unless the account names who signed it."""
        return self.ca_file is not None or not self.local

    @property
    def tls_required(self) -> bool:
        return self.ca_file is not None

    def tls_context(self) -> ssl.SSLContext:
        """Checks certificate and host name, by the machine's authorities and the account's own."""
        return client_context(self.ca_file)


def relay_of(url: str, *, ca_file: str | None = None) -> Relay:
    """Read `smtp://[user:password@]host[:port]` or `smtps://...`. `ca_file`: a private authority's certificates. Raises BadUrl."""
    if ca_file is not None and not Path(ca_file).is_file():
        raise BadUrl("smtp_ca_file: there is no such file")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port")
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Relay(parts.hostname, port or (465 if tls else 25), tls, user, password, ca_file)


class Ended(Exception):
    """The conversation is over; `outcome` says how."""

    def __init__(self, outcome: SendOutcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its envelope. `recipient` decides how the attempt ends; `copies` are readers beside them."""

    mail: bytes
    sender: str
    recipient: str
    copies: tuple[str, ...] = ()

    @property
    def needs_utf8(self) -> bool:
        return not all(one.isascii() for one in (self.sender, self.recipient, *self.copies))


def hand_over(relay: Relay, letter: Letter, *, helo: str) -> SendOutcome:
    """Give one mail to the relay. `accepted` (without ids) when it took it; what it refused of the copies stands in `detail`."""
    try:
        client = _Conversation(relay, helo)
        try:
            client.introduce()
            return client.deliver(letter)
        finally:
            client.close()
    except Ended as ended:
        return ended.outcome


def look(relay: Relay, *, helo: str) -> SendOutcome:
    """Connect, greet, encrypt and log in, and go again: whether the relay would talk to us. Nothing is sent."""
    try:
        client = _Conversation(relay, helo)
        try:
            client.introduce()
        finally:
            client.close()
    except Ended as ended:
        return ended.outcome
    return accepted(None)


class _Conversation:
    def __init__(self, relay: Relay, helo: str) -> None:
        self._relay = relay
        self._deadline = time.monotonic() + _CONVERSATION_S_MAX
        timeout_s = limits.send_connect_timeout_s
        with _certainly_not_sent("connecting"):
            # `helo` is given because smtplib would ask DNS for our own name.
            self._client = (
                smtplib.SMTP_SSL(relay.host, relay.port, helo, timeout=timeout_s, context=relay.tls_context())
                if relay.tls
                else smtplib.SMTP(relay.host, relay.port, helo, timeout=timeout_s)
            )
            # The mail and its last dot are two writes: Nagle would hold the dot back until the delayed acknowledgement (40 ms).
            if self._client.sock is not None:
                self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sockets.watch_peer(self._client.sock, limits.provider_lost_s)

    def introduce(self) -> None:
        """EHLO, STARTTLS when offered, login when there is a user."""
        encrypted = self._relay.tls
        with _certainly_not_sent("the greeting"):
            self._renew_timeout()
            self._client.ehlo_or_helo_if_needed()
        if not encrypted and self._relay.starttls and self._client.has_extn("starttls"):
            with _certainly_not_sent("STARTTLS"):
                self._client.starttls(context=self._relay.tls_context())
                self._renew_timeout()
                self._client.ehlo_or_helo_if_needed()
                encrypted = True
        if not encrypted and self._relay.tls_required:
            raise Ended(transient("the mail server offers no TLS, which the account asks for; nothing was sent"))
        if not self._relay.user:
            return
        if not encrypted and not self._relay.local:
            raise Ended(transient("the mail server offers no TLS; the password was not sent in clear"))
        try:
            with _certainly_not_sent("the login"):
                self._renew_timeout()
                self._client.login(self._relay.user, self._relay.password)
        except Ended as ended:
            if isinstance(ended.__cause__, smtplib.SMTPAuthenticationError | smtplib.SMTPNotSupportedError):
                raise Ended(replace(ended.outcome, account_error=ended.outcome.detail)) from ended
            raise

    def deliver(self, letter: Letter) -> SendOutcome:
        options = []
        if letter.needs_utf8:
            if not self._client.has_extn("smtputf8"):
                raise Ended(permanent(NO_UTF8))
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        if self._client.has_extn("size"):  # RFC 1870
            options.append(f"SIZE={len(letter.mail)}")
            self._check_size(len(letter.mail))
        with _certainly_not_sent("the envelope"):
            self._renew_timeout()
            self._expect("MAIL", *self._client.mail(letter.sender, options))
            self._renew_timeout()
            self._expect("RCPT", *self._client.rcpt(letter.recipient))
            refused = []
            for copy in letter.copies:
                self._renew_timeout()
                code, text = self._client.rcpt(copy)
                if not 200 <= code < 300:
                    refused.append(_reply(code, text))
            self._renew_timeout()
            code, text = self._client.docmd("DATA")
            if code != 354:
                raise Ended(_refused("DATA", code, text))
        with _certainly_not_sent("the mail's bytes"):
            for piece in _dotted(letter.mail):
                self._renew_timeout()
                self._client.send(piece)
        try:
            self._renew_timeout()
            self._client.send(b".\r\n")
            code, text = self._client.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Ended(unknown(f"the connection failed before the mail server confirmed ({_kind(error)})")) from error
        if not 200 <= code < 600:
            raise Ended(unknown("the mail server answered the mail with something else than a reply code"))
        self._expect("the mail", code, text)
        return accepted(None, _refused_copies(refused, len(letter.copies)))

    def _check_size(self, size: int) -> None:
        """A mail that the server says it will not take is not sent first; 0 means: it says nothing."""
        said = self._client.esmtp_features.get("size", "").strip()
        limit = int(said) if said.isascii() and said.isdigit() else 0
        if 0 < limit < size:
            raise Ended(
                permanent(
                    f"the mail has {size / limits.MIB:.1f} MiB with its files; the mail server takes {limit / limits.MIB:.1f} MiB"
                )
            )

    def close(self) -> None:
        """Say goodbye, briefly; the outcome is settled, so a failure here changes nothing."""
        if self._client.sock is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._client.sock.settimeout(_QUIT_S)
                self._client.docmd("QUIT")
        self._client.close()

    def _expect(self, step: str, code: int, text: bytes) -> None:
        if not 200 <= code < 300:
            raise Ended(_refused(step, code, text))

    def _renew_timeout(self) -> None:
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the conversation took too long")
        if self._client.sock is not None:
            self._client.sock.settimeout(min(limits.send_read_timeout_s, remaining_s))


@contextlib.contextmanager
def _certainly_not_sent(step: str) -> Iterator[None]:
    """Whatever fails inside happens before the mail can have been taken."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise Ended(transient(f"{step}: {_reply(error.smtp_code, error.smtp_error)}")) from error
    except ssl.SSLCertVerificationError as error:
        raise Ended(transient(f"{step}: the server's certificate is not good: {error.verify_message}")) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Ended(transient(f"{step}: the mail server does not offer what is needed")) from error
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Ended(transient(f"{step} failed ({_kind(error)})")) from error


def _refused(step: str, code: int, text: bytes) -> SendOutcome:
    """What a reply that is not 2xx means: 5xx is for good, all else is tried again."""
    said = f"{step}: {_reply(code, text)}"
    if not 500 <= code < 600 or code in _LOGIN_CODES:
        return transient(said)
    gone = step == "RCPT" and _GONE.match(text.lstrip()) is not None
    return permanent(said, suppress="the address does not exist" if gone else None)


def _reply(code: int, text: bytes | str) -> str:
    """The server's reply without addresses, which servers like to repeat."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {_ADDRESS.sub('[address]', words[:2000])}", _DETAIL_CHARS_MAX)


def _kind(error: BaseException) -> str:
    """What happened, in a word; smtplib tells a timeout as a lost connection."""
    return type(error.__context__ if isinstance(error.__context__, TimeoutError) else error).__name__


def _refused_copies(refused: list[str], count: int) -> str:
    if not refused:
        return ""
    return f"{len(refused)} of {count} readers of a copy were refused: {refused[0]}"


def _dotted(mail: bytes) -> Iterator[bytes]:
    """Lines end with CRLF, and a dot at a line's beginning is doubled (RFC 5321 4.5.2); a piece at a time, whole lines each."""
    at = 0
    while at < len(mail):
        end = mail.find(b"\n", at + _PIECE_BYTES) + 1 or len(mail)
        yield _LINE_DOT.sub(b"..", _LINE_ENDS.sub(b"\r\n", mail[at:end]))
        at = end
    if not mail.endswith((b"\r", b"\n")):
        yield b"\r\n"
