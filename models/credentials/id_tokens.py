"""The check of an ID token (OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725).

PyJWT checks the signature, with the key that the token names and that key's algorithm. Symmetric algorithms and `none`
are refused before. The desk's clock, which tests can move, decides about the instants.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Mapping
from typing import Any

from models.credentials.oidc_provider import OidcRefused, Provider
from models.kernel import clock, imports, limits

_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})

# Returns the JSON Web Key of a key id (None: the token names none), or None.
FindKey = Callable[[str | None], Mapping[str, Any] | None]


def verify(token: str, provider: Provider, *, nonce: str, find_key: FindKey) -> Mapping[str, Any]:
    """Return the claims of a valid ID token. Raises OidcRefused with the reason."""
    imports.load("jwt")
    import jwt  # cold start: loaded at the first token

    if len(token) > limits.id_token_chars_max:
        raise OidcRefused("the ID token is too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in _ALGORITHMS:
            raise OidcRefused("the ID token is not signed by a permitted algorithm")
        found = find_key(key_id if isinstance(key_id, str) else None)
        if found is None or found.get("use", "sig") != "sig" or found.get("alg", algorithm) != algorithm:
            raise OidcRefused("the ID token is signed by a key that the provider does not publish")
        key = jwt.PyJWK(dict(found), algorithm).key
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[str(algorithm)],
            # The code below checks the instants against the desk's clock, and the audience.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise OidcRefused(f"the ID token is not valid ({type(error).__name__})") from error
    _check_parties(claims, provider)
    _check_instants(claims)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), nonce.encode()):
        raise OidcRefused("the ID token belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= limits.oidc_subject_chars_max or "\x00" in subject:
        raise OidcRefused("the ID token names no user")
    return claims


def _check_parties(claims: Mapping[str, Any], provider: Provider) -> None:
    if claims.get("iss") != provider.issuer:
        raise OidcRefused("the ID token is of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in audiences:
        raise OidcRefused("the ID token is for another client")
    authorised = claims.get("azp", None if len(audiences) > 1 else provider.client_id)
    if authorised != provider.client_id:
        raise OidcRefused("the ID token was issued to another client")


def _check_instants(claims: Mapping[str, Any]) -> None:
    now_s = clock.now().timestamp()
    if not _number(claims.get("exp")) or claims["exp"] <= now_s - limits.oidc_clock_difference_s_max:
        raise OidcRefused("the ID token has expired")
    for name in ("iat", "nbf"):
        if name in claims and (not _number(claims[name]) or claims[name] > now_s + limits.oidc_clock_difference_s_max):
            raise OidcRefused("the ID token is from the future")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
