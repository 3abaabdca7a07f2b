"""Authenticate the requests of a described provider, and name their events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, Unauthenticated, UnsupportedMediaType
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channel_port import webhook_url
from queues.channels.email.mail_key import mail_key
from queues.channels.email.providers import documents as events
from queues.channels.email.providers.described import mails, proof, reading, shipped
from queues.channels.email.providers.described.description import SECRETS, Auth, Description, Rule
from queues.channels.secrets import check_secret
from queues.described import documents, expressions, limits, signatures


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Check a token or password. Returns False when the provider signs its body. Raises Unauthenticated."""
    auth = shipped.of(account).auth
    if auth.kind in ("hmac", "rsa"):
        return False
    secret = account.credential(SECRETS[auth.kind], settings)
    if not secret:
        raise ConfigurationError(f"the channel account's {SECRETS[auth.kind]} credential is empty: give it a value")
    if auth.kind != "none_but_path":
        check_secret(signatures.credential(auth, auth.kind, headers), secret)
    # `accounts.at_path` compared a secret address in constant time.
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Check the signature over the exact bytes, and its age if it has a timestamp. Raises Unauthenticated."""
    auth = shipped.of(account).auth
    if auth.kind not in ("hmac", "rsa"):
        raise Unauthenticated(signatures.REFUSED)
    secret = account.credential("signing_key", settings)
    if not secret:
        raise ConfigurationError("the channel account's signing_key credential is empty: give it a value")
    parts = _parts(auth, request, account, settings)
    if auth.kind == "rsa":
        proof.check_rsa(auth, secret, request.headers, parts)
    else:
        signatures.check(auth, secret, request.headers, parts)


def _parts(auth: Auth, request: IngressRequest, account: ChannelAccount, settings: Settings) -> dict[str, bytes]:
    """Return the values of the placeholders of `signed`, beside those of the headers."""
    parts = {"body": request.body}
    if "{url}" in auth.signed:
        parts["url"] = webhook_url(account, settings, settings.public_url).encode()
    if "{form}" in auth.signed:
        parts["form"] = proof.sorted_form(request.body)
    return parts


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Return the request's events. Raises UnsupportedMediaType for a wrong content type."""
    description = shipped.of(account)
    _check_content_type(description, request.content_type)
    try:
        document = reading.document(request.body, description)
    except documents.Unreadable as error:
        return Received((ReceivedEvent(events.unreadable(request.body, str(error))),))
    nonce = _nonce(description.auth, request)
    if description.items is None:
        return Received((ReceivedEvent(_key(description, document, request.body)),), nonce=nonce)
    items = expressions.each(description.items, document)
    if len(items) > limits.items_max:
        reason = f"expected at most {limits.items_max} events at {description.items}, found {len(items)}"
        return Received((ReceivedEvent(events.unreadable(request.body, reason)),), nonce=nonce)
    return Received(tuple(_event(description, item) for item in items), nonce=nonce)


def _check_content_type(description: Description, content_type: str) -> None:
    found = content_type.partition(";")[0].strip().lower()
    if description.body == "json":
        expected, right = "application/json", found == "application/json" or found.endswith("+json")
    else:
        expected = "application/x-www-form-urlencoded or multipart/form-data"
        right = found in ("application/x-www-form-urlencoded", "multipart/form-data")
    if not right:
        raise UnsupportedMediaType(f"this webhook takes {expected}")


def _event(description: Description, item: Any) -> ReceivedEvent:
    raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
    key = _key(description, item, raw)
    return ReceivedEvent(_as_item(key), raw, "application/json")


def _as_item(key: EventKey) -> EventKey:
    return EventKey(key.event_key, key.ordering_key, {**key.envelope, "form": "item"}, unreadable=key.unreadable)


def _key(description: Description, document: Any, raw: bytes) -> EventKey:
    """Return the key of an event: of the mail in it, or the described one, or the digest of its bytes."""
    rule = expressions.rule_of(description.events, document)
    if rule is None:
        return EventKey(events.message_key("described", "", raw), None)
    told = "" if rule.event_key is None else expressions.text(rule.event_key, document)
    if rule.receipt is not None or rule.ignore is not None:
        about = "" if rule.receipt is None else expressions.text(rule.receipt.reference, document)
        named = events.key_of("described-event", told) if told else events.message_key("described-event", "", raw)
        return EventKey(named, events.about_order(about))
    return _mail_key(rule, document, raw, told)


def _mail_key(rule: Rule, document: Any, raw: bytes, told: str) -> EventKey:
    envelope = mails.envelope_of(rule, document)
    try:
        found = mail_key(mails.mail_of(rule, document), envelope)
    except mails.NoMail as error:
        return events.unreadable(raw, error.message)
    if found.unreadable is not None:
        return events.unreadable(raw, found.unreadable)
    return EventKey(events.key_of("described", told), found.ordering_key, envelope) if told else found


def _nonce(auth: Auth, request: IngressRequest) -> tuple[str, float] | None:
    """Return a nonce for a signature that does not cover the content: it is good for one request.

    A signature over the content needs none, also without a timestamp. Each part of the content has one reading, so a
    request that is sent again brings the same events. The inbox keeps their keys, so they change nothing.
    """
    if auth.kind not in ("hmac", "rsa") or "{body}" in auth.signed or "{form}" in auth.signed:
        return None
    return signatures.nonce(auth, request.headers, {})
