"""The outbound half of the channel port: what the domain asks an adapter's `send.py` to carry, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, BinaryIO, Literal

from models.kernel import limits
from models.kernel.errors import ConfigurationError
from models.ports.guards import Guarded, Id, Identifier, OneLine

Detail = Annotated[str, OneLine(limits.error_chars_max)]
FileId = Annotated[str, Identifier(limits.file_id_chars_max)]
OutcomeKind = Literal["accepted", "transient", "permanent", "unknown", "throttled"]
Operation = Literal["send", "edit", "delete"]


@dataclass(frozen=True, slots=True)
class OutgoingAttachment:
    """A file that goes with a message. `open()` gives its bytes as a stream; call it in the sender only (it may be
    network).

    `inline`: shown in the text by `content_id` (without angle brackets). `provider_id`: the provider's own name of the
    file, if it has the bytes already (a Telegram file_id).
    """

    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    open: Callable[[], BinaryIO]
    inline: bool = False
    content_id: str | None = None
    provider_id: str | None = None

    def read(self) -> bytes:
        """Return all bytes, for adapters whose libraries need them whole."""
        with self.open() as stream:
            return stream.read()


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: `token` comes back as `ButtonPress.token`, with `value` (a score from 1 to 5, else
    empty).

    Buttons of one `row` stand next to each other.
    """

    label: str
    token: str
    value: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to one address.

    `external_id` is the Message-ID that e-mail keeps over all attempts (None where the provider gives the id).
    `in_reply_to` is the provider id of the message answered; `references` the thread's ids, oldest first. `automatic`
    marks what no person wrote.

    `operation`: `edit` and `delete` concern a message that was sent before as `sent_ids` (all its parts, in order).
    `copies`: (name, address) of those who get a copy in the same mail. `reply_token`: goes into the reply address
    (desk+<token>@...). `topic`: a forum topic's id in the chat. `silent`: no sound. `reply_above`: the words of the
    line above which the reader replies; empty: no such line. `details`: of the message; `signature` in it has the text
    and the format with which a mail ends.
    """

    delivery_id: str
    attempt_number: int
    address: str
    recipient_name: str
    body: str
    body_format: Literal["text", "markdown", "html"]
    subject: str | None
    external_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    automatic: bool
    ticket_number: int
    operation: Operation = "send"
    sent_ids: tuple[str, ...] = ()
    attachments: tuple[OutgoingAttachment, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    reply_token: str | None = None
    topic: str | None = None
    silent: bool = False
    locale: str | None = None
    reply_above: str = ""
    author_name: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SendOutcome(Guarded):
    """The outcome of an attempt.

    accepted: the provider has it (`external_id` is its id for the message, in the form that replies refer to;
    `external_ids` those of all parts, where there are several; `provider_id` another name by which its receipts call
    it). transient: certainly not sent; try again (after `retry_after_s` if given). permanent: never will be. unknown:
    it may or may not have been sent. throttled: not sent, come back after `retry_after_s`; not a used-up attempt;
    `pause_account` stops the whole account for that time, not only this address. `new_address`: the address moved for
    good (a migrated Telegram group); the send is repeated there at once. `suppress`: reason why this address must not
    be written to again (the bot is blocked). `account_error`: what is wrong with the account itself (a revoked token):
    people see it at the account, not only here. `file_ids`: (sha256, the provider's own name) of files that it holds
    from now on; see `OutgoingAttachment.provider_id`. `detail` is for people: no address, no token, no body.
    """

    kind: OutcomeKind
    detail: Detail = ""
    external_id: Id | None = None
    retry_after_s: float | None = None
    pause_account: bool = False
    new_address: Id | None = None
    suppress: Detail | None = None
    external_ids: tuple[Id, ...] = ()
    provider_id: Id | None = None
    account_error: Detail | None = None
    file_ids: tuple[tuple[Id, FileId], ...] = ()

    @property
    def partly_sent(self) -> bool:
        """Return True if the first part of the message arrived (`external_id`) and a later one did not."""
        return self.kind == "unknown" and self.external_id is not None


def accepted(external_id: str | None, detail: str = "") -> SendOutcome:
    return SendOutcome("accepted", detail, external_id=external_id)


def transient(detail: str, *, retry_after_s: float | None = None) -> SendOutcome:
    return SendOutcome("transient", detail, retry_after_s=retry_after_s)


def permanent(detail: str, *, suppress: str | None = None) -> SendOutcome:
    return SendOutcome("permanent", detail, suppress=suppress)


def account_trouble(detail: str, *, retry_after_s: float | None = None) -> SendOutcome:
    """Return the outcome of a send that failed because of the account: a revoked token, a refused login, a wrong URL.

    Nothing was sent. The message is tried again, and the account shows the error.
    """
    return SendOutcome("transient", detail, retry_after_s=retry_after_s, account_error=detail)


def misconfigured(error: ConfigurationError) -> SendOutcome:
    """Return the outcome of a send that needs its operator first. Nothing was sent; the message waits, and the account
    shows the reason.
    """
    return account_trouble(error.message)


def unknown(detail: str) -> SendOutcome:
    return SendOutcome("unknown", detail)
