"""One SMTP conversation (RFC 5321) in steps, so that after any failure it is known whether the mail may have been sent.

The outcome is unknown only between the end of the data and the server's reply. `smtplib.sendmail` does not say at which
step it failed.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.kernel import limits
from models.kernel.storage import sockets
from models.kernel.text import one_line
from models.ports.outbound import SendOutcome, accepted, account_trouble, permanent, transient, unknown
from queues.channels.email.oauth.bearer import Bearer
from queues.channels.email.writing.relay import Relay

_DETAIL_CHARS_MAX = 300
# For all steps; the rest of the time limit is for recording the outcome.
_CONVERSATION_S_MAX = limits.actor_time_limit_s - 20.0
# The mail is already accepted at QUIT.
_QUIT_S = 2.0
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
# RFC 3463 section 3.2 and RFC 7505: no such mailbox or host, bad syntax, moved, takes no mail. 5.1.7 and 5.1.8 concern
# the sender.
_GONE = re.compile(rb"5\.1\.(?:[1236]|10)(?![0-9])")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_LINE_DOT = re.compile(rb"(?m)^\.")
# Sent at a time, so that a mail of 35 MiB is not copied and each piece is checked against the deadline.
_PIECE_BYTES = 256 * 1024
# RFC 4954 section 6, RFC 5248 section 2 and the codes of Exchange Online: the login, the encryption, or the right to
# send as our address.
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_ABOUT_LOGIN = re.compile(rb"5\.7\.(?:[89]|11|13|14|57|60|7[0-9]{2})(?![0-9])")
# Refusals of MAIL that concern the mail: its size (RFC 1870, RFC 3463) and its letters (RFC 6531 section 3.5).
_ABOUT_MAIL = re.compile(rb"5\.(?:2\.3|3\.4|6\.[0-9]+)(?![0-9])")
_TOO_LARGE = 552

NO_UTF8 = "the mail server takes no addresses with letters beyond ASCII"


class Ended(Exception):
    """The conversation is over; `outcome` says how."""

    def __init__(self, outcome: SendOutcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its envelope. The reply for `recipient` decides the outcome; `copies` are further readers."""

    mail: bytes
    sender: str
    recipient: str
    copies: tuple[str, ...] = ()

    @property
    def needs_utf8(self) -> bool:
        return not all(one.isascii() for one in (self.sender, self.recipient, *self.copies))


def hand_over(relay: Relay, letter: Letter, *, helo: str) -> SendOutcome:
    """Send one mail to the relay. The outcome has no ids; its `detail` names refused copies.

    Raises ConfigurationError, TransientFailure if the access token of a login by OAuth cannot be got.
    """
    return _with_login(relay, helo, lambda client: client.deliver(letter))


def test_relay(relay: Relay, *, helo: str) -> SendOutcome:
    """Connect, greet, encrypt, log in and quit, to test the relay. Nothing is sent. Raises as `hand_over`."""
    return _with_login(relay, helo, lambda client: accepted(None))


def _with_login(relay: Relay, helo: str, act: Callable[[_Conversation], SendOutcome]) -> SendOutcome:
    """Act in a conversation after the login. An access token that the relay refuses is renewed once."""
    if relay.bearer is not None:
        relay.bearer.prepare()
    try:
        return _in_conversation(relay, helo, act)
    except Ended as ended:
        if relay.bearer is None or not isinstance(ended.__cause__, smtplib.SMTPAuthenticationError):
            return ended.outcome
    # The access token may have been revoked before its end.
    relay.bearer.renew()
    try:
        return _in_conversation(relay, helo, act)
    except Ended as ended:
        return ended.outcome


def _in_conversation(relay: Relay, helo: str, act: Callable[[_Conversation], SendOutcome]) -> SendOutcome:
    client = _Conversation(relay, helo)
    try:
        client.introduce()
        return act(client)
    finally:
        client.close()


