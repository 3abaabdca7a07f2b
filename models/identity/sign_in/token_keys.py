"""The keys that sign access tokens: Ed25519 pairs (RFC 8037), derived from SECRET_KEY and SECRET_KEYS_ACCEPTED.

A process needs no further secret and no store of keys: the same SECRET_KEY gives the same pair everywhere. The public
halves are published as a JWK Set (RFC 7517), so that another service can verify a token without being able to make one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypedDict

from models.kernel import imports
from models.kernel.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM: Final = "EdDSA"  # RFC 8037, section 3.1
_PURPOSE: Final = b"nestor access tokens, Ed25519"  # another purpose of SECRET_KEY never derives the same seed


class PublicKey(TypedDict):
    """A public key as a JWK (RFC 8037, section 2). `x` is base64url; `kid` is its thumbprint (RFC 7638)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key, its public half, and the published form of the latter."""

    private: Ed25519PrivateKey = field(repr=False)
    public: Ed25519PublicKey
    published: PublicKey


def signing_pair(settings: Settings) -> KeyPair:
    """Return the pair that signs: the one of SECRET_KEY."""
    return _pair(settings.signing_key())


def find_public(key_id: str, settings: Settings) -> Ed25519PublicKey | None:
    """Return the public key of this ID among those of all accepted secrets, or None."""
    for secret in settings.accepted_keys():
        pair = _pair(secret)
        if pair.published["kid"] == key_id:
            return pair.public
    return None


def published(settings: Settings) -> list[PublicKey]:
    """Return the public keys that verify access tokens of this desk, the signing one first."""
    return [_pair(secret).published for secret in settings.accepted_keys()]


@lru_cache(maxsize=8)  # a rotation has two or three secrets; a derivation costs 0.2 ms
def _pair(secret: str) -> KeyPair:
    imports.load("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives.asymmetric import ed25519  # cold start: loaded at the first token

    # HKDF-Expand with one block (RFC 5869, section 2.3): the secret is already a strong key.
    seed = hmac.new(secret.encode("utf-8"), _PURPOSE + b"\x01", hashlib.sha256).digest()
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key()
    return KeyPair(private, public, _jwk(public.public_bytes_raw()))


def _jwk(public: bytes) -> PublicKey:
    x = _base64url(public)
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    thumbprint = _base64url(hashlib.sha256(members.encode("ascii")).digest())
    return PublicKey(kty="OKP", crv="Ed25519", x=x, kid=thumbprint, alg=ALGORITHM, use="sig")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
