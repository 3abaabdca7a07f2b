"""The proof of a service's request: a token in a header, or a signature over parts of the request.

Every cold start imports it: only the standard library, msgspec and modules of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.kernel import clock
from models.kernel.errors import ConfigurationError, Unauthenticated
from queues.described import limits
from queues.described.vocabulary import Pairs, Signing

REFUSED = "this webhook needs the channel account's secret"


def credential(signing: Signing, kind: str, headers: Mapping[str, str]) -> str | None:
    """Return the token (`bearer`), or user and password (`basic`), that the request carries."""
    if signing.header is None:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        given = rest.strip() if scheme.lower() == kind else None
    else:
        given = headers.get(signing.header.lower())
        given = None if given is None else given.removeprefix(signing.prefix)
    return _decoded(given) if kind == "basic" and given is not None else given


def check(signing: Signing, secret: str, headers: Mapping[str, str], parts: Mapping[str, bytes]) -> None:
    """Check the HMAC of the request, and its age if it has a timestamp. `parts`: the values of further placeholders.

    Raises Unauthenticated, the same for each fault; ConfigurationError for a malformed secret.
    """
    offered = offered_by(signing, headers)
    wanted = expected(signing, key_of(signing, secret), offered.parts(parts))
    right = False
    for given in offered.signatures:
        right |= hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
    if not right or not is_in_time(signing, offered.timestamp):
        raise Unauthenticated(REFUSED)


@dataclass(frozen=True, slots=True)
class Offered:
    """A request's signatures (several while a secret rotates), its timestamp and its id; empty when missing."""

    signatures: list[str]
    timestamp: str
    message_id: str

    def parts(self, further: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the values of all placeholders of `signed`."""
        return {
            **further,
            "timestamp": self.timestamp.encode("utf-8", "replace"),
            "id": self.message_id.encode("utf-8", "replace"),
        }


def offered_by(signing: Signing, headers: Mapping[str, str]) -> Offered:
    header = headers.get((signing.header or "").lower(), "")
    timestamp = headers.get((signing.timestamp_header or "").lower(), "")
    message_id = headers.get((signing.id_header or "").lower(), "")
    if signing.pairs is None:
        offered = header.split()[: limits.signatures_max]
    else:
        offered, paired = _from_pairs(signing.pairs, header)
        timestamp = timestamp if signing.pairs.timestamp is None else paired
    found = [one.removeprefix(signing.prefix) for one in offered if one.startswith(signing.prefix)]
    return Offered([one.lower() if signing.encoding == "hex" else one for one in found], timestamp, message_id)


def _from_pairs(wanted: Pairs, header: str) -> tuple[list[str], str]:
    """Return the signatures and the timestamp of a header such as `t=1,v1=ab`."""
    pairs = [one.strip().partition("=")[::2] for one in header.split(",")[: limits.signatures_max]]
    signatures = [given for name, given in pairs if name == wanted.signature]
    return signatures, next((given for name, given in pairs if name == wanted.timestamp), "")


def key_of(signing: Signing, secret: str) -> bytes:
    """Return the key's bytes. Raises ConfigurationError, whose message does not contain the value."""
    try:
        if signing.key_format == "base64":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        return bytes.fromhex(secret) if signing.key_format == "hex" else secret.encode()
    except ValueError as error:
        raise ConfigurationError(f"auth.secret: its value is not {signing.key_format}") from error


def expected(signing: Signing, key: bytes, parts: Mapping[str, bytes]) -> str:
    """Return the signature of the parts, without its prefix."""
    digest = hmac.new(key, digestmod=signing.algorithm)
    for piece in signed_bytes(signing, parts):
        digest.update(piece)
    return digest.hexdigest() if signing.encoding == "hex" else base64.b64encode(digest.digest()).decode()


def signed_bytes(signing: Signing, parts: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the signed bytes, piece by piece. One pass over the template, so that a header's value is never read as a
    placeholder.
    """
    places = {f"{{{name}}}": value for name, value in parts.items()}
    rest = signing.signed
    while rest:
        at, place = min(((rest.find(p), p) for p in places if p in rest), default=(len(rest), ""))
        yield rest[:at].encode()
        yield places.get(place, b"")
        rest = rest[at + len(place) :]


def is_in_time(signing: Signing, timestamp: str) -> bool:
    """Return True if the request is young enough, or has no timestamp."""
    if not signing.has_timestamp():
        return True
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 13):
        return False
    said = int(timestamp) / (1000 if len(timestamp) == 13 else 1)
    return abs(clock.now().timestamp() - said) <= signing.tolerance_s


def nonce(signing: Signing, headers: Mapping[str, str], parts: Mapping[str, bytes]) -> tuple[str, float] | None:
    """Return the nonce, and how long to remember it, of a signature that covers no body or no timestamp; None for
    another one.

    The nonce keeps such a signature from being used again with other bytes. It is a digest of the signed bytes, because
    the sender chooses freely what else a request contains.
    """
    if "{body}" in signing.signed and signing.has_timestamp():
        return None
    digest = hashlib.sha256()
    for piece in signed_bytes(signing, offered_by(signing, headers).parts(parts)):
        digest.update(piece)
    # A timestamp may be as far in the future as in the past, so the signature stays valid twice as long.
    remembered_s = signing.tolerance_s * (2 if signing.has_timestamp() else 1)
    return digest.hexdigest(), float(remembered_s)


def _decoded(given: str) -> str | None:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
