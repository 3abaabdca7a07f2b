"""The inbound half of the channel port: what an adapter's `ingress.py` and `parse.py` give to the domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from models.kernel.errors import NestorError

Automatic = Literal["auto_reply", "bulk", "bounce", "own"]


@dataclass(frozen=True, slots=True)
class IngressRequest:
    """A provider's HTTP request as it came: header names in lower case, the body's exact bytes."""

    headers: dict[str, str]
    body: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class EventKey:
    """What makes a repeat of the same event recognisable, and what it must stay in order with.

    `event_key` is unique per channel account (at most 200 characters). Events with the same `ordering_key` are processed one
    after another; mail addresses are hashed in it. `envelope` is kept beside the raw bytes (small, JSON).
    `unreadable` says why the bytes cannot be what they claim: the event is kept and shown as failed, never dropped.
    """

    event_key: str
    ordering_key: str | None
    envelope: dict[str, str] = field(default_factory=dict)
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """An attachment as announced by the message; its bytes stay in the raw event (or at the provider)."""

    filename: str
    content_type: str
    size_bytes: int
    sha256: str | None = None
    inline: bool = False
    provider_id: str | None = None

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
class DeliveryFailure:
    """Why a message of ours did not arrive, as a bounce says: RFC 3463's status (5.1.1) if it names one, and words."""

    status: str | None
    diagnostic: str


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A person's (or machine's) message, read from a raw event.

    `author_address` identifies the sender on the channel: the lower-cased From address, the Telegram user id. `contact_address` is where
    an answer goes: the same mail address, the chat id. `conversation_address` is set for chats, which have one current ticket;
    None for mail, which is threaded by `references` (provider ids, the most telling first). `external_id` is the provider's id of
    this message, in the form in which later messages refer to it. `failure` is set for a bounce that reports of a message in
    `references`.
    """

    author_address: str
    author_name: str
    contact_address: str
    body: str
    conversation_address: str | None = None
    external_id: str | None = None
    references: tuple[str, ...] = ()
    subject: str | None = None
    body_full: str | None = None
    body_html: str | None = None
    sent_at: datetime | None = None
    automatic: Automatic | None = None
    edit: bool = False
    locale: str | None = None
    attachments: tuple[AttachmentInfo, ...] = ()
    failure: DeliveryFailure | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that was understood and needs nothing: kept, and shown with this reason."""

    reason: str


class Unparseable(NestorError):
    """The event could not be read; it is kept, shown and can be replayed."""

    code = "unparseable"
