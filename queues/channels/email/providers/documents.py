"""A provider's JSON, read without trust: a key may be missing, or of another type than documented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from models.kernel.text import one_line
from models.ports.inbound import EventKey, Received, ReceivedEvent, Unparseable
from queues.channels.email.providers import limits
from queues.channels.secrets import short_hash

Document = dict[str, Any]


class Unreadable(Unparseable):
    """The request's body is not what its provider documents; the text says what it is."""


def load(raw: bytes) -> Any:
    """The document. Raises Unreadable."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise Unreadable("the body is JSON nested too deep") from error
    except ValueError as error:
        raise Unreadable("the body is not JSON" if raw.strip() else "the body is empty") from error


def load_unproved(raw: bytes) -> Document:
    """An object whose sender is not known yet: small, or not read at all. Raises Unreadable."""
    if len(raw) > limits.unproved_json_bytes_max:
        raise Unreadable("the body is larger than this provider's")
    return load_object(raw)


def load_object(raw: bytes) -> Document:
    """A document that is an object. Raises Unreadable."""
    found = load(raw)
    if not isinstance(found, dict):
        raise Unreadable("the body is JSON, but no object")
    return found


def text(value: object) -> str:
    """A string as it is, a number as it is written, else nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def part(value: object) -> Document:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Document]:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """The strings of a list; a string alone is one of its own."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def key_of(prefix: str, told: str) -> str:
    """An event's key from the provider's id; a digest stands for an id that is too long or odd for a key."""
    plain = told.isascii() and told.isprintable() and 0 < len(told) <= limits.id_chars_max
    if plain:
        return f"{prefix}:{told}"
    return f"{prefix}:sha256:{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()}"


def message_key(prefix: str, message_id: str, *told: str | bytes) -> str:
    """The key of a mail whose bytes are not there: its Message-ID and a digest of what its provider tells of it."""
    digest = hashlib.sha256()
    for one in told:
        content = one.encode("utf-8", "replace") if isinstance(one, str) else one
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return f"{key_of(prefix, message_id)}:{digest.hexdigest()[:16]}"


def unreadable(raw: bytes, reason: str) -> EventKey:
    """The key of bytes that are not what they should be; they are kept, and shown with the reason."""
    return EventKey(f"sha256:{hashlib.sha256(raw).hexdigest()}", None, {}, unreadable=reason)


def received_one(raw: bytes, key: Callable[[bytes, Document], EventKey]) -> Received:
    """A request of one mail or event. `key` names it, or raises Unreadable: it is kept then under its bytes' hash, with the reason."""
    try:
        found = key(raw, load_object(raw))
    except Unreadable as error:
        found = unreadable(raw, error.message)
    return Received((ReceivedEvent(found),))


def several(items: Sequence[Document], event_of: Callable[[Document], ReceivedEvent]) -> tuple[ReceivedEvent, ...]:
    """The events of a request that holds many; those beyond the bound are kept together as one that people see."""
    found = [event_of(one) for one in items[: limits.events_max]]
    if len(items) > limits.events_max:
        rest = json.dumps(items[limits.events_max :]).encode()
        reason = f"more than {limits.events_max} events in one request; these were not read"
        found.append(ReceivedEvent(unreadable(rest, reason), raw=rest, content_type="application/json"))
    return tuple(found)


def from_order(sender: str) -> str | None:
    """What mails of one sender stay in order by."""
    return f"from:{short_hash(sender.lower().encode('utf-8', 'replace'))}" if sender.strip() else None


def about_order(reference: str) -> str | None:
    """What receipts of one mail of ours stay in order by."""
    return f"about:{short_hash(reference.encode('utf-8', 'replace'))}" if reference else None


def detail(*said: object) -> str:
    """What the provider says of a failure, on one line."""
    return one_line(" ".join(found for one in said if (found := text(one).strip())), limits.detail_chars_max)


def bracketed(message_id: str) -> str:
    """A Message-ID in angle brackets; some providers tell it without. Empty stays empty."""
    inner = message_id.strip().strip("<>").strip()
    return f"<{inner}>" if inner else ""
