"""Authentication of callers: access tokens (JWT) and API keys in the header `Authorization: Bearer`.

Every request is authenticated, so authentication costs one indexed statement (a second one a minute notes the use) and
no argon2. It reads the role from the database and never from the token. A demotion or a sign-out therefore takes effect
at the next request, before the token expires. The module imports PyJWT at first use, because the import adds 30 ms to a
cold start and a webhook never needs it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import peewee

from models.identity import roles
from models.identity.rules import Principal, Rights, last_use, rights_of_key
from models.identity.sign_in import token_keys
from models.identity.tables import ApiKeyRow, Session
from models.kernel import clock, ids, imports, limits, secret_keys
from models.kernel.errors import Unauthenticated, Unavailable
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.kernel.telemetry import logs

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

log = logs.get("identity")
_ISSUER = "nestor"
API_KEY_PREFIX = "nst_"  # lets secret scanners and people recognise a leaked key


class TokenExpired(Unauthenticated):
    """The access token has expired; exchange your refresh token for a new one."""

    code = "token_expired"


class SessionEnded(Unauthenticated):
    """The session has ended; sign in again."""

    code = "session_ended"


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A short-lived access token, and the refresh token that the client exchanges for the next pair.

    `device_token` makes the device a known one at the next sign-in; it is empty after a refresh.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    device_token: str = field(repr=False)
    expires_in_s: int = limits.access_token_s
    token_type: str = "Bearer"  # noqa: S105 -- RFC 6750's name of the scheme


def fingerprint(secret: str) -> str:
    """Return the form in which API keys and refresh tokens are stored: SHA-256 in hex.

    A fast hash is enough, unlike for passwords, because 256 random bits cannot be guessed at any speed. An index could
    not find a salted slow hash, and a slow hash would cost every request 25 ms.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_api_key() -> str:
    return API_KEY_PREFIX + ids.secret_token(32)


def access_token(user_id: UUID, session_id: UUID, settings: Settings) -> str:
    """Return a signed access token that is valid for `limits.access_token_s` seconds."""
    imports.load("jwt")
    import jwt  # cold start: loaded at the first token

    issued_at_s = int(clock.now().timestamp())
    claims = {
        "iss": _ISSUER,
        "aud": settings.public_url,
        "typ": "access",
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": issued_at_s,
        "exp": issued_at_s + limits.access_token_s,
    }
    pair = token_keys.signing_pair(settings)
    return jwt.encode(claims, pair.private, algorithm=token_keys.ALGORITHM, headers={"kid": pair.published["kid"]})


def authenticate(bearer: str, settings: Settings) -> Principal:
    """Return the principal of this access token or API key.

    Raises Unauthenticated, TokenExpired or SessionEnded. The message names the problem of the token and reveals nothing
    about users.
    """
    if bearer.count(".") == 2:
        user_id, session_id = _read_access_token(bearer, settings)
        with database.connection():
            return _user_of_session(user_id, session_id, settings)
    with database.connection():
        return _owner_of_key(bearer)


def _read_access_token(token: str, settings: Settings) -> tuple[UUID, UUID]:
    imports.load("jwt")
    import jwt  # cold start: loaded at the first token

    try:
        key, algorithm = _key_of(jwt.get_unverified_header(token), settings)
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=_ISSUER,
            audience=settings.public_url,
            # The code below checks the expiry against the desk's clock, which tests and the sandbox can move.
            options={"verify_exp": False, "verify_iat": False, "require": ["sub", "sid", "exp", "iss", "aud"]},
        )
        if claims.get("typ") != "access":
            raise Unauthenticated("the bearer token is not an access token of this desk")
        expires_at_s, user_id, session_id = _instant_s(claims["exp"]), UUID(claims["sub"]), UUID(claims["sid"])
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated("the bearer token is not an access token of this desk") from error
    if expires_at_s <= clock.now().timestamp():
        raise TokenExpired()
    return user_id, session_id


def _key_of(header: Mapping[str, Any], settings: Settings) -> tuple[Ed25519PublicKey | str, str]:
    """Return the key that the token names, and the one algorithm that this key verifies. Raises ValueError.

    Releases before this one signed with the secret itself (HS256). Their tokens stay valid until they expire, so that
    an upgrade signs nobody out.
    """
    key_id, algorithm = header.get("kid"), header.get("alg")
    if algorithm == token_keys.ALGORITHM and isinstance(key_id, str):
        if (public := token_keys.find_public(key_id, settings)) is not None:
            return public, token_keys.ALGORITHM
    elif algorithm == "HS256":
        secrets = settings.accepted_keys()
        for secret in secrets[:1] if key_id is None else secrets:
            if key_id is None or secret_keys.key_id(secret) == key_id:
                return secret, "HS256"
    raise ValueError("the token is signed with a key that the desk does not accept")


