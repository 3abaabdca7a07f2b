"""The one signer of outgoing calls: subscriptions and life-cycle calls.

The signature follows Standard Webhooks (https://www.standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over id,
timestamp and body. The two kinds of call differ only in how their secret becomes keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

_KEY_BYTES_MIN = 24  # Standard Webhooks, "Signature scheme": a secret has 24 to 64 bytes


def subscription_key(secret: str) -> bytes:
    """The key of a secret that we generated: `whsec_` and base64."""
    return base64.b64decode(secret.removeprefix("whsec_"))


def operator_keys(secret: str) -> list[bytes]:
    """The keys of a secret that an operator set for a life-cycle call; a receiver verifies with one of them.

    Receivers that were written by hand use its text. The libraries of Standard Webhooks decode it as base64, with or
    without `whsec_` before it; a text that is no such secret has one key, and its calls have one signature.
    """
    keys, marked = [secret.encode()], secret.startswith("whsec_")
    try:
        decoded = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return keys
    return [*keys, decoded] if marked or len(decoded) >= _KEY_BYTES_MIN else keys


def headers(message_id: str, sent_at: datetime, content: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the headers by which the receiver authenticates the call and recognises a repeat; one signature for each
    key.

    `message_id` is the same for all attempts.
    """
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + content
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
        "content-type": "application/json",
        "user-agent": "Nestor",
    }


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
