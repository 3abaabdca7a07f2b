"""Parse Resend's events: a mail (already fetched), or a receipt."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, Receipt, ReceiptKind, Receipts, Unparseable
from queues.channels.email.providers import documents, limits
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt

_KINDS: dict[str, ReceiptKind] = {
    "email.delivered": "delivered",
    "email.delivery_delayed": "deferred",
    "email.bounced": "bounced",
    "email.suppressed": "bounced",
    "email.complained": "complained",
    "email.failed": "failed",
    "email.opened": "opened",
}


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Raises Unparseable."""
    if raw.lstrip()[:1] != b"{":
        return Mail(raw)
    told = documents.load_object(raw)
    word, data = documents.text(told.get("type")), documents.part(told.get("data"))
    if word == "email.received":
        raise Unparseable("the event only tells of a mail, which has not been fetched")
    kind, reference = _KINDS.get(word), documents.text(data.get("email_id"))
    if kind is None or not reference:
        return Ignored(f"an event of Resend that needs nothing: {word}")
    return Receipts(tuple(_receipts(word, kind, reference, data)))


def _receipts(word: str, kind: ReceiptKind, reference: str, data: Document) -> list[Receipt]:
    why = (
        documents.part(data.get("bounce"))
        or documents.part(data.get("failed"))
        or documents.part(data.get("suppressed"))
    )
    permanent = kind == "bounced" and (word == "email.suppressed" or why.get("type") == "Permanent")
    said = documents.detail(why.get("message") or why.get("reason"))
    recipients = documents.texts(data.get("to"))[: limits.receipts_max] or [""]
    return [receipt(reference, kind, recipient=one, detail=said, permanent=permanent) for one in recipients]
