"""Brevo's requests: a header or a secret path authenticates them. Each mail of a request is its own event."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.email.providers import documents
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.header_alone import authenticate, verify

__all__ = ["authenticate", "receive", "verify"]


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive the mails of the request."""
    try:
        told = documents.load_object(request.body)
        if "items" not in told and "event" in told:  # a webhook for sent mail, if somebody gave it this address
            return Received((ReceivedEvent(EventKey(documents.message_key("brevo-event", "", request.body), None)),))
        items = documents.objects(told.get("items"))
        if not items:
            raise Unreadable("the document holds no mails: it has no items")
    except Unreadable as error:
        return Received((ReceivedEvent(documents.unreadable(request.body, error.message)),))
    return Received(documents.several(items, _event))


def _event(item: Document) -> ReceivedEvent:
    raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "replace")
    if not item.keys() & {"From", "MessageId", "RawTextBody", "RawHtmlBody", "Headers"}:
        key = documents.unreadable(raw, "the item is no mail: it has none of Brevo's fields")
        return ReceivedEvent(key, raw=raw, content_type="application/json")
    uuid = next(iter(documents.texts(item.get("Uuid"))), "")
    digested = [documents.text(item.get(name)) for name in ("SentAtDate", "Subject", "RawTextBody", "RawHtmlBody")]
    named = (
        documents.key_of("brevo", uuid)
        if uuid
        else documents.message_key("brevo", documents.text(item.get("MessageId")), *digested)
    )
    sender = documents.text(documents.part(item.get("From")).get("Address"))
    score = documents.text(item.get("SpamScore"))
    envelope = {"spam_score": score} if score else {}
    return ReceivedEvent(
        EventKey(named, documents.from_order(sender), envelope), raw=raw, content_type="application/json"
    )