class _Conversation:
    """A connection to the relay, from the greeting to QUIT."""

    def __init__(self, relay: Relay, helo: str) -> None:
        self._relay = relay
        self._deadline = time.monotonic() + _CONVERSATION_S_MAX
        timeout_s = limits.send_connect_timeout_s
        with _certainly_not_sent("connecting"):
            # Without `helo`, smtplib would ask DNS for the name of this machine.
            self._client = (
                smtplib.SMTP_SSL(relay.host, relay.port, helo, timeout=timeout_s, context=relay.tls_context())
                if relay.tls
                else smtplib.SMTP(relay.host, relay.port, helo, timeout=timeout_s)
            )
            # The mail and its last dot are two writes. Nagle's algorithm would hold the dot back for 40 ms.
            if self._client.sock is not None:
                self._client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sockets.watch_peer(self._client.sock, limits.provider_lost_s)

    def introduce(self) -> None:
        """Send EHLO, STARTTLS when offered, and the login when the account has a user."""
        with _certainly_not_sent("the greeting"):
            self._renew_timeout()
            self._client.ehlo_or_helo_if_needed()
        encrypted = self._relay.tls or self._encrypt()
        if not encrypted and self._relay.tls_required:
            raise Ended(account_trouble("the mail server offers no TLS, which the account asks for; nothing was sent"))
        if not self._relay.user and self._relay.bearer is None:
            return
        if not encrypted and not self._relay.local:
            raise Ended(account_trouble("the mail server offers no TLS; the password was not sent in clear"))
        self._log_in()

    def _encrypt(self) -> bool:
        """Start TLS (RFC 3207); False when the server does not offer it or this relay does not need it."""
        if not self._relay.starttls or not self._client.has_extn("starttls"):
            return False
        with _certainly_not_sent("STARTTLS"):
            self._client.starttls(context=self._relay.tls_context())
            self._renew_timeout()
            self._client.ehlo_or_helo_if_needed()
        return True

    def _log_in(self) -> None:
        with _certainly_not_sent("the login"):
            self._renew_timeout()
            if self._relay.bearer is not None:
                self._log_in_by_token(self._relay.bearer)
                return
            try:
                self._client.login(self._relay.user, self._relay.password)
            except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError, smtplib.SMTPServerDisconnected):
                raise
            except smtplib.SMTPException as error:
                # The server offers no mechanism that smtplib knows.
                raise smtplib.SMTPNotSupportedError(str(error)) from error

    def _log_in_by_token(self, bearer: Bearer) -> None:
        if bearer.mechanism not in self._client.esmtp_features.get("auth", "").upper().split():
            raise Ended(account_trouble(f"the mail server offers no {bearer.mechanism}; check `oauth.mechanism`"))

        def respond(challenge: bytes | None = None) -> str:
            # The server's error is a challenge, too.
            return bearer.first_response() if challenge is None else bearer.answer_to_error()

        self._client.auth(bearer.mechanism, respond)

    def deliver(self, letter: Letter) -> SendOutcome:
        options = []
        if letter.needs_utf8:
            if not self._client.has_extn("smtputf8"):
                raise Ended(permanent(NO_UTF8))
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        # RFC 1870.
        if self._client.has_extn("size"):
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
        """Refuse a mail above the server's limit before it is sent; a limit of 0 means that there is none."""
        said = self._client.esmtp_features.get("size", "").strip()
        limit = int(said) if said.isascii() and said.isdigit() else 0
        if 0 < limit < size:
            raise Ended(
                permanent(
                    f"the mail has {size / limits.MIB:.1f} MiB with its files;"
                    f" the mail server takes {limit / limits.MIB:.1f} MiB"
                )
            )

    def close(self) -> None:
        """Send QUIT with a short timeout. The outcome is known, so a failure here changes nothing."""
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
    """Turn each error inside into a transient outcome: the server cannot have accepted the mail yet.

    A server that refuses the greeting, the encryption or the login for good refuses the account, not one mail.
    """
    try:
        yield
    except smtplib.SMTPResponseException as error:
        said = f"{step}: {_reply(error.smtp_code, error.smtp_error)}"
        refused = isinstance(error, smtplib.SMTPAuthenticationError) or 500 <= error.smtp_code < 600
        raise Ended(account_trouble(said) if refused else transient(said)) from error
    except ssl.SSLCertVerificationError as error:
        said = f"{step}: the server's certificate is not good: {error.verify_message}"
        raise Ended(account_trouble(said)) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Ended(account_trouble(f"{step}: the mail server does not offer what is needed")) from error
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise Ended(transient(f"{step} failed ({_kind(error)})")) from error


def _refused(step: str, code: int, text: bytes) -> SendOutcome:
    """Return the outcome of a reply that is not 2xx: 5xx is permanent, any other is transient.

    A 5xx about our login or our own address concerns the account: the mail waits for the operator.
    """
    said = f"{step}: {_reply(code, text)}"
    if not 500 <= code < 600:
        return transient(said)
    status = text.lstrip()
    about_mail = code == _TOO_LARGE or _ABOUT_MAIL.match(status) is not None
    if code in _LOGIN_CODES or _ABOUT_LOGIN.match(status) is not None or (step == "MAIL" and not about_mail):
        return account_trouble(said)
    gone = step == "RCPT" and _GONE.match(text.lstrip()) is not None
    return permanent(said, suppress="the address does not exist" if gone else None)


def _reply(code: int, text: bytes | str) -> str:
    """Return the server's reply without addresses, which servers often repeat."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {_ADDRESS.sub('[address]', words[:2000])}", _DETAIL_CHARS_MAX)


def _kind(error: BaseException) -> str:
    """Name the error; smtplib reports a timeout as a lost connection."""
    return type(error.__context__ if isinstance(error.__context__, TimeoutError) else error).__name__


def _refused_copies(refused: list[str], count: int) -> str:
    if not refused:
        return ""
    return f"{len(refused)} of {count} readers of a copy were refused: {refused[0]}"


def _dotted(mail: bytes) -> Iterator[bytes]:
    """Yield the mail in pieces of whole lines, with CRLF ends and doubled leading dots (RFC 5321 section 4.5.2)."""
    at = 0
    while at < len(mail):
        end = mail.find(b"\n", at + _PIECE_BYTES) + 1 or len(mail)
        yield _LINE_DOT.sub(b"..", _LINE_ENDS.sub(b"\r\n", mail[at:end]))
        at = end
    if not mail.endswith((b"\r", b"\n")):
        yield b"\r\n"
