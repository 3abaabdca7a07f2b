"""The form of DATA_KEYS: the keys that encrypt secrets at rest (vault.py), each with an id that its values name."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache

from models.kernel.errors import ConfigurationError

KEY_BYTES = 32  # AES-256
KEY_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,31}$")


@lru_cache(maxsize=4)
def parse(text: str) -> dict[str, bytes]:
    """Return the keys by their ids, in the order of DATA_KEYS.

    Raises ConfigurationError, which names the number of the entry and never the key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not KEY_ID.match(key_id) or len(key) != KEY_BYTES:
            raise ConfigurationError(
                f"DATA_KEYS: entry {number}: expected id:key with an id of lower-case letters and digits and a key of"
                " 32 bytes in base64url; make one with: python -m scripts.secrets key"
            )
        if key_id in keys:
            raise ConfigurationError(f"DATA_KEYS: entry {number}: the id {key_id} is used twice")
        keys[key_id] = key
    return keys
