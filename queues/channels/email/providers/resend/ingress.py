"""Resend's requests, signed by Svix's scheme: base64 of HMAC-SHA256 over `id.timestamp.body`, at most five minutes old.

A request has several signatures during a change of keys, and `signing_key` may hold several keys (`whsec_...`,
separated by blanks).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, Unauthenticated
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.email.providers import auth, documents, limits, raw_request
from queues.channels.email.providers.documents import Unreadable


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Return False: `verify` checks the signature over the body."""
    return False


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Check the signature. Raises Unauthenticated; ConfigurationError for a malformed key."""
    named, timestamp = (request.headers.get(f"svix-{part}", "") for part in ("id", "timestamp"))
    told = request.headers.get("svix-signature", "")[:4_000].split()
    given = [value for version, _, value in (one.partition(",") for one in told) if version == "v1"]
    keys = account.credential("signing_key", settings).split()[: limits.signatures_max]
    if not keys:
        raise ConfigurationError("signing_key: expected whsec_<base64>")
    fits = [_fits(given, key, f"{named}.{timestamp}.", request.body) for key in keys]
    if not any(fits):
        raise auth.refused()
    auth.check_fresh(timestamp, past_s=limits.svix_s)


def _fits(given: list[str], key: str, head: str, body: bytes) -> bool:
    secret = auth.unbase64(key.removeprefix("whsec_"))
    if not secret:
        raise ConfigurationError("signing_key: expected whsec_<base64>")
    try:
        auth.check_any(given, base64.b64encode(auth.hmac_sha256(secret, head, body)).decode("ascii"))
    except Unauthenticated:
        return False
    return True


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive the event. A mail has its own id as key, so that two webhooks give one event; a receipt has Svix's id."""
    try:
        told = documents.load_object(request.body)
    except Unreadable as error:
        return Received((ReceivedEvent(documents.unreadable(request.body, error.message)),))
    data, kind = documents.part(told.get("data")), documents.text(told.get("type"))
    email_id = documents.text(data.get("email_id"))
    if not kind:
        return Received((ReceivedEvent(documents.unreadable(request.body, "the document has no type")),))
    if kind != "email.received":
        key = EventKey(documents.key_of("svix", request.headers.get("svix-id", "")), documents.about_order(email_id))
    elif not email_id:
        key = documents.unreadable(request.body, "the mail has no email_id, so it cannot be fetched")
    else:
        envelope = raw_request.envelope(None, ", ".join(documents.texts(data.get("to"))) or None)
        sender = documents.text(data.get("from"))
        key = EventKey(documents.key_of("resend", email_id), documents.from_order(sender), envelope)
    return Received((ReceivedEvent(key),))
