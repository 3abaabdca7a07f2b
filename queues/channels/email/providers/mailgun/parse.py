"""Parse Mailgun's requests: a raw mail, a mail as fields, a receipt."""

from __future__ import annotations

import json
from collections.abc import Sequence

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, ReceiptKind, Receipts
from queues.channels.email.providers import compose, documents, forms
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.forms import Form
from queues.channels.email.providers.port import Mail
from queues.channels.email.providers.receipts import receipt

_KINDS: dict[str, ReceiptKind] = {
    "delivered": "delivered",
    "complained": "complained",
    "opened": "opened",
    "unsubscribed": "unsubscribed",
}


def parse(raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Mail | Receipts | Ignored:
    """Raises Unparseable."""
    if raw.lstrip()[:1] == b"{":
        return _event(documents.part(documents.load_object(raw).get("event-data")))
    form = forms.read(raw)
    if "body-mime" in form:
        return Mail(form["body-mime"].content())
    return Mail(_mail(form))


def _mail(form: Form) -> bytes:
    """The mail of a route whose address does not end in `mime`."""
    told = [
        ("From", "from"),
        ("To", "To"),
        ("Subject", "subject"),
        ("Date", "Date"),
        ("Message-ID", "Message-Id"),
    ]
    headers = compose.completed(
        _headers(forms.text_of(form, "message-headers")),
        [(header, forms.text_of(form, name)) for header, name in told],
    )
    return compose.mail(
        headers,
        text=forms.text_of(form, "body-plain"),
        html=forms.text_of(form, "body-html"),
        files=_files(form),
    )


def _headers(told: str) -> list[tuple[str, str]]:
    """`message-headers`: a JSON list of pairs, in their order."""
    try:
        pairs = json.loads(told) if told.strip() else []
    except (ValueError, RecursionError):
        return []  # the fields beside it say the same of what matters
    found = pairs if isinstance(pairs, list) else []
    return [
        (pair[0], pair[1])
        for pair in found
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)
    ]


def _files(form: Form) -> Sequence[compose.File]:
    """`attachment-1`, `attachment-2` ...; `content-id-map` says which of them the HTML shows."""
    cids = {
        field: cid.strip().strip("<>")
        for cid, field in documents.part(_json(forms.text_of(form, "content-id-map"))).items()
        if isinstance(field, str)
    }
    return [
        compose.File(
            field.filename or "",
            field.content_type.partition(";")[0].strip(),
            field.content(),
            content_id=cids.get(name, ""),
            inline=name in cids,
        )
        for name, field in form.items()
        if name.startswith("attachment-") and field.filename is not None
    ]


def _json(told: str) -> object:
    try:
        return json.loads(told) if told.strip() else {}
    except (ValueError, RecursionError):
        return {}  # the files are still there, as attachments


def _event(event: Document) -> Receipts | Ignored:
    word = documents.text(event.get("event"))
    kind = _failed(event) if word == "failed" else _KINDS.get(word)
    if kind is None:
        return Ignored(f"an event of Mailgun that needs nothing: {word or 'without a name'}")
    headers = documents.part(documents.part(event.get("message")).get("headers"))
    reference = documents.bracketed(documents.text(headers.get("message-id")))
    if not reference:
        return Ignored(f"Mailgun's event {word} names no message")
    status = documents.part(event.get("delivery-status"))
    said = documents.detail(
        event.get("reason") if kind in ("bounced", "deferred", "failed") else "",
        status.get("code"),
        status.get("message") or status.get("description"),
    )
    enhanced = documents.text(status.get("enhanced-code"))
    found = receipt(
        reference,
        kind,
        recipient=event.get("recipient"),
        detail=said,
        status=enhanced,
        permanent=kind == "bounced",
    )
    return Receipts((found,))


def _failed(event: Document) -> ReceiptKind:
    """Map `temporary` to deferred and `permanent` to bounced, unless Mailgun gave up (`old`, the sender's own rule)."""
    if documents.text(event.get("severity")) == "temporary":
        return "deferred"
    return "bounced" if documents.text(event.get("reason")) in ("bounce", "suppress-bounce", "generic") else "failed"
