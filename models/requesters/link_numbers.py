"""The number of a deep link: the chat that opens the link shows it, and the maker of the link enters it.

So a person who is led to open a stranger's link does not join the stranger, and a stranger who gets hold of a link does
not join its owner.
"""

from __future__ import annotations

import hashlib
import hmac

from models.kernel import settings
from models.kernel.errors import Conflict


class WrongNumber(Conflict):
    """The number is wrong, or the link is used, expired or not opened yet; create a new link after a few attempts."""

    code = "wrong_number"


def number_of(token_hash: str, channel: str, address: str) -> str:
    """Return the six digits of a link that was opened at an address. They are derived, so no table holds them."""
    key = settings.current().signing_key().encode()
    mark = hmac.new(key, f"link-number:{token_hash}:{channel}:{address}".encode(), hashlib.sha256).digest()[:8]
    return f"{int.from_bytes(mark, 'big') % 1_000_000:06d}"


def is_right(number: str, token_hash: str, channel: str | None, address: str | None) -> bool:
    """Compare a number in constant time. A link that nobody opened has no right number."""
    if channel is None or address is None:
        return False
    wanted = number_of(token_hash, channel, address)
    return hmac.compare_digest(wanted.encode(), number.strip().encode("utf-8", "replace"))
