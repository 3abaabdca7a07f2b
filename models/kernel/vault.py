"""Encryption of secrets at rest: signing secrets of webhooks, TOTP secrets, tokens of mail accounts.

Without it, a copy of the database (a backup, a dump, a replica) is enough to sign webhooks as the desk. The keys come
from DATA_KEYS, or are derived from SECRET_KEY, so neither is part of a backup of the database.

A sealed value is `sealed:<key id>:<base64url of nonce and ciphertext>`, AES-256-GCM with a random nonce of 96 bits
(NIST SP 800-38D, section 8.2.2). Its purpose (`purpose`: table, column and row) is the associated data, so a value that
is copied to another row or column does not open. `python -m scripts.secrets rotate` seals every value with the first
key of DATA_KEYS; a table names its columns in `Table.sealed`.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache
from typing import Any
from uuid import UUID

from models.kernel import data_keys, imports, settings
from models.kernel.errors import ConfigurationError, PermanentFailure

_PREFIX = "sealed:"
_NONCE_BYTES = 12  # NIST SP 800-38D recommends 96 bits
# Loaded at the first sealed secret: 7 MiB that most processes never need.
LIBRARY = (
    "cryptography.exceptions",
    "cryptography.hazmat.primitives.hashes",
    "cryptography.hazmat.primitives.kdf.hkdf",
    "cryptography.hazmat.primitives.ciphers.aead",
)


def purpose(table: str, column: str, row_id: UUID | str) -> str:
    """Return the purpose of a column's value in one row. It is authenticated with the value."""
    return f"{table}.{column}:{row_id}"


def seal(purpose: str, plaintext: bytes) -> str:
    """Encrypt a secret with the current key. Raises ConfigurationError without a key."""
    key_id, keys = _keys()
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = _cipher(keys[key_id]).encrypt(nonce, plaintext, purpose.encode())
    return f"{current_prefix()}{base64.urlsafe_b64encode(nonce + ciphertext).decode()}"


def open(purpose: str, sealed: str) -> bytes:
    """Decrypt a sealed secret.

    Raises ConfigurationError if this process lacks the key, and PermanentFailure if the value was changed, or belongs
    to another purpose.
    """
    key_id, keys = _read(sealed), _keys()[1]
    if key_id not in keys:
        raise ConfigurationError(
            f"a secret in the database is encrypted with the key {key_id}, which this process lacks; add it to"
            " DATA_KEYS"
        )
    imports.load(*LIBRARY)
    from cryptography.exceptions import InvalidTag  # late: a cold start does not need it

    try:
        raw = base64.b64decode(sealed.rpartition(":")[2], altchars=b"-_", validate=True)
        plaintext: bytes = _cipher(keys[key_id]).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise PermanentFailure("a secret in the database cannot be decrypted: it was changed or moved") from error
    return plaintext


def is_sealed(value: str) -> bool:
    """Return True if the value is encrypted. A row of an earlier release is not."""
    return value.startswith(_PREFIX)


def is_current(value: str) -> bool:
    """Return True if the value is encrypted with the current key. Raises ConfigurationError without a key."""
    return value.startswith(current_prefix())


def current_prefix() -> str:
    """Return the beginning of every value that is encrypted with the current key. Raises ConfigurationError without a
    key.
    """
    return f"{_PREFIX}{_keys()[0]}:"


def new_key() -> str:
    """Return a new random key in the form of DATA_KEYS, without its id."""
    return base64.urlsafe_b64encode(os.urandom(data_keys.KEY_BYTES)).decode()


def derived_key() -> tuple[str, str]:
    """Return the id of the key that is derived from SECRET_KEY, and the key in the form of DATA_KEYS."""
    key_id, key = _derived(settings.current().signing_key())
    return key_id, base64.urlsafe_b64encode(key).decode()


def _read(sealed: str) -> str:
    parts = sealed.split(":")
    if len(parts) != 3 or not is_sealed(sealed) or not data_keys.KEY_ID.match(parts[1]):
        raise PermanentFailure("a secret in the database has no valid form")
    return parts[1]


def _keys() -> tuple[str, dict[str, bytes]]:
    """Return the id of the current key, and all keys: those of DATA_KEYS, and those derived from SECRET_KEY and
    SECRET_KEYS_ACCEPTED.
    """
    config = settings.current()
    keys = dict(data_keys.parse(config.data_keys))
    for secret_key in config.accepted_keys() if config.secret_key else ():
        key_id, key = _derived(secret_key)
        keys.setdefault(key_id, key)
    if not keys:
        config.signing_key()  # names what is missing
    return next(iter(keys)), keys


@lru_cache(maxsize=4)
def _derived(secret_key: str) -> tuple[str, bytes]:
    """Derive a key and its id from SECRET_KEY by HKDF (RFC 5869). The id reveals nothing about the key."""
    imports.load(*LIBRARY)
    from cryptography.hazmat.primitives.hashes import SHA256  # late: a cold start does not need it
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # late: a cold start does not need it

    made = HKDF(SHA256(), data_keys.KEY_BYTES + 4, salt=None, info=b"nestor secrets at rest").derive(
        secret_key.encode()
    )
    return f"sk-{made[data_keys.KEY_BYTES :].hex()}", made[: data_keys.KEY_BYTES]


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> Any:
    imports.load(*LIBRARY)
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # late: a cold start does not need it

    return AESGCM(key)