def _instant_s(claim: object) -> float:
    """Return a NumericDate (RFC 7519, section 2). Raises ValueError: `Infinity` and `NaN` would never expire."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not math.isfinite(claim):
        raise ValueError("expected a finite number")
    return float(claim)


# Each request executes one of these two, so they are prepared, and join no table for custom roles (see `_rights`).
_SESSION = Prepared(
    "SELECT u.name, u.role, s.id, s.created_at, s.refreshed_at, s.expires_at,"
    " s.last_seen_at, s.authenticated_at FROM sessions AS s JOIN users AS u ON u.id = s.user_id"
    " WHERE s.id = :session_id AND u.id = :user_id AND u.active AND s.revoked_at IS NULL"
)
_KEY = Prepared(
    "SELECT k.id, k.name, k.role, k.scopes, k.owner_id, k.expires_at, k.revoked_at, k.last_used_at, u.active,"
    " u.role AS owner_role FROM api_keys AS k LEFT JOIN users AS u ON u.id = k.owner_id"
    " WHERE k.key_hash = :key_hash"
)


def _user_of_session(user_id: UUID, session_id: UUID, settings: Settings) -> Principal:
    row = database.one(_SESSION, session_id=session_id, user_id=user_id)
    if row is None:
        raise SessionEnded()
    row, now = Session.converted(row), clock.now()
    used_at = last_use(row["last_seen_at"], row["refreshed_at"])
    if row["expires_at"] <= now or (now - used_at).total_seconds() >= settings.session_idle_s:
        raise SessionEnded()
    if _is_noted_now(row["last_seen_at"]):
        _note_use("UPDATE sessions SET last_seen_at = :now WHERE id = :id", session_id)
    rights = _rights(row["role"])
    authenticated_at = row["authenticated_at"] or row["created_at"]
    return Principal("user", user_id, row["name"], rights, user_id, session_id, authenticated_at)


class ReauthenticationRequired(Unauthenticated):
    """This operation needs a recent proof of your password: POST /v1/auth/reauthentication, then repeat the request."""

    code = "reauthentication_required"


def check_recent(principal: Principal) -> None:
    """Raise ReauthenticationRequired if the user proved the password too long ago. An API key has no session.

    The challenge is the one of RFC 9470, section 3.
    """
    proved_at = principal.authenticated_at
    if principal.kind == "api_key":
        return
    if proved_at is None or (clock.now() - proved_at).total_seconds() > limits.reauthentication_s:
        max_age = f"max_age={limits.reauthentication_s}"
        raise ReauthenticationRequired(
            challenge=f'Bearer realm="nestor", error="insufficient_user_authentication", {max_age}'
        )


def _owner_of_key(key: str) -> Principal:
    row = database.one(_KEY, key_hash=fingerprint(key))
    if row is None:
        raise Unauthenticated("the bearer token is neither an access token nor an API key of this desk")
    row = ApiKeyRow.converted(row)
    if row["revoked_at"] is not None:
        raise Unauthenticated("the API key has been revoked")
    expires_at = row["expires_at"]
    if expires_at is not None and expires_at <= clock.now():
        raise Unauthenticated(f"the API key expired at {clock.rfc3339(expires_at)}")
    if not row["active"]:
        raise Unauthenticated("the API key has no active owner")
    owner, role = _rights(row["owner_role"]), _rights(row["role"])
    scopes = None if row["scopes"] is None else roles.from_words(row["scopes"])
    if _is_noted_now(row["last_used_at"]):
        _note_use("UPDATE api_keys SET last_used_at = :now WHERE id = :id", row["id"])
    return Principal("api_key", row["id"], row["name"], rights_of_key(role, scopes, owner), row["owner_id"])


def _is_noted_now(noted_at: datetime | None) -> bool:
    """Return True if the use of a key or session is noted again: at most once in `limits.use_noted_every_s`."""
    return noted_at is None or (clock.now() - noted_at).total_seconds() >= limits.use_noted_every_s


def _note_use(statement: str, row_id: UUID) -> None:
    """Note the use of a key or session. A database that accepts no writes must not prevent the reading of tickets."""
    try:
        with database.transaction():
            database.execute(statement, now=clock.now(), id=row_id)
    except (Unavailable, peewee.OperationalError) as error:
        if database.in_transaction():
            raise
        log.warning("use_not_noted", error=type(error).__name__)


def _rights(role: str) -> Rights:
    """Return the rights of the caller's role. A role that does not exist gives none (a role in use is not deleted).

    A shipped role costs no statement, a custom one a look-up by its primary key.
    """
    rights = roles.rights_of(role)
    if rights is None:
        raise Unauthenticated(f"the role {role} of this caller does not exist any more")
    return rights
