"""Send mail through providers' APIs: `build.py` writes the mail, and an API without raw mail gets its fields.

All senders end here, so that one table interprets the answers.
"""

from __future__ import annotations

import base64
import email
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent, transient, unknown
from queues.channels import http_status
from queues.channels.email.providers import http
from queues.channels.email.providers.http import Answer
from queues.channels.email.writing.build import BadAddress, build, checked_address, copies_of

# Headers for which each API has its own fields, or that describe the bytes.
_FIELDS = frozenset(
    {
        "from",
        "to",
        "cc",
        "reply-to",
        "subject",
        "date",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of an outgoing mail; `content` is base64."""

    filename: str
    content_type: str
    content: str
    content_id: str
    inline: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """Our mail as fields. `headers`: those that no field is there for (Message-ID, References, Auto-Submitted ...)."""

    sender: tuple[str, str]  # name, address
    to: list[tuple[str, str]]
    cc: list[tuple[str, str]]
    reply_to: list[tuple[str, str]]
    subject: str
    headers: list[tuple[str, str]]
    text: str
    html: str
    files: list[Attached]


Request = Callable[[bytes], Answer]
Verdict = Callable[[Answer], SendOutcome | None]


def _message(answer: Answer) -> str:
    return http.error_text(answer, "message", "Message")


def hand_over(
    message: OutgoingMessage,
    account: ChannelAccount,
    *,
    request: Request,
    accepted: Callable[[Answer], SendOutcome],
    refused: Verdict,
    error_text: Callable[[Answer], str] = _message,
) -> SendOutcome:
    """Build the mail, make the request, return the outcome. `refused` interprets an error; if None, the status does."""
    try:
        checked_address(message.address)
    except BadAddress as error:
        return permanent(str(error))
    try:
        raw = build(message, account)
        answer = request(raw)
    except (ConfigurationError, BadAddress) as error:
        # The operator can correct the configuration; nothing was sent.
        return replace(account_trouble(str(error)), detail=f"channel account {account.name}: {error}")
    except OSError as error:
        return transient(f"a file of the message cannot be read ({type(error).__name__})")
    except http.NotSent as error:
        return transient(error.message)
    except http.Unanswered as error:
        return unknown(error.message)
    if answer.ok:
        return accepted(answer)
    return refused(answer) or by_status(answer, error_text(answer))


def by_status(answer: Answer, detail: str) -> SendOutcome:
    """Return the outcome of an answer that the provider's own table does not contain.

    A gateway may answer 5xx although the provider accepted the mail, so the outcome is unknown. Only 503 says that
    nothing was done.
    """
    if answer.status == 429:
        return SendOutcome("throttled", detail, retry_after_s=answer.retry_after_s or 10.0, pause_account=True)
    if http_status.concerns_account(answer.status):
        return account_trouble(detail)
    if answer.status in (408, 409, 425, 503):
        return transient(detail, retry_after_s=answer.retry_after_s)
    if answer.status >= 500:
        return unknown(detail)
    return permanent(detail)


def recipients(message: OutgoingMessage) -> list[str]:
    """Return each recipient of the mail once."""
    found = [checked_address(message.address), *copies_of(message)]
    return list(dict.fromkeys(one.addr_spec for one in found))


def base_url(account: ChannelAccount, default: str) -> str:
    """Return the address of the API: the account's `api_url` (a region, a proxy) or the default."""
    return str(account.config.get("api_url") or default).rstrip("/")


def api_key(account: ChannelAccount, settings: Settings) -> str:
    """Return the account's key. Raises ConfigurationError."""
    return account.credential("api_key", settings)


def parts_of(raw: bytes) -> Parts:
    """Return the fields of a mail that `build` has written."""
    mail = email.message_from_bytes(raw, policy=SMTP)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return Parts(
        sender=_mailboxes(mail, "From")[0],
        to=_mailboxes(mail, "To"),
        cc=_mailboxes(mail, "Cc"),
        reply_to=_mailboxes(mail, "Reply-To"),
        subject=str(mail["Subject"] or ""),
        headers=[(name, " ".join(str(value).split())) for name, value in mail.items() if name.lower() not in _FIELDS],
        text="" if text is None else text.get_content(),
        html="" if html is None else html.get_content(),
        files=list(_files(mail, text, html)),
    )


def _mailboxes(mail: EmailMessage, name: str) -> list[tuple[str, str]]:
    header = mail[name]
    return [] if header is None else [(one.display_name, one.addr_spec) for one in header.addresses]


def _files(mail: EmailMessage, *bodies: MIMEPart | None) -> Iterator[Attached]:
    for part in mail.walk():
        if part.is_multipart() or part in bodies:
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes), "a part without children has bytes"
        yield Attached(
            part.get_filename() or "",
            part.get_content_type(),
            base64.b64encode(content).decode("ascii"),
            str(part.get("Content-ID", "")).strip().strip("<>"),
            part.get_content_disposition() == "inline",
        )


def shown(mailbox: tuple[str, str]) -> str:
    """Return `"Name" <address>` for APIs that take mailboxes as text."""
    name, address = mailbox
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>' if name else address
