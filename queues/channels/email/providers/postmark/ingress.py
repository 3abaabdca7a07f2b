"""Postmark's requests. Postmark signs nothing: basic authentication, a header or a secret path authenticates it."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.ports.inbound import EventKey, IngressRequest, Received
from queues.channels.email.mail_key import mail_key
from queues.channels.email.providers import documents, raw_request
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.header_alone import authenticate, verify

__all__ = ["authenticate", "receive", "verify"]


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive the mail or event of the request."""
    return documents.received_one(request.body, _key)


def _key(body: bytes, told: Document) -> EventKey:
    kind, message_id = documents.text(told.get("RecordType")), documents.text(told.get("MessageID"))
    if kind and kind != "Inbound":
        return _event_key(told, kind, message_id)
    sender = documents.text(documents.part(told.get("FromFull")).get("Email")) or documents.text(told.get("From"))
    envelope = raw_request.envelope(None, documents.text(told.get("OriginalRecipient")) or None)
    raw = documents.text(told.get("RawEmail"))
    if raw:
        return mail_key(raw.encode("utf-8", "replace"), envelope)
    if not message_id or not told.keys() & {"From", "FromFull", "Headers", "TextBody", "HtmlBody"}:
        return documents.unreadable(body, "the document is neither a mail nor an event of Postmark")
    return EventKey(documents.key_of("postmark", message_id), documents.from_order(sender), envelope)


def _event_key(told: Document, kind: str, message_id: str) -> EventKey:
    named = documents.text(told.get("ID")) or message_id
    when = next((documents.text(told[name]) for name in _INSTANTS if name in told), "")
    recipient = documents.text(told.get("Recipient") or told.get("Email"))
    key = documents.message_key("postmark-event", named, kind, when, recipient)
    return EventKey(key, documents.about_order(message_id))


_INSTANTS = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
