"""Send mail through Postmark as fields; `X-PM-KeepID` keeps our Message-ID."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent, transient
from queues.channels.email.providers import documents, http, outgoing
from queues.channels.email.providers.http import Answer

HOST = "https://api.postmarkapp.com"
# Postmark's error codes (HTTP 422) that concern our account; nothing is wrong with the mail.
_OF_THE_ACCOUNT = frozenset({10, 400, 401, 402, 405, 412, 413})
_MAINTENANCE = 100
# The code for any invalid field; its message names the field.
_INVALID_REQUEST, _ABOUT_SENDER = 300, "'from' address"
_INACTIVE_RECIPIENT = 406


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """POST /email, with the server's token."""

    def request(raw: bytes) -> Answer:
        return http.call(
            "POST",
            f"{outgoing.base_url(account, HOST)}/email",
            headers={
                "X-Postmark-Server-Token": outgoing.api_key(account, settings),
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
            body=_document(raw, message.external_id or ""),
        )

    def accepted(answer: Answer) -> SendOutcome:
        told = documents.text(answer.document().get("MessageID"))
        return SendOutcome("accepted", external_id=message.external_id, provider_id=told or None)

    return outgoing.hand_over(message, account, request=request, accepted=accepted, refused=_refused)


def _document(raw: bytes, message_id: str) -> bytes:
    parts = outgoing.parts_of(raw)
    told = {
        "From": outgoing.shown(parts.sender),
        "To": ", ".join(map(outgoing.shown, parts.to)),
        "Cc": ", ".join(map(outgoing.shown, parts.cc)),
        "ReplyTo": ", ".join(map(outgoing.shown, parts.reply_to)),
        "Subject": parts.subject,
        "TextBody": parts.text,
        "HtmlBody": parts.html,
        "Metadata": {"nestor_id": message_id},  # comes back in every event, also of an attempt whose answer was lost
        "Headers": [
            *({"Name": name, "Value": value} for name, value in parts.headers),
            {"Name": "X-PM-KeepID", "Value": "true"},
        ],
        "Attachments": [
            {
                "Name": file.filename,
                "Content": file.content,
                "ContentType": file.content_type,
                **({"ContentID": f"cid:{file.content_id}"} if file.content_id else {}),
            }
            for file in parts.files
        ],
    }
    return json.dumps({name: value for name, value in told.items() if value}).encode()


def _refused(answer: Answer) -> SendOutcome | None:
    """Interpret the ErrorCode; the status is 422 for nearly all errors."""
    code = answer.document().get("ErrorCode")
    text = http.error_text(answer, "Message")
    if answer.status != 422 or not isinstance(code, int):
        return None
    if code == _INACTIVE_RECIPIENT:
        return permanent(text, suppress="Postmark has the address as inactive: it bounced or complained")
    if code in _OF_THE_ACCOUNT or (code == _INVALID_REQUEST and _ABOUT_SENDER in text.lower()):
        return account_trouble(text)
    if code == _MAINTENANCE:
        return transient(text)
    return permanent(text)
