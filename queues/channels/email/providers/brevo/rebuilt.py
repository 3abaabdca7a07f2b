"""Rebuild a mail from Brevo's fields, with its files if they have been fetched."""

from __future__ import annotations

from collections.abc import Sequence

from queues.channels.email.providers import compose, documents, header_objects
from queues.channels.email.providers.documents import Document


def mail(item: Document, files: Sequence[compose.File] = ()) -> bytes:
    """Return the mail (RFC 5322)."""
    reply_to = [documents.part(item["ReplyTo"])] if item.get("ReplyTo") else []
    beside = [
        ("From", _mailboxes([documents.part(item.get("From"))])),
        ("To", _mailboxes(documents.objects(item.get("To")))),
        ("Cc", _mailboxes(documents.objects(item.get("Cc")))),
        ("Reply-To", _mailboxes(reply_to)),
        ("Subject", documents.text(item.get("Subject"))),
        ("Date", documents.text(item.get("SentAtDate"))),
        ("Message-ID", documents.bracketed(documents.text(item.get("MessageId")))),
        ("In-Reply-To", documents.bracketed(documents.text(item.get("InReplyTo")))),
    ]
    return compose.mail(
        compose.completed(header_objects.pairs(item.get("Headers")), beside),
        text=documents.text(item.get("RawTextBody")),
        html=documents.text(item.get("RawHtmlBody")),
        files=files,
    )


def _mailboxes(told: Sequence[Document]) -> str:
    return ", ".join(
        compose.named(documents.text(one.get("Name")), documents.text(one.get("Address")))
        for one in told
        if documents.text(one.get("Address"))
    )
