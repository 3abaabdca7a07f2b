"""What the webhook function needs to know about a service that its account describes: is it the service, and which events.

Runs at every cold start: the standard library, msgspec and ours only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unauthenticated, UnsupportedMediaType
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.text import check_secret, short_hash
from queues.channels.webhook import documents, expressions, limits
from queues.channels.webhook.account import Auth
from queues.channels.webhook.config import of

body_bytes_max = limits.body_bytes_max


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """True for bearer, basic and a secret address; False: the body is signed. Raises Unauthenticated else."""
    auth = of(account).auth
    if auth.kind == "none_but_path":
        if not account.config.get("path_id"):
            raise ConfigurationError(
                f"channel account {account.channel}/{account.name}: path_id: expected {{secret: name}}"
            )
        return True  # the address was compared in constant time (accounts.at_path)
    secret = _secret(auth, settings)
    if auth.kind == "hmac":
        return False
    given = headers.get((auth.header or "authorization").lower())
    if auth.header is None:
        scheme, _, rest = (given or "").partition(" ")
        given = rest.strip() if scheme.lower() == auth.kind else None
    elif given is not None:
        given = given.removeprefix(auth.prefix)
    if auth.kind == "basic" and given is not None:
        given = _decoded(given)
    check_secret(given, secret)
    return True


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """The signature over the exact bytes, and its age where it has a timestamp. Raises Unauthenticated, the same for each fault."""
    auth = of(account).auth
    if auth.kind != "hmac":
        raise Unauthenticated("this webhook needs the channel account's secret")
    signatures, timestamp, message_id = _signature_parts(auth, request.headers)
    right = False
    expected = _expected(auth, _key(auth, _secret(auth, settings)), request.body, timestamp, message_id)
    for given in signatures:
        right |= hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
    if not right or not _in_time(auth, timestamp):
        raise Unauthenticated("this webhook needs the channel account's secret")


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """The request's events, each under the key that its rule reads. Raises UnsupportedMediaType for a wrong content type."""
    config = of(account)
    expected = "application/x-www-form-urlencoded" if config.body == "form" else "application/json"
    found = request.content_type.partition(";")[0].strip().lower()
    if found != expected and not (config.body == "json" and found.endswith("+json")):
        raise UnsupportedMediaType(f"this webhook takes {expected}")
    try:
        document = documents.read(request.body, config.body)
    except documents.Unreadable as error:
        return Received((ReceivedEvent(_unreadable(request.body, str(error))),))
    challenge = config.challenge
    if challenge is not None and expressions.holds(challenge.when, document):
        answer = {name: documents.storable(expressions.value(one, document)) for name, one in challenge.answer.items()}
        return Received((), answer=answer)
    nonce = _nonce(config.auth, request)
    if config.items is None:
        return Received((ReceivedEvent(_key_of(account, document, request.body)),), nonce=nonce)
    items = expressions.each(config.items, document)
    if not items or len(items) > limits.items_max:
        reason = f"expected 1 to {limits.items_max} events at {config.items}, found {len(items)}"
        return Received((ReceivedEvent(_unreadable(request.body, reason)),), nonce=nonce)
    events = []
    for item in items:
        raw = json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")
        events.append(ReceivedEvent(_key_of(account, item, raw, one_of_many=True), raw, "application/json"))
    return Received(tuple(events), nonce=nonce)


def _key_of(account: ChannelAccount, document: Any, raw: bytes, *, one_of_many: bool = False) -> EventKey:
    config = of(account)
    rule = expressions.rule_of(config, document)
    envelope: dict[str, str] = {"form": "json" if one_of_many else config.body}
    key = "" if rule is None or rule.event_key is None else expressions.text(rule.event_key, document)
    ordering_key = None
    if rule is not None and rule.author is not None:
        place = expressions.text(rule.thread or rule.author.address, document)
        ordering_key = f"from:{short_hash(place.encode('utf-8', 'replace'))}" if place else None
    if not key:
        return EventKey(f"sha256:{hashlib.sha256(raw).hexdigest()}", ordering_key, envelope)
    if len(key) > limits.key_chars_max or not key.isprintable():
        key = f"sha256:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"
    return EventKey(f"key:{key}", ordering_key, envelope)


