"""Decisions about subscriptions: what may be subscribed, how a call is signed, when a receiver rests or is switched off; pure.

Signed as Standard Webhooks says (https://www.standardwebhooks.com, "Signature scheme").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from models.events import subscription_limits
from models.events.catalogue import EVENT_TYPES
from models.kernel import addresses
from models.kernel.errors import FieldProblem

State = Literal["active", "paused", "switched_off", "deleted"]
DeliveryState = Literal["pending", "delivered", "failed", "missed", "discarded"]
_SECRET_BYTES = 32  # of 24 to 64 that Standard Webhooks allows


def problems(*, url: str, event_types: Sequence[str], description: str, private: bool) -> list[FieldProblem]:
    """Everything that is wrong with a subscription."""
    found = []
    if (wrong := addresses.url_problem(url, private=private, secure=True)) is not None:
        found.append(FieldProblem("url", wrong))
    if not event_types:
        found.append(FieldProblem("event_types", 'expected names of event types, or ["*"] for all'))
    if len(event_types) > subscription_limits.event_types_max:
        found.append(FieldProblem("event_types", f"expected at most {subscription_limits.event_types_max}"))
    elif "*" in event_types and len(event_types) > 1:
        found.append(FieldProblem("event_types", 'expected ["*"] alone, or names'))
    elif len(set(event_types)) < len(event_types):
        found.append(FieldProblem("event_types", "expected each type once"))
    for index, name in enumerate(event_types[: subscription_limits.event_types_max]):
        if name != "*" and name not in EVENT_TYPES:
            message = f"there is no event type {name[:60]!r}; GET /v1/webhooks/schemas lists them"
            found.append(FieldProblem(f"event_types/{index}", message))
    if len(description) > subscription_limits.description_chars_max or not description.isprintable():
        message = f"expected one line of at most {subscription_limits.description_chars_max} characters"
        found.append(FieldProblem("description", message))
    return found


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes them: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def secrets_in_force(secret: str, previous: str | None, previous_until: datetime | None, *, now: datetime) -> list[str]:
    """The secrets that sign now: the newest, and for a day the one before."""
    if previous is None or previous_until is None or previous_until <= now:
        return [secret]
    return [secret, previous]


def headers(message_id: str, sent_at: datetime, content: bytes, signers: Sequence[str]) -> dict[str, str]:
    """The headers by which the receiver knows us and a repeat; one signature for each secret."""
    timestamp = str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + content
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in signers),
        "content-type": "application/json",
        "user-agent": "Nestor",
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def rest_s(failures: int) -> float:
    """How long a receiver is left alone after so many failures in a row; 0 for the first ones."""
    beyond = failures - subscription_limits.failures_before_rest
    return (
        0.0
        if beyond < 0
        else min(subscription_limits.rest_s_min * 2.0 ** min(beyond, 20), subscription_limits.rest_s_max)
    )


def switch_off_reason(status: int | None, failing_since: datetime, *, now: datetime) -> str | None:
    """Why the subscription must be switched off after this failure, or None."""
    if status == 410:
        return "the receiver answered 410 Gone"
    if now - failing_since >= timedelta(seconds=subscription_limits.failing_s_max):
        return f"nothing was delivered for {subscription_limits.failing_s_max / 86_400:.0f} days"
    return None
