"""Parse SendGrid's requests: a raw mail, a mail as fields (each in its own charset), a receipt."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, ReceiptKind, Receipts
from queues.channels.email.providers import compose, documents, forms
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.forms import Form
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.header_block import split_headers

_KINDS: dict[str, ReceiptKind] = {
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounced",
    "dropped": "failed",
    "spamreport": "complained",
    "open": "opened",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
# Why SendGrid did not even try: the address has bounced before, or is none.
_DEAD = ("bounced address", "invalid")


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Raises Unparseable."""
    if raw.lstrip()[:1] == b"{":
        return _event(documents.load_object(raw))
    form = forms.read(raw)
    if "email" in form:
        return Mail(form["email"].content())
    return Mail(_mail(form))


def _mail(form: Form) -> bytes:
    charsets = documents.part(_json(form, "charsets"))

    def field(name: str) -> str:
        # The bytes of a field really are in the charset that `charsets` names for it.
        return forms.text_of(form, name, documents.text(charsets.get(name)) or None)

    block = form["headers"].content() if "headers" in form else b""
    headers = [(name.decode("ascii"), decode(value)) for name, value in split_headers(block)[0]]
    beside = [("From", "from"), ("To", "to"), ("Cc", "cc"), ("Subject", "subject")]
    return compose.mail(
        compose.completed(headers, [(header, field(name)) for header, name in beside]),
        text=field("text"),
        html=field("html"),
        files=_files(form),
    )


def _files(form: Form) -> list[compose.File]:
    """`attachment1` ...; `attachment-info` says what they are called, `content-ids` which of them the HTML shows."""
    described = documents.part(_json(form, "attachment-info"))
    cids = {field: cid for cid, field in documents.part(_json(form, "content-ids")).items() if isinstance(field, str)}
    found = []
    for name, field in form.items():
        if field.filename is None or not name.startswith("attachment"):
            continue
        info = documents.part(described.get(name))
        cid = documents.text(info.get("content-id")) or cids.get(name, "")
        found.append(
            compose.File(
                documents.text(info.get("filename")) or documents.text(info.get("name")) or field.filename,
                documents.text(info.get("type")) or field.content_type.partition(";")[0].strip(),
                field.content(),
                content_id=cid,
                inline=bool(cid),
            )
        )
    return found


def _json(form: Form, name: str) -> object:
    try:
        return json.loads(forms.text_of(form, name) or "{}")
    except (ValueError, RecursionError):
        return {}  # what it describes is still there


def _event(event: Document) -> Receipts | Ignored:
    word = documents.text(event.get("event"))
    kind = _KINDS.get(word)
    if kind is None:
        return Ignored(f"an event of SendGrid that needs nothing: {word or 'without a name'}")
    # `nestor_id` is what our own send told it; without it (a mail of somebody else's), the id that SendGrid answered.
    reference = documents.text(event.get("nestor_id")) or documents.text(event.get("sg_message_id")).partition(".")[0]
    if not reference:
        return Ignored(f"SendGrid's event {word} names no message")
    reason = documents.text(event.get("reason"))
    permanent = word == "bounce" and documents.text(event.get("type")) != "blocked"
    if word == "dropped" and reason.lower().startswith(_DEAD):
        kind, permanent = "bounced", True
    found = receipt(
        reference,
        kind,
        recipient=event.get("email"),
        detail=documents.detail(reason or event.get("response")),
        status=event.get("status"),
        permanent=permanent,
    )
    return Receipts((found,))
