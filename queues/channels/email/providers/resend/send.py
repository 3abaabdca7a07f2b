"""Send mail through Resend as fields. The delivery id is the idempotency key: a repeat gets the first mail's id."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, account_trouble, permanent, transient, unknown
from queues.channels.email.providers import documents, http, outgoing
from queues.channels.email.providers.http import Answer

HOST = "https://api.resend.com"
_QUOTAS = {"daily_quota_exceeded": 3600.0, "monthly_quota_exceeded": 3600.0}
_OF_THE_ACCOUNT = ("domain is not verified", "testing emails", "API key")
# Resend's names of errors about our sender address or our rights; they come with 422.
_NAMES_OF_THE_ACCOUNT = frozenset({"invalid_from_address", "invalid_access"})


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """POST /emails, with an API key."""

    def request(raw: bytes) -> Answer:
        return http.call(
            "POST",
            f"{outgoing.base_url(account, HOST)}/emails",
            headers={
                "Authorization": f"Bearer {outgoing.api_key(account, settings)}",
                "Content-Type": "application/json",
                "Idempotency-Key": message.delivery_id,
            },
            body=_document(raw),
        )

    def accepted(answer: Answer) -> SendOutcome:
        told = documents.text(answer.document().get("id"))
        return SendOutcome("accepted", external_id=message.external_id, provider_id=told or None)

    return outgoing.hand_over(message, account, request=request, accepted=accepted, refused=_refused)


def _document(raw: bytes) -> bytes:
    """Return the same bytes for each attempt, without Date: Resend refuses a key with another content."""
    parts = outgoing.parts_of(raw)
    told: JsonObject = {
        "from": outgoing.shown(parts.sender),
        "to": [address for _, address in parts.to],
        "cc": [address for _, address in parts.cc],
        "reply_to": [address for _, address in parts.reply_to],
        "subject": parts.subject or "(no subject)",
        "text": parts.text,
        "html": parts.html,
        "headers": dict(parts.headers),
        "attachments": [
            {
                "filename": file.filename or "file",
                "content": file.content,
                "content_type": file.content_type,
                **({"content_id": file.content_id} if file.content_id else {}),
            }
            for file in parts.files
        ],
    }
    return json.dumps({name: value for name, value in told.items() if value}).encode()


def _refused(answer: Answer) -> SendOutcome | None:
    """Judge a refusal by Resend's own names of errors."""
    name, text = documents.text(answer.document().get("name")), http.error_text(answer, "message")
    if name in _QUOTAS:
        return SendOutcome(
            "throttled",
            text,
            retry_after_s=answer.retry_after_s or _QUOTAS[name],
            pause_account=True,
            account_error=text,
        )
    if name == "concurrent_idempotent_requests":
        return transient(text, retry_after_s=answer.retry_after_s or 2.0)
    if name == "invalid_idempotent_request":
        return unknown(f"an earlier attempt was taken with another content: {text}")
    if name in _NAMES_OF_THE_ACCOUNT or any(words in text for words in _OF_THE_ACCOUNT):
        return account_trouble(text)
    if name in ("validation_error", "invalid_parameter") and "`to`" in text:
        return permanent(text, suppress="Resend says that it is no address")
    return None
