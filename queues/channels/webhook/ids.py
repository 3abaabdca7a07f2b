"""Message ids in the desk's form. A service may number its messages anew in each conversation: an id alone would mean several.

So each is kept as `<place>:<id>`; the place is a hash of the conversation's (or, without one, the author's) address in the desk, of
a fixed form, so that it can be taken off again when the service is told its id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from queues.channels.text import one_line
from queues.channels.webhook import limits

_SCOPED = re.compile(r"([0-9a-f]{12}):(.*)", re.DOTALL)


def bounded(text: str) -> str:
    """A service's id or address on one line; a longer one is told by its beginning and a hash."""
    line = one_line(text, limits.address_chars_max * 2)
    if len(line) <= limits.address_chars_max:
        return line
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{line[: limits.address_chars_max - 20]}#{digest[:16]}"


def scoped(place: str, message_id: str) -> str | None:
    """The id of a message that is in `place` (an address in the desk); None for an empty one."""
    line = bounded(message_id)
    return f"{_hash(place)}:{line}" if line else None


def unscoped(message_id: str) -> str:
    """The service's own form of a message's id."""
    found = _SCOPED.fullmatch(message_id)
    return found[2] if found else message_id


def scoped_answer(address: str, message_id: str, thread: Sequence[str]) -> str | None:
    """The id of an answer to `address` in a thread of these ids, the one that it answers last.

    With a `contact` of its own the address is not the place of the messages: then it is that of the message answered.
    """
    places = [found[1] for one in thread if (found := _SCOPED.fullmatch(one))]
    own = _hash(address)
    line = bounded(message_id)
    if not line:
        return None
    return f"{own if not places or own in places else places[-1]}:{line}"


def _hash(place: str) -> str:
    return hashlib.sha256(place.encode("utf-8", "replace")).hexdigest()[:12]
