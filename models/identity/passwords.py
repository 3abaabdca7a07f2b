"""Passwords are kept as argon2id hashes; a copied table must cost its thief decades.

Parameters: OWASP's Password Storage Cheat Sheet asks for at least 19 MiB, two passes, one lane. That is 25 ms of one
core here, and 8 HTTP threads hashing at once take 152 MiB, which fits a function's memory; more memory would let
sign-ins evict a pod. argon2 is imported at first use: most processes never see a password, and cold start is a feature.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from models.identity import rules
from models.kernel import imports, limits

if TYPE_CHECKING:
    from argon2 import PasswordHasher  # cold start: loaded at the first sign-in

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1

# For an address that nobody has: as much work as a real hash, and no password fits (salt and digest are zeros, not
# computed).
_NOBODYS_HASH: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    imports.load("argon2")
    from argon2 import PasswordHasher  # cold start: loaded at the first sign-in

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16)


def make_hash(password: str) -> str:
    """The hash to keep; about 25 ms. The caller has checked `rules.password_problems`."""
    return _hasher().hash(_canonical(password))


def matches(password: str, kept_hash: str | None) -> bool:
    """Whether the password is the one of the hash; None (an unknown user) takes as long and is always False."""
    imports.load("argon2")
    from argon2.exceptions import VerifyMismatchError  # cold start: loaded at the first sign-in

    if len(password) > limits.password_chars_max or not rules.is_encodable(password):
        password, kept_hash = "", None  # cannot be anybody's, and a longer one would cost more
    try:
        _hasher().verify(kept_hash or _NOBODYS_HASH, _canonical(password))
    except VerifyMismatchError:
        return False
    return kept_hash is not None


def is_outdated(kept_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's, and should be made again at the next sign-in."""
    return _hasher().check_needs_rehash(kept_hash)


def _canonical(password: str) -> str:
    """One form for what looks the same: keyboards differ in how they compose `é` (NIST SP 800-63B 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
