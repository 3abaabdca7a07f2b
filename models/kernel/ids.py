"""Identifiers: UUIDv7 (RFC 9562), made in the program so that related rows can be written in one statement.

Their time is the desk's clock, which is the database's (`clock.unshifted`). Libraries read the machine's clock. On a
machine whose clock is ten minutes ahead, new rows would sort ten minutes after the rows of other machines.
"""

from __future__ import annotations

import secrets
import threading
from uuid import UUID

from models.kernel import clock

_TICKS_PER_S = 1000 << 12  # RFC 9562, section 6.2, method 3: the 12 bits of rand_a are a fraction of the millisecond
_KEPT_TICKS = _TICKS_PER_S  # a clock that goes back by less than a second is waited for, so that ids of a process go up
_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Return a fresh UUIDv7. Ids of one process go up. Ids are compared, never parsed for time.

    Ids of several processes are in the order of time within some milliseconds only. Where the newest row decides, it
    has a serial.
    """
    global _last
    ticks = int(clock.unshifted().timestamp() * _TICKS_PER_S)
    with _lock:
        if _last - _KEPT_TICKS < ticks <= _last:
            ticks = _last + 1
        _last = ticks
    return UUID(int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | secrets.randbits(62))


def parse_id(text: str) -> UUID | None:
    """Return the UUID written as `text`, or None when it is not one (a path part a caller typed)."""
    if len(text) not in (32, 36):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def secret_token(bytes_of_entropy: int = 32) -> str:
    """Return an unguessable URL-safe token."""
    return secrets.token_urlsafe(bytes_of_entropy)
