"""Posts an answer to the service."""

from __future__ import annotations

import json

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from models.ports.outbound import (
    OutgoingMessage,
    SendOutcome,
    accepted,
    misconfigured,
    permanent,
    transient,
    unknown,
)
from models.tasks.rates import Bucket
from queues.outside import safe_http

_answer_s_max = 2.0
_answer_bytes_max = 64 * 1024


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Post the answer under its delivery's id."""
    try:
        url = account.credential("reply_url", settings)
    except ConfigurationError as error:
        return misconfigured(error)
    try:
        answer = safe_http.call(
            "POST",
            url,
            headers={"content-type": "application/json", "idempotency-key": message.delivery_id},
            body=json.dumps({"to": message.address, "text": message.body}).encode(),
            private=settings.webhooks_private,
            total_s=_answer_s_max,
            body_bytes_max=_answer_bytes_max,
        )
    except safe_http.NoAnswer as error:
        return unknown(error.message)
    except (safe_http.NotReached, safe_http.AddressRefused) as error:
        return transient(error.message)
    if answer.status == 429:
        return SendOutcome("throttled", "the service asks us to wait", retry_after_s=answer.retry_after_s() or 5.0)
    if answer.status != 200:
        return permanent(f"the service answered {answer.status}")
    return accepted(str(json.loads(answer.body)["id"]))


def buckets(account: ChannelAccount, address: str) -> list[Bucket]:
    """No limit is known."""
    return []
