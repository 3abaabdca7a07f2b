"""Parse an SNS message of SES: a raw mail, or receipts for each recipient of a mail that the desk sent."""

from __future__ import annotations

import base64
import binascii

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, ReceiptKind, Receipts, Unparseable
from queues.channels.email.providers import documents, limits
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt

# event -> (what it is, where its details are, where its recipients are)
_EVENTS: dict[str, tuple[ReceiptKind, str, str]] = {
    "Bounce": ("bounced", "bounce", "bouncedRecipients"),
    "Complaint": ("complained", "complaint", "complainedRecipients"),
    "Delivery": ("delivered", "delivery", "recipients"),
    "DeliveryDelay": ("deferred", "deliveryDelay", "delayedRecipients"),
    "Reject": ("failed", "reject", ""),
    "Rendering Failure": ("failed", "failure", ""),
    "Open": ("opened", "open", ""),
    "Subscription": ("unsubscribed", "subscription", ""),
}


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """`raw` is SNS's message, verified, or the mail that `fetch` got for it. Raises Unparseable."""
    if raw.lstrip()[:1] != b"{":
        return Mail(raw)
    try:
        told = documents.load_object(
            documents.text(documents.load_object(raw).get("Message")).encode("utf-8", "replace")
        )
    except Unreadable:
        return Ignored("a message of SNS that is none of SES's events")
    word = documents.text(told.get("notificationType")) or documents.text(told.get("eventType"))
    if word == "Received":
        return Mail(_content(told))
    return _event(word, told)


def _content(told: Document) -> bytes:
    content = documents.text(told.get("content"))
    if not content:
        raise Unparseable("the notification does not hold the mail: let the rule's SNS or S3 action bring it")
    action = documents.part(documents.part(told.get("receipt")).get("action"))
    if documents.text(action.get("encoding")).upper() != "BASE64":
        return content.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(content)
    except (binascii.Error, ValueError) as error:
        raise Unparseable("the mail in the notification is not base64, as it claims") from error


def _event(word: str, told: Document) -> Receipts | Ignored:
    if word not in _EVENTS:
        return Ignored(f"an event of SES that needs nothing: {word or 'without a name'}")
    kind, part, recipients = _EVENTS[word]
    mail, event = documents.part(told.get("mail")), documents.part(told.get(part))
    if event.get("complaintFeedbackType") == "not-spam":
        return Ignored("a reader says that the mail is no spam")
    reference = _reference(mail)
    if not reference:
        return Ignored(f"SES's event {word} names no message")
    items = _recipients(event.get(recipients) if recipients else []) or _recipients(mail.get("destination")) or [{}]
    return Receipts(
        tuple(
            receipt(
                reference,
                kind,
                recipient=one.get("emailAddress"),
                detail=documents.detail(
                    one.get("diagnosticCode"),
                    event.get("reason") or event.get("errorMessage") or event.get("complaintFeedbackType"),
                ),
                status=one.get("status"),
                permanent=word == "Bounce" and event.get("bounceType") == "Permanent",
            )
            for one in items[: limits.receipts_max]
        )
    )


def _recipients(value: object) -> list[Document]:
    """Return recipients with their details: SES sends objects for bounces, and addresses for deliveries."""
    return documents.objects(value) or [{"emailAddress": address} for address in documents.texts(value)]


def _reference(mail: Document) -> str:
    """Return our Message-ID if the topic includes headers, or else SES's id, under which SES sent the mail."""
    for header in documents.objects(mail.get("headers")):
        if documents.text(header.get("name")).lower() == "message-id":
            return documents.bracketed(documents.text(header.get("value")))
    return documents.text(mail.get("messageId"))
