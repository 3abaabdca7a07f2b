"""Compare a caller's secret, and hash what must not be seen."""

from __future__ import annotations

import hashlib
import hmac

from models.kernel.errors import ConfigurationError, Unauthenticated


def short_hash(text: bytes) -> str:
    """16 hex digits in place of an address that must not be seen."""
    return hashlib.sha256(text).hexdigest()[:16]


def check_secret(given: str | None, expected: str) -> None:
    """Compare in constant time. Raises Unauthenticated, the same for missing and wrong.

    An empty expected secret would admit everybody, so it raises ConfigurationError.
    """
    if not expected:
        raise ConfigurationError("the channel account's webhook secret is empty: give it a value")
    right = hmac.compare_digest((given or "").encode("utf-8", "replace"), expected.encode())
    if given is None or not right:
        raise Unauthenticated("this webhook needs the channel account's secret")
