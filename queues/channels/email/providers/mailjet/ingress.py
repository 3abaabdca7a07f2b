"""Mailjet's requests: basic authentication or a secret path authenticates them. Mailjet gives a mail no id."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.ports.inbound import EventKey, IngressRequest, Received
from queues.channels.email.providers import compose, documents, header_objects, raw_request
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.header_alone import authenticate, verify

__all__ = ["authenticate", "receive", "verify"]


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """The one mail of the request."""
    return documents.received_one(request.body, _key)


def _key(body: bytes, told: Document) -> EventKey:
    if "event" in told:  # of the Event API, if somebody gave it this address
        return EventKey(documents.message_key("mailjet-event", "", body), None)
    if not told.keys() & {"From", "Sender", "Headers", "Text-part", "Html-part", "Parts"}:
        raise Unreadable("the document is no mail: it has none of Mailjet's fields")
    headers = header_objects.pairs(told.get("Headers"))
    sender = documents.text(told.get("From")) or compose.first(headers, "From")
    digested = [documents.text(told.get(name)) for name in ("From", "Date", "Subject", "Text-part", "Html-part")]
    envelope = raw_request.envelope(
        documents.text(told["Sender"]) if "Sender" in told else None,
        documents.text(told.get("Recipient")) or None,
    )
    score = documents.text(told.get("SpamAssassinScore"))
    if score:
        envelope["spam_score"] = score
    key = documents.message_key("mailjet", compose.first(headers, "Message-ID").strip(), *digested)
    return EventKey(key, documents.from_order(sender), envelope)