def _unreadable(body: bytes, reason: str) -> EventKey:
    return EventKey(f"sha256:{hashlib.sha256(body).hexdigest()}", None, unreadable=reason)


def _secret(auth: Auth, settings: Settings) -> str:
    if auth.secret is None:
        raise ConfigurationError("auth.secret: expected {secret: name}")
    secret = settings.secret(auth.secret.secret)
    if not secret:
        raise ConfigurationError(f"the credential {auth.secret.secret} is empty: give it a value")
    return secret


def _decoded(given: str) -> str | None:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _signature_parts(auth: Auth, headers: Mapping[str, str]) -> tuple[list[str], str, str]:
    """The signatures that the request offers (several while a secret rotates), its timestamp and its id; empty where missing."""
    header = headers.get((auth.header or "").lower(), "")
    timestamp = headers.get((auth.timestamp_header or "").lower(), "")
    message_id = headers.get((auth.id_header or "").lower(), "")
    if auth.pairs is None:
        offered = header.split()[: limits.signatures_max]
    else:
        pairs = [one.strip().partition("=")[::2] for one in header.split(",")[: limits.signatures_max]]
        offered = [given for name, given in pairs if name == auth.pairs.signature]
        if auth.pairs.timestamp is not None:
            timestamp = next((given for name, given in pairs if name == auth.pairs.timestamp), "")
    signatures = [one.removeprefix(auth.prefix) for one in offered if one.startswith(auth.prefix)]
    return [one.lower() if auth.encoding == "hex" else one for one in signatures], timestamp, message_id


def _key(auth: Auth, secret: str) -> bytes:
    try:
        if auth.key_format == "base64":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        return bytes.fromhex(secret) if auth.key_format == "hex" else secret.encode()
    except ValueError as error:  # never the value
        raise ConfigurationError(f"auth.secret: its value is not {auth.key_format}") from error


def signature(auth: Auth, secret: str, body: bytes, timestamp: str, message_id: str) -> str:
    """The signature that the service would send, without its prefix; for replays."""
    return _expected(auth, _key(auth, secret), body, timestamp, message_id)


def _expected(auth: Auth, key: bytes, body: bytes, timestamp: str, message_id: str) -> str:
    digest = hmac.new(key, digestmod=auth.algorithm)
    for piece in _signed(auth, body, timestamp, message_id):
        digest.update(piece)
    return digest.hexdigest() if auth.encoding == "hex" else base64.b64encode(digest.digest()).decode()


def _signed(auth: Auth, body: bytes, timestamp: str, message_id: str) -> Iterator[bytes]:
    """What is signed, piece by piece. One pass over the template: what a header holds is never read as a place itself."""
    parts = {
        "{body}": body,
        "{timestamp}": timestamp.encode("utf-8", "replace"),
        "{id}": message_id.encode("utf-8", "replace"),
    }
    rest = auth.signed
    while rest:
        at, place = min(((rest.find(p), p) for p in parts if p in rest), default=(len(rest), ""))
        yield rest[:at].encode()
        yield parts.get(place, b"")
        rest = rest[at + len(place) :]


def _has_timestamp(auth: Auth) -> bool:
    return auth.timestamp_header is not None or (auth.pairs is not None and auth.pairs.timestamp is not None)


def _in_time(auth: Auth, timestamp: str) -> bool:
    if not _has_timestamp(auth):
        return True
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 13):
        return False
    said = int(timestamp) / (1000 if len(timestamp) == 13 else 1)
    return abs(clock.now().timestamp() - said) <= auth.tolerance_s


def _nonce(auth: Auth, request: IngressRequest) -> tuple[str, float] | None:
    """A signature that covers no body, or no moment: remembered, so that it cannot come with other bytes.

    Under what was signed, which the right signature stands for: what else a request offers beside that one is its sender's choice.
    """
    if auth.kind != "hmac" or ("{body}" in auth.signed and _has_timestamp(auth)):
        return None
    _, timestamp, message_id = _signature_parts(auth, request.headers)
    digest = hashlib.sha256()
    for piece in _signed(auth, request.body, timestamp, message_id):
        digest.update(piece)
    # The moment may lie as far ahead as behind: so long does it stay good.
    remembered_s = auth.tolerance_s * (2 if _has_timestamp(auth) else 1)
    return digest.hexdigest(), float(remembered_s)
