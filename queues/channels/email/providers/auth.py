"""Authentication of providers: in constant time, with one answer for each fault, so that an attacker learns nothing.

The age of a signature is checked against our clock, so that a captured request expires.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unauthenticated
from models.kernel.settings import Settings
from queues.channels.email.providers import limits
from queues.channels.secrets import check_secret

_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def refused(account: ChannelAccount | None = None) -> Unauthenticated:
    """Return the one error for each failed authentication.

    An account with a password adds a challenge, because SNS sends its password only after one.
    """
    said = "this webhook needs the channel account's secret"
    if account is not None and account.config.get("basic"):
        return Unauthenticated(said, challenge='Basic realm="nestor"')
    return Unauthenticated(said)


def by_header(headers: Mapping[str, str], account: ChannelAccount, settings: Settings, *, required: bool) -> bool:
    """Check the account's basic or bearer credential. False when it has none and none is `required`.

    A secret at the end of the address (`path_id`) authenticates the caller as well. Raises Unauthenticated.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    expected = _expected(scheme.lower(), account, settings)
    if not expected:
        if account.config.get("basic") or account.config.get("bearer"):
            raise refused(account)
        if required and not account.config.get("path_id"):
            raise refused()
        return bool(account.config.get("path_id"))
    try:
        check_secret(_padded(given) if scheme.lower() == "basic" else given.strip(), expected)
    except Unauthenticated as error:
        raise refused(account) from error
    return True


def _expected(scheme: str, account: ChannelAccount, settings: Settings) -> str:
    """Return the value that the scheme expects; empty without a credential. Raises
    ConfigurationError for an empty one.
    """
    if scheme not in ("basic", "bearer") or not account.config.get(scheme):
        return ""
    value = account.credential(scheme, settings)
    if not value:
        raise ConfigurationError(f"the channel account's {scheme} credential is empty: give it a value")
    # The basic credential is `user:password` as it stands in the provider's URL.
    return base64.b64encode(value.encode()).decode("ascii") if scheme == "basic" else value


def _padded(given: str) -> str:
    """Add the base64 padding that some clients leave out."""
    text = given.strip().rstrip("=")
    return text + "=" * (-len(text) % 4)


def check_fresh(timestamp: str, *, past_s: float, future_s: float = limits.clock_skew_s) -> None:
    """Check that the signed instant (Unix seconds) is neither too old nor in the future. Raises Unauthenticated."""
    if not _DIGITS.fullmatch(timestamp):
        raise refused()
    age_s = clock.now().timestamp() - int(timestamp)
    if not -future_s <= age_s <= past_s:
        raise refused()


def check_hmac(given: Iterable[str], key: str | bytes, *signed: bytes | str) -> None:
    """Check that one of the given hex digests is the HMAC-SHA256 of the signed pieces. Raises Unauthenticated."""
    check_any(given, hmac_sha256(key, *signed).hex())


def hmac_sha256(key: str | bytes, *signed: bytes | str) -> bytes:
    """Return the digest of the pieces in order, without a copy of a large body."""
    digest = hmac.new(key.encode() if isinstance(key, str) else key, digestmod=hashlib.sha256)
    for piece in signed:
        digest.update(piece.encode("utf-8", "replace") if isinstance(piece, str) else piece)
    return digest.digest()


def check_any(given: Iterable[str], expected: str) -> None:
    """Check that one of the given values is the expected one; compares all in constant time. Raises Unauthenticated."""
    right = 0
    for one in list(given)[: limits.signatures_max]:
        right += hmac.compare_digest(one.encode("utf-8", "replace"), expected.encode())
    if not right:
        raise refused()


def unbase64(text: str) -> bytes:
    """Decode a provider's base64; empty when it is malformed."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
