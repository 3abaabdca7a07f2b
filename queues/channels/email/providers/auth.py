"""How providers prove themselves. Constant time, and one answer for every fault: who guesses learns nothing.

A signature's age is judged by our clock, so that a caught request cannot be sent again for ever.
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
    """The one answer to whoever cannot prove that they are the provider.

    An account with a password is told so by a challenge: SNS sends one only to who asked for it.
    """
    said = "this webhook needs the channel account's secret"
    if account is not None and account.config.get("basic"):
        return Unauthenticated(said, challenge='Basic realm="nestor"')
    return Unauthenticated(said)


def by_header(headers: Mapping[str, str], account: ChannelAccount, settings: Settings, *, required: bool) -> bool:
    """Check the basic or bearer credential that the account has. False when it has none and none is `required`.

    An account whose address ends in a secret (`path_id`) has proved its caller by that already. Raises Unauthenticated.
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
    """What stands behind the scheme's name, if the account has a credential of it. Raises ConfigurationError for an empty one."""
    if scheme not in ("basic", "bearer") or not account.config.get(scheme):
        return ""
    value = account.credential(scheme, settings)
    if not value:
        raise ConfigurationError(f"the channel account's {scheme} credential is empty: give it a value")
    # The basic credential is `user:password` as it stands in the provider's URL.
    return base64.b64encode(value.encode()).decode("ascii") if scheme == "basic" else value


def _padded(given: str) -> str:
    """Base64 as we write it: some clients leave the padding out."""
    text = given.strip().rstrip("=")
    return text + "=" * (-len(text) % 4)


def check_fresh(timestamp: str, *, past_s: float, future_s: float = limits.clock_skew_s) -> None:
    """The signed instant (Unix seconds) is not too old and not of a time to come. Raises Unauthenticated."""
    if not _DIGITS.fullmatch(timestamp):
        raise refused()
    age_s = clock.now().timestamp() - int(timestamp)
    if not -future_s <= age_s <= past_s:
        raise refused()


def check_hmac(given: Iterable[str], key: str | bytes, *signed: bytes | str) -> None:
    """One of the given hex digests is the HMAC-SHA256 of what was signed. Raises Unauthenticated."""
    check_any(given, hmac_sha256(key, *signed).hex())


def hmac_sha256(key: str | bytes, *signed: bytes | str) -> bytes:
    """The digest of the pieces one after another; a body of 30 MB is not copied for it."""
    digest = hmac.new(key.encode() if isinstance(key, str) else key, digestmod=hashlib.sha256)
    for piece in signed:
        digest.update(piece.encode("utf-8", "replace") if isinstance(piece, str) else piece)
    return digest.digest()


def check_any(given: Iterable[str], expected: str) -> None:
    """One of the given values is the expected one; each is compared, in constant time. Raises Unauthenticated."""
    right = 0
    for one in list(given)[: limits.signatures_max]:
        right += hmac.compare_digest(one.encode("utf-8", "replace"), expected.encode())
    if not right:
        raise refused()


def unbase64(text: str) -> bytes:
    """Bytes that a provider tells in base64; empty when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
