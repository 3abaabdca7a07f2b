"""Decisions about subscriptions: valid subscriptions, secrets in force, when a receiver rests or is
switched off. Pure.
"""

from __future__ import annotations

import base64
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
    """Return every problem of a subscription."""
    found = []
    if (wrong := addresses.url_problem(url, private=private, secure=True)) is not None:
        found.append(FieldProblem("url", wrong))
    if (wrong := _list_problem(event_types)) is not None:
        found.append(FieldProblem("event_types", wrong))
    for index, name in enumerate(event_types[: subscription_limits.event_types_max]):
        if name != "*" and name not in EVENT_TYPES:
            message = f"there is no event type {name[:60]!r}; GET /v1/webhooks/schemas lists them"
            found.append(FieldProblem(f"event_types/{index}", message))
    if len(description) > subscription_limits.description_chars_max or not description.isprintable():
        message = f"expected one line of at most {subscription_limits.description_chars_max} characters"
        found.append(FieldProblem("description", message))
    return found


def _list_problem(event_types: Sequence[str]) -> str | None:
    """Return the problem of the list as a whole, or None."""
    if not event_types:
        return 'expected names of event types, or ["*"] for all'
    if len(event_types) > subscription_limits.event_types_max:
        return f"expected at most {subscription_limits.event_types_max}"
    if "*" in event_types and len(event_types) > 1:
        return 'expected ["*"] alone, or names'
    if len(set(event_types)) < len(event_types):
        return "expected each type once"
    return None


def new_secret() -> str:
    """Generate a signing secret in the format of Standard Webhooks: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def secrets_in_force(secret: str, previous: str | None, previous_until: datetime | None, *, now: datetime) -> list[str]:
    """Return the secrets that sign now: the newest, and for a day the one before it."""
    if previous is None or previous_until is None or previous_until <= now:
        return [secret]
    return [secret, previous]


def rest_s(failures: int) -> float:
    """Return the seconds for which a receiver rests after this number of failures in a row; 0 for
    the first failures.
    """
    beyond = failures - subscription_limits.failures_before_rest
    return (
        0.0
        if beyond < 0
        else min(subscription_limits.rest_s_min * 2.0 ** min(beyond, 20), subscription_limits.rest_s_max)
    )


def switch_off_reason(status: int | None, failing_since: datetime, *, now: datetime) -> str | None:
    """Return why this failure switches the subscription off, or None."""
    if status == 410:
        return "the receiver answered 410 Gone"
    if now - failing_since >= timedelta(seconds=subscription_limits.failing_s_max):
        return f"nothing was delivered for {subscription_limits.failing_s_max / 86_400:.0f} days"
    return None
