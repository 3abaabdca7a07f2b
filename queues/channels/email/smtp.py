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
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from models.deliveries.port import SendOutcome, permanent, transient, unknown
from models.kernel import limits
from queues.channels.text import one_line

_DETAIL_CHARS_MAX = 300
_CONVERSATION_S_MAX = limits.actor_time_limit_s - 20.0  # all steps, with room to record the outcome
_QUIT_S = 2.0  # the mail is accepted by then
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
# 5xx answers about our login: the configuration is to be mended, and the mail can go then.
_LOGIN_CODES = frozenset({530, 534, 535, 538})


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

    @property
    def local(self) -> bool:
        return self.host in _LOOPBACK


def relay_of(url: str) -> Relay:
    """Read `smtp://[user:password@]host[:port]` or `smtps://...`. Raises BadUrl."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port")
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Relay(parts.hostname, port or (465 if tls else 25), tls, user, password)


class Ended(Exception):
    """The conversation is over; `outcome` says how."""

    def __init__(self, outcome: SendOutcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


def hand_over(relay: Relay, mail: bytes, *, sender: str, recipient: str, helo: str) -> SendOutcome | None:
    """Give one mail to the relay. Returns None when it took it, else the outcome."""
    try:
        client = _Conversation(relay, helo)
        try:
            client.introduce()
            client.deliver(mail, sender, recipient)
        finally:
            client.close()
    except Ended as ended:
        return ended.outcome
    return None


class _Conversation:
    def __init__(self, relay: Relay, helo: str) -> None:
        self._relay = relay
        self._deadline = time.monotonic() + _CONVERSATION_S_MAX
        timeout_s = limits.send_connect_timeout_s
        with _certainly_not_sent("connecting"):
            # `helo` is given because smtplib would ask DNS for our own name.
            self._client = (
                smtplib.SMTP_SSL(
                    relay.host, relay.port, helo, timeout=timeout_s, context=ssl.create_default_context()
                )
                if relay.tls
                else smtplib.SMTP(relay.host, relay.port, helo, timeout=timeout_s)
            )
            # The mail and its last dot are two writes: Nagle would hold the dot back until the delayed acknowledgement (40 ms).
            if self._client.sock is not None:
                self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def introduce(self) -> None:
        """EHLO, STARTTLS when offered, login when there is a user."""
        with _certainly_not_sent("the greeting"):
            self._renew_timeout()
            self._client.ehlo_or_helo_if_needed()
            encrypted = self._relay.tls
            # A relay on this machine has no certificate that anybody could check.
            if not encrypted and not self._relay.local and self._client.has_extn("starttls"):
                self._client.starttls(context=ssl.create_default_context())
                self._client.ehlo_or_helo_if_needed()
                encrypted = True
        if not self._relay.user:
            return
        if not encrypted and not self._relay.local:
            raise Ended(transient("the mail server offers no TLS; the password was not sent in clear"))
        with _certainly_not_sent("the login"):
            self._renew_timeout()
            self._client.login(self._relay.user, self._relay.password)

    def deliver(self, mail: bytes, sender: str, recipient: str) -> None:
        options = []
        if not (sender.isascii() and recipient.isascii()):
            if not self._client.has_extn("smtputf8"):
                raise Ended(permanent("the mail server takes no addresses with letters beyond ASCII"))
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        with _certainly_not_sent("the envelope"):
            self._renew_timeout()
            self._expect("MAIL", *self._client.mail(sender, options))
            self._renew_timeout()
            self._expect("RCPT", *self._client.rcpt(recipient))
            self._renew_timeout()
            code, text = self._client.docmd("DATA")
            if code != 354:
                raise Ended(_refused("DATA", code, text))
        with _certainly_not_sent("the mail's bytes"):
            self._client.send(_dotted(mail))
        try:
            self._renew_timeout()
            self._client.send(b".\r\n")
            code, text = self._client.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Ended(
                unknown(f"the connection failed before the mail server confirmed ({type(error).__name__})")
            ) from error
        self._expect("the mail", code, text)

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
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Ended(transient(f"{step} failed ({type(error).__name__})")) from error


def _refused(step: str, code: int, text: bytes) -> SendOutcome:
    """What a reply that is not 2xx means: 5xx is for good, all else is tried again."""
    said = f"{step}: {_reply(code, text)}"
    if not 500 <= code < 600 or code in _LOGIN_CODES:
        return transient(said)
    gone = step == "RCPT" and code == 550 and text.lstrip().startswith(b"5.1.")
    return permanent(said, suppress="the address does not exist" if gone else None)


def _reply(code: int, text: bytes | str) -> str:
    """The server's reply without addresses, which servers like to repeat."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {_ADDRESS.sub('[address]', words[:2000])}", _DETAIL_CHARS_MAX)


def _dotted(mail: bytes) -> bytes:
    """Lines end with CRLF, and a dot at a line's beginning is doubled (RFC 5321 4.5.2)."""
    lines = _LINE_ENDS.sub(b"\r\n", mail)
    dotted = re.sub(rb"(?m)^\.", b"..", lines)
    return dotted if dotted.endswith(b"\r\n") else dotted + b"\r\n"
