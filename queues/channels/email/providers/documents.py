"""Read a provider's JSON without trust: a key may be missing or of another type than documented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from models.ports.inbound import EventKey, Received, ReceivedEvent, Unparseable
from queues.channels.email.providers import limits
from queues.channels.secrets import short_hash

Document = JsonObject


class Unreadable(Unparseable):
    """The body of the request does not have the provider's documented form; the text says what was found."""


def load(raw: bytes) -> Any:
    """Parse JSON. Raises Unreadable."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise Unreadable("the body is JSON nested too deep") from error
    except ValueError as error:
        raise Unreadable("the body is not JSON" if raw.strip() else "the body is empty") from error


def load_unproved(raw: bytes) -> Document:
    """Parse an object of an unauthenticated sender, within a small bound. Raises Unreadable."""
    if len(raw) > limits.unproved_json_bytes_max:
        raise Unreadable("the body is larger than this provider's")
    return load_object(raw)


def load_object(raw: bytes) -> Document:
    """Parse an object. Raises Unreadable."""
    found = load(raw)
    if not isinstance(found, dict):
        raise Unreadable("the body is JSON, but no object")
    return found


def text(value: object) -> str:
    """Return a string, or a number as text; empty for any other value."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def part(value: object) -> Document:
    """Return an object; an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Document]:
    """Return the objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Return the strings in a list; a single string counts as a list of one."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def key_of(prefix: str, told: str) -> str:
    """Return an event key from the provider's id, or from its digest if the id is too long or not printable."""
    plain = told.isascii() and told.isprintable() and 0 < len(told) <= limits.id_chars_max
    if plain:
        return f"{prefix}:{told}"
    return f"{prefix}:sha256:{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()}"


def message_key(prefix: str, message_id: str, *told: str | bytes) -> str:
    """Return the key of a mail without its bytes: the Message-ID and a digest of the provider's fields."""
    digest = hashlib.sha256()
    for one in told:
        content = one.encode("utf-8", "replace") if isinstance(one, str) else one
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return f"{key_of(prefix, message_id)}:{digest.hexdigest()[:16]}"


def unreadable(raw: bytes, reason: str) -> EventKey:
    """Return the key of unreadable bytes, which are stored and shown with the reason."""
    return EventKey(f"sha256:{hashlib.sha256(raw).hexdigest()}", None, {}, unreadable=reason)


def received_one(raw: bytes, key: Callable[[bytes, Document], EventKey]) -> Received:
    """Receive a request with one mail or event. If `key` raises Unreadable, it is stored by the hash of its bytes."""
    try:
        found = key(raw, load_object(raw))
    except Unreadable as error:
        found = unreadable(raw, error.message)
    return Received((ReceivedEvent(found),))


def several(items: Sequence[Document], event_of: Callable[[Document], ReceivedEvent]) -> tuple[ReceivedEvent, ...]:
    """Return the events of a request with many; those beyond the bound become one unreadable event."""
    found = [event_of(one) for one in items[: limits.events_max]]
    if len(items) > limits.events_max:
        rest = json.dumps(items[limits.events_max :]).encode()
        reason = f"more than {limits.events_max} events in one request; these were not read"
        found.append(ReceivedEvent(unreadable(rest, reason), raw=rest, content_type="application/json"))
    return tuple(found)


def from_order(sender: str) -> str | None:
    """Return the ordering key of mails from one sender."""
    return f"from:{short_hash(sender.lower().encode('utf-8', 'replace'))}" if sender.strip() else None


def about_order(reference: str) -> str | None:
    """Return the ordering key of receipts about one mail."""
    return f"about:{short_hash(reference.encode('utf-8', 'replace'))}" if reference else None


def detail(*said: object) -> str:
    """Return the provider's text about a failure on one line."""
    return one_line(" ".join(found for one in said if (found := text(one).strip())), limits.detail_chars_max)


def bracketed(message_id: str) -> str:
    """Put a Message-ID into angle brackets, which some providers leave out. Empty stays empty."""
    inner = message_id.strip().strip("<>").strip()
    return f"<{inner}>" if inner else ""
