"""The ingress: authenticates a service's request and names its events, as the account's file says.

Every cold start imports it: only the standard library, msgspec and modules of ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError, Unauthenticated, UnsupportedMediaType
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.secrets import check_secret, short_hash
from queues.channels.webhook.account import Account, Auth, Rule
from queues.channels.webhook.config import of
from queues.channels.webhook.limits import body_bytes_max
from queues.described import documents, expressions, limits, signatures

__all__ = ["authenticate", "body_bytes_max", "receive", "signature", "verify"]


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Return True for bearer, basic and a secret address; False when the body is signed. Raises Unauthenticated
    otherwise.
    """
    auth = of(account).auth
    if auth.kind == "none_but_path":
        if not account.config.get("path_id"):
            raise ConfigurationError(
                f"channel account {account.channel}/{account.name}: path_id: expected {{secret: name}}"
            )
        # `accounts.at_path` compared the address in constant time.
        return True
    secret = _secret(auth, settings)
    if auth.kind == "hmac":
        return False
    check_secret(signatures.credential(auth, auth.kind, headers), secret)
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Check the signature over the exact bytes, and its age if it has a timestamp. Raises Unauthenticated, the same for
    each fault.
    """
    auth = of(account).auth
    if auth.kind != "hmac":
        raise Unauthenticated(signatures.REFUSED)
    signatures.check(auth, _secret(auth, settings), request.headers, {"body": request.body})


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Return the request's events, each with the key that its rule reads. Raises UnsupportedMediaType for a wrong
    content type.
    """
    config = of(account)
    _check_content_type(config, request.content_type)
    try:
        document = documents.read(request.body, config.body)
    except documents.Unreadable as error:
        return Received((ReceivedEvent(_unreadable(request.body, str(error))),))
    challenge = config.challenge
    if challenge is not None and expressions.holds(challenge.when, document):
        answer = {name: expressions.value(one, document) for name, one in challenge.answer.items()}
        return Received((), answer=answer)
    nonce = _nonce(config.auth, request)
    if config.items is None:
        return Received((ReceivedEvent(_key_of(config, document, request.body)),), nonce=nonce)
    return _events(config, config.items, document, request.body, nonce)


def _check_content_type(config: Account, content_type: str) -> None:
    expected = "application/x-www-form-urlencoded" if config.body == "form" else "application/json"
    found = content_type.partition(";")[0].strip().lower()
    if found != expected and not (config.body == "json" and found.endswith("+json")):
        raise UnsupportedMediaType(f"this webhook takes {expected}")


def _events(config: Account, path: str, document: Any, body: bytes, nonce: tuple[str, float] | None) -> Received:
    """Return the events of a request that carries several, each as JSON."""
    items = expressions.each(path, document)
    if not items or len(items) > limits.items_max:
        reason = f"expected 1 to {limits.items_max} events at {path}, found {len(items)}"
        return Received((ReceivedEvent(_unreadable(body, reason)),), nonce=nonce)
    events = []
    for item in items:
        raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
        events.append(ReceivedEvent(_key_of(config, item, raw, one_of_many=True), raw, "application/json"))
    return Received(tuple(events), nonce=nonce)


def _key_of(config: Account, document: Any, raw: bytes, *, one_of_many: bool = False) -> EventKey:
    rule = expressions.rule_of(config.events, document)
    envelope: dict[str, str] = {"form": "json" if one_of_many else config.body}
    key = "" if rule is None or rule.event_key is None else expressions.text(rule.event_key, document)
    ordering_key = _ordering_key(rule, document)
    if not key:
        return EventKey(f"sha256:{hashlib.sha256(raw).hexdigest()}", ordering_key, envelope)
    if len(key) > limits.key_chars_max or not key.isprintable():
        key = f"sha256:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"
    return EventKey(f"key:{key}", ordering_key, envelope)


def _ordering_key(rule: Rule | None, document: Any) -> str | None:
    """Order the events of one conversation, or of one author without a conversation."""
    if rule is None or rule.author is None:
        return None
    place = expressions.text(rule.thread or rule.author.address, document)
    return f"from:{short_hash(place.encode('utf-8', 'replace'))}" if place else None


def _unreadable(body: bytes, reason: str) -> EventKey:
    return EventKey(f"sha256:{hashlib.sha256(body).hexdigest()}", None, unreadable=reason)


def _secret(auth: Auth, settings: Settings) -> str:
    if auth.secret is None:
        raise ConfigurationError("auth.secret: expected {secret: name}")
    secret = settings.secret(auth.secret.secret)
    if not secret:
        raise ConfigurationError(f"the credential {auth.secret.secret} is empty: give it a value")
    return secret


def signature(auth: Auth, secret: str, body: bytes, timestamp: str, message_id: str) -> str:
    """Return the signature that the service would send, without its prefix; for replays."""
    parts = {"body": body, "timestamp": timestamp.encode(), "id": message_id.encode()}
    return signatures.expected(auth, signatures.key_of(auth, secret), parts)


def _nonce(auth: Auth, request: IngressRequest) -> tuple[str, float] | None:
    """Return the nonce of a signature that covers no body or no timestamp; None for another one."""
    return signatures.nonce(auth, request.headers, {"body": request.body}) if auth.kind == "hmac" else None
