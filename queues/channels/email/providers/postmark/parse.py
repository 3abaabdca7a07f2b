"""Parse Postmark's documents: a mail (raw if present, or from its fields), or a receipt."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, ReceiptKind, Receipts
from queues.channels.email.providers import compose, documents
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt

_KINDS: dict[str, ReceiptKind] = {
    "Delivery": "delivered",
    "SpamComplaint": "complained",
    "Open": "opened",
}
# Postmark's bounce types. Not named: bounced, but the address may be written to again.
_BOUNCES: dict[str, tuple[ReceiptKind, bool]] = {
    "HardBounce": ("bounced", True),
    "BadEmailAddress": ("bounced", True),
    "ManuallyDeactivated": ("bounced", True),
    "Transient": ("deferred", False),
    "DnsError": ("bounced", False),
    "SoftBounce": ("bounced", False),
    "Blocked": ("bounced", False),
    "SpamNotification": ("bounced", False),
    "SpamComplaint": ("complained", False),
    "Unsubscribe": ("unsubscribed", False),
    "SMTPApiError": ("failed", False),
    "InboundError": ("failed", False),
}
_NO_BOUNCES = frozenset({"AutoResponder", "Subscribe", "ChallengeVerification", "AddressChange", "OpenRelayTest"})


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Raises Unparseable."""
    told = documents.load_object(raw)
    kind = documents.text(told.get("RecordType"))
    if kind and kind != "Inbound":
        return _event(kind, told)
    whole = documents.text(told.get("RawEmail"))
    return Mail(whole.encode("utf-8", "replace") if whole else _mail(told))


def _mail(told: Document) -> bytes:
    headers = [
        (documents.text(one.get("Name")), documents.text(one.get("Value")))
        for one in documents.objects(told.get("Headers"))
    ]
    beside = [
        ("From", _mailboxes(told, "From", [documents.part(told.get("FromFull"))])),
        ("To", _mailboxes(told, "To", documents.objects(told.get("ToFull")))),
        ("Cc", _mailboxes(told, "Cc", documents.objects(told.get("CcFull")))),
        ("Reply-To", documents.text(told.get("ReplyTo"))),
        ("Subject", documents.text(told.get("Subject"))),
        ("Date", documents.text(told.get("Date"))),
    ]
    files = [
        compose.File(
            documents.text(one.get("Name")),
            documents.text(one.get("ContentType")).partition(";")[0].strip(),
            documents.text(one.get("Content")).encode("ascii", "replace"),
            encoded=True,
            content_id=documents.text(one.get("ContentID")),
            inline=bool(documents.text(one.get("ContentID"))),
        )
        for one in documents.objects(told.get("Attachments"))
    ]
    return compose.mail(
        compose.completed(headers, beside),
        text=documents.text(told.get("TextBody")),
        html=documents.text(told.get("HtmlBody")),
        files=files,
    )


def _mailboxes(told: Document, name: str, full: list[Document]) -> str:
    found = [
        compose.named(documents.text(one.get("Name")), documents.text(one.get("Email")))
        for one in full
        if documents.text(one.get("Email"))
    ]
    return ", ".join(found) or documents.text(told.get(name))


def _event(word: str, told: Document) -> Receipts | Ignored:
    permanent = False
    if word == "Bounce":
        bounce = documents.text(told.get("Type"))
        if bounce in _NO_BOUNCES:
            return Ignored(f"a notice of Postmark that is no bounce: {bounce}")
        kind, permanent = _BOUNCES.get(bounce, ("bounced", False))
    elif word == "SubscriptionChange" and told.get("SuppressSending") is True:
        kind = "unsubscribed"
    elif word in _KINDS:
        kind = _KINDS[word]
    else:
        return Ignored(f"an event of Postmark that needs nothing: {word}")
    # `nestor_id` is what our own send told it: the Message-ID.
    ours = documents.text(documents.part(told.get("Metadata")).get("nestor_id"))
    reference = ours or documents.text(told.get("MessageID"))
    if not reference:
        return Ignored(f"Postmark's event {word} names no message")
    detail = documents.detail(told.get("Description"), told.get("Details"))
    found = receipt(
        reference,
        kind,
        recipient=told.get("Recipient") or told.get("Email"),
        detail=detail,
        permanent=permanent,
    )
    return Receipts((found,))
