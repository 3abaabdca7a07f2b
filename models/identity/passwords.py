"""Password hashes with argon2id, so that cracking the passwords of a stolen table takes decades.

OWASP's Password Storage Cheat Sheet asks for at least 19 MiB, two passes and one lane. One hash takes 25 ms of one core
here. Eight HTTP threads that hash at the same time use 152 MiB, which fits the memory of a function. With more memory
per hash, concurrent sign-ins could get a pod evicted. The module imports argon2 at first use, because most processes
never check a password and a cold start must stay short.
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

# The hash for an unknown address. Its check costs as much as the check of a real hash, and no password matches it,
# because salt and digest are zeros.
_NOBODYS_HASH: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${'A' * 22}${'A' * 43}"


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    imports.load("argon2")
    from argon2 import PasswordHasher  # cold start: loaded at the first sign-in

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16)


def make_hash(password: str) -> str:
    """Return the hash to store; takes about 25 ms. The caller has checked `rules.password_problems`."""
    return _hasher().hash(_canonical(password))


def matches(password: str, kept_hash: str | None) -> bool:
    """Return True if the password matches the hash.

    With `kept_hash` None (an unknown user), the check takes the same time and returns False.
    """
    imports.load("argon2")
    from argon2.exceptions import VerifyMismatchError  # cold start: loaded at the first sign-in

    if len(password) > limits.password_chars_max or not rules.is_encodable(password):
        password, kept_hash = "", None  # matches no stored hash; hashing a longer text would cost more
    try:
        _hasher().verify(kept_hash or _NOBODYS_HASH, _canonical(password))
    except VerifyMismatchError:
        return False
    return kept_hash is not None


def is_outdated(kept_hash: str) -> bool:
    """Return True if the hash has other parameters than the current ones; the next sign-in then replaces it."""
    return _hasher().check_needs_rehash(kept_hash)


def _canonical(password: str) -> str:
    """Normalise the password, because keyboards compose characters such as `é` differently.

    NIST SP 800-63B, section 3.1.1.2, recommends the normalisation.
    """
    return unicodedata.normalize("NFKC", password)
