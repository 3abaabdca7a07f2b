"""The ingress: authenticates a service's request and names its events, as the account's file says.

Every cold start imports it: only the standard library, msgspec and modules of ours.
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
from queues.channels.secrets import check_secret, short_hash
from queues.channels.webhook import documents, expressions, limits
from queues.channels.webhook.account import Account, Auth, Pairs, Rule
from queues.channels.webhook.config import of

body_bytes_max = limits.body_bytes_max


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
    check_secret(_credential(auth, headers), secret)
    return True


def _credential(auth: Auth, headers: Mapping[str, str]) -> str | None:
    """Return the token, or user and password, that the request carries."""
    if auth.header is None:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        given = rest.strip() if scheme.lower() == auth.kind else None
    else:
        given = headers.get(auth.header.lower())
        given = None if given is None else given.removeprefix(auth.prefix)
    return _decoded(given) if auth.kind == "basic" and given is not None else given


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Check the signature over the exact bytes, and its age if it has a timestamp. Raises Unauthenticated, the same for
    each fault.
    """
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
    rule = expressions.rule_of(config, document)
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


def _decoded(given: str) -> str | None:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _signature_parts(auth: Auth, headers: Mapping[str, str]) -> tuple[list[str], str, str]:
    """Return the request's signatures (several while a secret rotates), its timestamp and its id;
    empty when missing.
    """
    header = headers.get((auth.header or "").lower(), "")
    timestamp = headers.get((auth.timestamp_header or "").lower(), "")
    message_id = headers.get((auth.id_header or "").lower(), "")
    if auth.pairs is None:
        offered = header.split()[: limits.signatures_max]
    else:
        offered, paired = _from_pairs(auth.pairs, header)
        timestamp = timestamp if auth.pairs.timestamp is None else paired
    signatures = [one.removeprefix(auth.prefix) for one in offered if one.startswith(auth.prefix)]
    return [one.lower() if auth.encoding == "hex" else one for one in signatures], timestamp, message_id


def _from_pairs(wanted: Pairs, header: str) -> tuple[list[str], str]:
    """Return the signatures and the timestamp of a header such as `t=1,v1=ab`."""
    pairs = [one.strip().partition("=")[::2] for one in header.split(",")[: limits.signatures_max]]
    signatures = [given for name, given in pairs if name == wanted.signature]
    return signatures, next((given for name, given in pairs if name == wanted.timestamp), "")


def _key(auth: Auth, secret: str) -> bytes:
    try:
        if auth.key_format == "base64":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        return bytes.fromhex(secret) if auth.key_format == "hex" else secret.encode()
    except ValueError as error:
        # The message must not contain the value.
        raise ConfigurationError(f"auth.secret: its value is not {auth.key_format}") from error


def signature(auth: Auth, secret: str, body: bytes, timestamp: str, message_id: str) -> str:
    """Return the signature that the service would send, without its prefix; for replays."""
    return _expected(auth, _key(auth, secret), body, timestamp, message_id)


def _expected(auth: Auth, key: bytes, body: bytes, timestamp: str, message_id: str) -> str:
    digest = hmac.new(key, digestmod=auth.algorithm)
    for piece in _signed(auth, body, timestamp, message_id):
        digest.update(piece)
    return digest.hexdigest() if auth.encoding == "hex" else base64.b64encode(digest.digest()).decode()


def _signed(auth: Auth, body: bytes, timestamp: str, message_id: str) -> Iterator[bytes]:
    """Yield the signed bytes, piece by piece. One pass over the template, so that a header's value is never read as a
    placeholder.
    """
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


def _in_time(auth: Auth, timestamp: str) -> bool:
    if not auth.has_timestamp():
        return True
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 13):
        return False
    said = int(timestamp) / (1000 if len(timestamp) == 13 else 1)
    return abs(clock.now().timestamp() - said) <= auth.tolerance_s


def _nonce(auth: Auth, request: IngressRequest) -> tuple[str, float] | None:
    """Return the nonce, and how long to remember it, of a signature that covers no body or no timestamp; None for
    another one.

    The nonce keeps such a signature from being used again with other bytes. It is a digest of the signed bytes, because
    the sender chooses freely what else a request contains.
    """
    if auth.kind != "hmac" or ("{body}" in auth.signed and auth.has_timestamp()):
        return None
    _, timestamp, message_id = _signature_parts(auth, request.headers)
    digest = hashlib.sha256()
    for piece in _signed(auth, request.body, timestamp, message_id):
        digest.update(piece)
    # A timestamp may be as far in the future as in the past, so the signature stays valid twice as long.
    remembered_s = auth.tolerance_s * (2 if auth.has_timestamp() else 1)
    return digest.hexdigest(), float(remembered_s)
