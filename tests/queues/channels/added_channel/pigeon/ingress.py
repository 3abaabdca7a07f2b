"""Authenticates a request and names its event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.errors import Unauthenticated
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.secrets import check_secret, short_hash

body_bytes_max = 64 * 1024


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Compare the bearer token with the account's. Raises Unauthenticated."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    check_secret(token if scheme == "Bearer" and token else None, account.credential("bearer", settings))
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Never called: the token proves the caller."""
    raise Unauthenticated("this webhook needs the channel account's secret")


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Name the event by its id, and order events by their author."""
    digest = hashlib.sha256(request.body).hexdigest()
    try:
        event = json.loads(request.body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        return Received((ReceivedEvent(EventKey(digest, None, unreadable="the body is not a JSON object")),))
    author = short_hash(str(event.get("from")).encode("utf-8", "replace"))
    event_id = event.get("id")
    key = f"id:{event_id}" if isinstance(event_id, str) and event_id.isdecimal() and len(event_id) < 50 else digest
    return Received((ReceivedEvent(EventKey(key, author)),))
