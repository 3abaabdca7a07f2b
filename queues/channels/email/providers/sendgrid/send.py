"""Send mail through SendGrid as fields. Our Message-ID is a header, and an argument that events repeat."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent
from queues.channels.email.providers import documents, http, outgoing
from queues.channels.email.providers.http import Answer

_HOST = "https://api.sendgrid.com"
_EU_HOST = "https://api.eu.sendgrid.com"


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """POST /v3/mail/send, with an API key."""

    def request(raw: bytes) -> Answer:
        return http.call(
            "POST",
            f"{host_of(account)}/v3/mail/send",
            headers={
                "Authorization": f"Bearer {outgoing.api_key(account, settings)}",
                "Content-Type": "application/json",
            },
            body=_document(raw, message.external_id or ""),
        )

    def accepted(answer: Answer) -> SendOutcome:
        told = answer.headers.get("x-message-id", "").strip()
        return SendOutcome("accepted", external_id=message.external_id, provider_id=told or None)

    return outgoing.hand_over(
        message, account, request=request, accepted=accepted, refused=_refused, error_text=_rejection
    )


def host_of(account: ChannelAccount) -> str:
    """Return the address of SendGrid's API in the account's region."""
    return outgoing.base_url(account, _EU_HOST if account.config.get("region") == "eu" else _HOST)


def _document(raw: bytes, message_id: str) -> bytes:
    parts = outgoing.parts_of(raw)
    contents = [("text/plain", parts.text), ("text/html", parts.html)]
    told: JsonObject = {
        "personalizations": [{"custom_args": {"nestor_id": message_id}, **_recipients(parts)}],
        "from": _mailbox(parts.sender),
        "subject": parts.subject or "(no subject)",
        "content": [{"type": kind, "value": content} for kind, content in contents if content],
        "headers": dict(parts.headers),
    }
    if parts.reply_to:
        told["reply_to"] = _mailbox(parts.reply_to[0])
    if parts.files:
        told["attachments"] = [_attachment(file) for file in parts.files]
    return json.dumps(told).encode()


def _recipients(parts: outgoing.Parts) -> dict[str, list[dict[str, str]]]:
    """Return each recipient once, because SendGrid refuses a mail that names an address twice."""
    taken: set[str] = set()
    found: dict[str, list[dict[str, str]]] = {}
    for name, mailboxes in (("to", parts.to), ("cc", parts.cc)):
        new = [one for one in mailboxes if one[1].lower() not in taken]
        taken |= {address.lower() for _, address in new}
        if new:
            found[name] = [_mailbox(one) for one in new]
    return found


def _attachment(file: outgoing.Attached) -> dict[str, str]:
    return {
        "content": file.content,
        "type": file.content_type,
        "filename": file.filename or "file",
        "disposition": "inline" if file.inline else "attachment",
        **({"content_id": file.content_id} if file.content_id else {}),
    }


def _mailbox(mailbox: tuple[str, str]) -> dict[str, str]:
    name, address = mailbox
    return {"email": address, "name": name} if name else {"email": address}


def _rejection(answer: Answer) -> str:
    errors = documents.objects(answer.document().get("errors"))
    return http.worded(answer.status, "; ".join(documents.text(one.get("message")) for one in errors))


def _refused(answer: Answer) -> SendOutcome | None:
    """Suppress the address after a 400 about the `to` field: SendGrid finds it malformed.

    A 400 about the fields of our own addresses concerns the account.
    """
    fields = [documents.text(one.get("field")) for one in documents.objects(answer.document().get("errors"))]
    if answer.status == 400 and any(".to." in f"{field}." for field in fields):
        return permanent(_rejection(answer), suppress="SendGrid says that it is no address")
    if answer.status == 400 and any(field.split(".")[0] in ("from", "reply_to") for field in fields):
        return account_trouble(_rejection(answer))
    return None
