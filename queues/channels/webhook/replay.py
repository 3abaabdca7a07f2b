"""Replays of recorded events: signs an event as its service would, on request under a new key; for `scripts.channels
replay` and tests.
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError
from queues.channels.webhook import ingress
from queues.channels.webhook.account import Account
from queues.channels.webhook.config import of
from queues.described import documents, expressions, paths, texts
from queues.described.vocabulary import Expression

needs_account = True
_CONTENT_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def _known(account: ChannelAccount | None) -> Account:
    assert account is not None, "the caller checks needs_account"
    return of(account)


def credential(account: ChannelAccount | None) -> str | None:
    """Return the name of the service's secret; None for an account that is protected by its path only."""
    secret = _known(account).auth.secret
    return None if secret is None else secret.secret


def headers(account: ChannelAccount | None, raw: bytes, *, secret: str) -> dict[str, str]:
    """Return the headers that the service would send. Raises ConfigurationError for a secret that is not a key."""
    config = _known(account)
    auth = config.auth
    told = {"Content-Type": _CONTENT_TYPES[config.body]}
    if auth.kind == "none_but_path":
        return told
    if auth.kind != "hmac":
        shown = secret if auth.kind == "bearer" else base64.b64encode(secret.encode()).decode()
        if auth.header is None:
            return told | {"Authorization": f"{auth.kind.capitalize()} {shown}"}
        return told | {auth.header: auth.prefix + shown}
    timestamp, message_id = str(int(clock.now().timestamp())), f"replay_{secrets.token_hex(8)}"
    signature = auth.prefix + ingress.signature(auth, secret, raw, timestamp, message_id)
    if auth.timestamp_header is not None:
        told[auth.timestamp_header] = timestamp
    if auth.id_header is not None:
        told[auth.id_header] = message_id
    if auth.pairs is not None:
        moment = "" if auth.pairs.timestamp is None else f"{auth.pairs.timestamp}={timestamp},"
        signature = f"{moment}{auth.pairs.signature}={signature}"
    return told | {auth.header or "": signature}


def with_new_key(account: ChannelAccount | None, raw: bytes) -> bytes:
    """Return the event with a new key: changes the value that its rule reads. Raises ConfigurationError."""
    config = _known(account)
    try:
        document = documents.read(raw, config.body)
    except documents.Unreadable as error:
        raise ConfigurationError(f"--new-key: {error}") from error
    for item in [document] if config.items is None else expressions.each(config.items, document):
        _renew(config, item)
    if config.body == "form":
        names = [name for name, _ in parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)]
        fields = {name: document[name] for name in dict.fromkeys(names) if name in document}
        return urlencode(fields, doseq=True).encode()
    return json.dumps(document, ensure_ascii=False).encode()


def _renew(config: Account, item: Any) -> None:
    rule = expressions.rule_of(config.events, item)
    if rule is None or rule.event_key is None:
        if isinstance(item, dict):
            # The key is the digest of the bytes.
            item["replayed"] = secrets.token_hex(8)
        return
    for path in _paths_of(rule.event_key):
        if _put(item, path):
            return
    raise ConfigurationError("--new-key: found no value of the event that its key is made of")


def _paths_of(expression: Expression) -> list[paths.Path]:
    found = []
    for text in expression if isinstance(expression, list) else [expression]:
        if text.startswith("$"):
            found.append(paths.read(text))
        else:
            found.extend(paths.read(p.source) for p in texts.read(text) if isinstance(p, texts.Place))
    return found


def _put(item: Any, path: paths.Path) -> bool:
    """Put another value of the same type at a path without `[*]`; returns False when the path has no value."""
    if not path or None in path:
        return False
    holder = paths.first(path[:-1], item)
    found = paths.every(path, item)
    if not found or holder is None:
        return False
    number = isinstance(found[0], int | float) and not isinstance(found[0], bool)
    holder[path[-1]] = 2**40 + secrets.randbelow(2**40) if number else f"replay-{secrets.token_hex(8)}"
    return True
