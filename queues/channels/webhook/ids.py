"""Message ids in the desk's form. A service may number the messages of each conversation from 1, so its id alone is
ambiguous.

An id is stored as `<place>:<id>`. The place is a hash of the address of the conversation (without one, of the author)
in the desk. Its form is fixed, so that it can be removed before the id is sent back to the service.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from models.kernel.text import one_line
from queues.channels.webhook import limits

_SCOPED = re.compile(r"([0-9a-f]{12}):(.*)", re.DOTALL)


def bounded(text: str) -> str:
    """Return a service's id or address on one line; a long one is shortened to its beginning and a hash."""
    line = one_line(text, limits.address_chars_max * 2)
    if len(line) <= limits.address_chars_max:
        return line
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{line[: limits.address_chars_max - 20]}#{digest[:16]}"


def scoped(place: str, message_id: str) -> str | None:
    """Return the desk's id of a message in `place` (an address in the desk); None for an empty id."""
    line = bounded(message_id)
    return f"{_hash(place)}:{line}" if line else None


def unscoped(message_id: str) -> str:
    """Return the service's own form of a message id."""
    found = _SCOPED.fullmatch(message_id)
    return found[2] if found else message_id


def scoped_answer(address: str, message_id: str, thread: Sequence[str]) -> str | None:
    """Return the desk's id of an answer to `address` in a thread of these ids; the last one is the message answered.

    When the rule has a `contact`, the address is not the place of the messages: the place of the message answered is
    used.
    """
    places = [found[1] for one in thread if (found := _SCOPED.fullmatch(one))]
    own = _hash(address)
    line = bounded(message_id)
    if not line:
        return None
    return f"{own if not places or own in places else places[-1]}:{line}"


def _hash(place: str) -> str:
    return hashlib.sha256(place.encode("utf-8", "replace")).hexdigest()[:12]
