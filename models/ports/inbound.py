"""The inbound half of the channel port: what an adapter's `ingress.py` and `parse.py` give to the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from models.kernel import limits
from models.kernel.errors import PermanentFailure
from models.ports.author_proof import AuthorProof, Grade, SpamVerdict
from models.ports.guards import Guarded, Id, Identifier, Key, Lines, Locale, Name, OneLine, Reason
from models.ports.mail_html import Html, WholeHtml

Automatic = Literal["auto_reply", "bulk", "bounce", "own"]
Verdict = Literal["pass", "none", "fail"]
Diagnostic = Annotated[str, OneLine(limits.diagnostic_chars_max)]
Status = Annotated[str, OneLine(limits.status_chars_max)]
ContentType = Annotated[str, OneLine(limits.content_type_chars_max)]
Body = Annotated[str, Lines(limits.message_body_chars_max)]
Token = Annotated[str, Identifier(limits.button_token_chars_max)]
ReceiptKind = Literal["delivered", "bounced", "complained", "deferred", "failed", "opened", "unsubscribed"]


@dataclass(frozen=True, slots=True)
class IngressRequest:
    """A provider's HTTP request as it came: header names in lower case, the body's exact bytes.

    `query` holds the parameters of the address (the last value of each name).
    """

    headers: dict[str, str]
    body: bytes
    content_type: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventKey(Guarded):
    """The name of an event, by which a repeat is recognised, and the key of the events that it stays in order with.

    `event_key` is unique per channel account (at most 200 characters). Events with the same `ordering_key` are
    processed one after another; mail addresses are hashed in it. `envelope` is stored with the raw bytes (small, JSON).
    `unreadable` says why the bytes cannot be what they claim: the event is kept and shown as failed, never dropped.
    """

    event_key: Key
    ordering_key: Key | None
    envelope: dict[str, Annotated[str, OneLine(limits.envelope_chars_max)]] = field(default_factory=dict)
    unreadable: Reason | None = None


@dataclass(frozen=True, slots=True)
class ReceivedEvent(Guarded):
    """One event of a request. `raw`: its own bytes, where a request carries several (Brevo); None:
    the request's body.
    """

    key: EventKey
    raw: bytes | None = None
    content_type: ContentType | None = None


@dataclass(frozen=True, slots=True)
class Received(Guarded):
    """All events of a request, stored in one transaction.

    `answer` replaces our own JSON answer where the provider acts on it (a Telegram method such as answerCallbackQuery).
    `nonce`: a value that a signature covers instead of the body (Mailgun's token), and for how many seconds it must be
    remembered: a second request with it that brings other events is refused.
    """

    events: tuple[ReceivedEvent, ...]
    answer: Mapping[str, Any] | None = None
    nonce: tuple[Key, float] | None = None


@dataclass(frozen=True, slots=True)
class AttachmentInfo(Guarded):
    """An attachment of a message.

    `content`: its bytes, where the event holds them (they go to the blob store before the message is recorded).
    `provider_id`: the name by which its bytes can be fetched from the provider later (a Telegram file_id), else None.
    `provider_key`: the provider's stable name of the file (file_unique_id), for recognising it. `content_id`: without
    angle brackets, for `cid:` in `body_html`. `hidden`: kept, but not worth a place in the list (a signature's
    smime.p7s). `size_bytes`: as announced. `refused`: why there are no bytes and never will be, with a sentence in
    `reason` (set by `attachments.store_contents`, or by an adapter that knows).
    """

    filename: Annotated[str, OneLine(limits.attachment_name_chars_max)]
    content_type: ContentType
    size_bytes: int
    sha256: Id | None = None
    inline: bool = False
    provider_id: Annotated[str, Identifier(limits.file_id_chars_max)] | None = None
    provider_key: Id | None = None
    content: bytes | None = field(default=None, repr=False)
    content_id: Name | None = None
    hidden: bool = False
    refused: Literal["too_large", "failed"] | None = None
    reason: Reason | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "filename": self.filename,
            "content_type": self.content_type,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "inline": self.inline,
            "provider_id": self.provider_id,
        }


@dataclass(frozen=True, slots=True)
class DeliveryFailure(Guarded):
    """The reason why a message of ours did not arrive, as a bounce says: RFC 3463's status (5.1.1) if it names one, and
    words.

    A complaint (RFC 5965) means: it arrived, and its reader called it abuse.
    """

    status: Status | None
    diagnostic: Diagnostic
    kind: Literal["bounce", "complaint"] = "bounce"


@dataclass(frozen=True, slots=True)
class Participant(Guarded):
    """Somebody else whom a message names: a copy's reader."""

    name: Name
    address: Id


@dataclass(frozen=True, slots=True)
class InboundMessage(Guarded):
    """A person's (or machine's) message, read from a raw event.

    `author_address` identifies the sender on the channel: the lower-cased From address, the Telegram user id.
    `contact_address` is where an answer goes: the same mail address or that of Reply-To, the chat id.
    `conversation_address` is set for chats, which have one current ticket (a forum topic is `<chat>/<topic>`); None
    for mail, which is threaded by `references` (provider ids, the most telling first). `external_id` is the
    provider's id of this message, in the form in which later messages refer to it. `failure` is set for a bounce
    that reports of a message in `references`.

    `body_html` shows nothing from elsewhere; `body_html_remote` is the same with remote pictures, for a reader who
    asks for them. `html_whole` is both without any cut; None if nothing was cut. `reply_token`: the opaque value of the
    address that the mail was sent to (desk+<token>@...).
    `subject_number`: a ticket's number that the subject claims ([#123]): weak, only for somebody who takes part.
    `is_dated` is False if `sent_at` is not the author's own time (a mail without Date).
    `automatic` says why the desk must not answer the message automatically; None if it may. `by_machine` is False if a
    person wrote such a message: their mail came by a list, with headers of another system, or from an address of ours.
    `verdict`: what the mail's authentication says of its sender. `proof`: the author's proof; None on a channel
    that itself identifies its senders. `spam`: the verdict of a spam filter, if there is one. `copies`: who got it
    as well (To and Cc without our own addresses). `group_key`: messages of one key become one message (a Telegram
    album): later ones add their attachments, and their text if the first had none. `details`: facts for people and
    screens as JSON, e.g. {"forwarded_from": ..., "quote": ..., "signed": true, "left_out": [...]}; `new_ticket`:
    open a ticket even if the chat has a current one (`/new`). `ids_start_anew`: the chat's messages may be counted
    from 1 again (another bot behind a Telegram account), so that the same `external_id` with another `sent_at` is
    another message.
    """

    author_address: Id
    author_name: Name
    contact_address: Id
    body: Body
    conversation_address: Id | None = None
    external_id: Id | None = None
    references: tuple[Id, ...] = ()
    subject: Annotated[str, OneLine(limits.ticket_title_chars_max)] | None = None
    body_full: Annotated[str, Lines(limits.message_full_chars_max)] | None = None
    body_html: Html | None = None
    body_html_remote: Html | None = None
    html_whole: WholeHtml | None = None
    sent_at: datetime | None = None
    is_dated: bool = True
    automatic: Automatic | None = None
    by_machine: bool = True
    edit: bool = False
    locale: Locale | None = None
    attachments: tuple[AttachmentInfo, ...] = ()
    failure: DeliveryFailure | None = None
    reply_token: Key | None = None
    subject_number: int | None = None
    verdict: Verdict = "none"
    proof: AuthorProof | None = None
    spam: SpamVerdict | None = None
    copies: tuple[Participant, ...] = ()
    group_key: Id | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    new_ticket: bool = False
    ids_start_anew: bool = False

    @property
    def is_by_machine(self) -> bool:
        """Return True if a machine wrote the message, so that it reopens nothing and gets no promise."""
        return self.automatic is not None and self.by_machine

    @property
    def grade(self) -> Grade | None:
        """The grade of the author; None on a channel that itself identifies its senders."""
        return None if self.proof is None else self.proof.grade

    @property
    def contact_grade(self) -> Grade | None:
        """The grade of the address for answers: that of the author, and unproved for another address."""
        if self.proof is None or self.contact_address == self.author_address:
            return self.grade
        return "unproved"


@dataclass(frozen=True, slots=True)
class Ignored(Guarded):
    """An event that the parser understood and that needs nothing. It is stored and shown with this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Receipt(Guarded):
    """A provider's later report about a message of ours.

    `reference`: the id that the provider (or we) gave to the message: a Message-ID in angle brackets, or the provider's
    own id as the sender returned it in `SendOutcome.external_id` or `provider_id`. `status`: RFC 3463 if told.
    `permanent`: a bounce after which the address is not written to again.
    """

    reference: Id
    kind: ReceiptKind
    recipient: Annotated[str, OneLine(limits.email_address_chars_max)] = ""
    detail: Diagnostic = ""
    status: Status | None = None
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Receipts(Guarded):
    """The receipts of one event."""

    items: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class ReactionChange(Guarded):
    """Somebody changed their reactions to a message (ours or theirs). `emojis`: all reactions of the person now; empty:
    taken away. `adds`: they are added to the earlier ones, on a channel where each reaction is a message.
    """

    external_id: Id
    author_address: Id
    author_name: Name
    emojis: tuple[Annotated[str, OneLine(limits.emoji_chars_max)], ...]
    adds: bool = False


@dataclass(frozen=True, slots=True)
class ButtonPress(Guarded):
    """Somebody pressed a button under a message of ours; `token` is what the button carries, `value` what was chosen (a
    score).

    `chat_address` and `external_id`: where the button stands. Only the person that the button was made for may press
    it.
    """

    token: Token
    value: Token
    author_address: Id
    author_name: Name
    chat_address: Id
    external_id: Id | None
    press_id: Token = ""


@dataclass(frozen=True, slots=True)
class ReachabilityChange(Guarded):
    """The person of a chat blocked us, or let us in again; in a group, we were removed or added."""

    address: Id
    author_address: Id
    reachable: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class AddressMove(Guarded):
    """A chat has another address from now on (a group became a supergroup)."""

    old: Id
    new: Id


@dataclass(frozen=True, slots=True)
class Deletion(Guarded):
    """The sender took messages back."""

    external_ids: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Command(Guarded):
    """A chat's command to the desk itself (`/status`, `/close`, `/lang ru`, `/start <payload>`); `name` without the
    slash.
    """

    name: Token
    argument: Annotated[str, OneLine(limits.command_argument_chars_max)]
    author_address: Id
    author_name: Name
    chat_address: Id
    conversation_address: Id
    external_id: Id | None = None
    locale: Locale | None = None


@dataclass(frozen=True, slots=True)
class StaffMessage(Guarded):
    """A message in a topic of the staff's group (`chat_address`: `<chat>/<topic>`). `has_files`: it has files too.

    `text` is plain, for commands and answers to questions; `body` is the same text with its format, as a reply.
    """

    chat_address: Id
    author_address: Id
    author_name: Name
    text: Body
    external_id: Id | None = None
    has_files: bool = False
    body: Body = ""
    body_format: Literal["text", "markdown", "html"] = "text"


Parsed = (
    InboundMessage
    | Ignored
    | Receipts
    | ReactionChange
    | ButtonPress
    | ReachabilityChange
    | AddressMove
    | Deletion
    | Command
    | StaffMessage
)


class Unparseable(PermanentFailure):
    """The event could not be read; it is kept, shown and can be replayed."""

    code = "unparseable"
