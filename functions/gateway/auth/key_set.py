"""/.well-known/jwks.json: the public keys that verify the desk's access tokens."""

from __future__ import annotations

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.identity.sign_in import token_keys
from models.kernel import limits, settings

operations = Operations()


class PublicKey(msgspec.Struct):
    """An Ed25519 public key as a JWK (RFC 8037, section 2)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class KeySet(msgspec.Struct):
    """A JWK Set (RFC 7517, section 5): the key that signs comes first, then the accepted ones."""

    keys: list[PublicKey]


@operations.add(
    "GET",
    "/.well-known/jwks.json",
    summary="Get the public keys of access tokens",
    public=True,
    unlocked=True,
    answers={200: KeySet},
)
def key_set(call: Call) -> Answer:
    """Another service verifies an access token with these keys: `alg` EdDSA, `iss` nestor, `aud` the desk's public URL.
    A valid signature does not show that the session still lasts; only the desk knows that.
    """
    keys = [PublicKey(**key) for key in token_keys.published(settings.current())]
    fresh = f"public, max-age={limits.key_set_cache_s}"
    return Answer(KeySet(keys), headers={"Cache-Control": fresh})
