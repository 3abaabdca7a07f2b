"""The quality of SECRET_KEY: a key that somebody typed or copied from an example is guessed offline.

One signed token is enough to try keys without asking the desk, so a weak key lets a stranger sign in as anybody. The
checks find keys of few characters, repetitions, sequences and placeholders. They cannot measure randomness.
"""

from __future__ import annotations

import hashlib
import hmac
from itertools import pairwise
from typing import Final

CHARS_MIN: Final = 32  # RFC 7518, section 3.2: HS256 needs a key of at least 256 bits
_DIFFERENT_MIN: Final = 8  # 32 random hexadecimal digits have fewer once in 10^8 keys
_PLACEHOLDERS: Final = ("changeme", "change-me", "change_me", "placeholder", "insecure", "your-secret", "your_secret")
HOW_TO_MAKE_ONE: Final = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def weakness(key: str) -> str | None:
    """Return what makes a key easy to guess, or None. The text never contains the key."""
    if len(key) < CHARS_MIN:
        return f"expected at least {CHARS_MIN} characters"
    if len(set(key)) < _DIFFERENT_MIN:
        return f"expected at least {_DIFFERENT_MIN} different characters"
    if (key + key).find(key, 1) < len(key):
        return "it repeats a shorter text"
    steps = [ord(after) - ord(before) for before, after in pairwise(key)]
    if sum(one == two for one, two in pairwise(steps)) > len(key) // 2:
        return "it is a sequence of characters"
    if any(word in key.lower() for word in _PLACEHOLDERS):
        return "it is the placeholder of an example"
    return None


def key_id(key: str) -> str:
    """Return the public name of a signing key (`kid`, RFC 7515, section 4.1.4), which reveals nothing about the key."""
    return hmac.new(key.encode("utf-8"), b"nestor key id", hashlib.sha256).hexdigest()[:16]
