"""Passkeys (Web Authentication Level 3, W3C): register one, and sign in with it.

The authenticator verifies the user (by PIN, finger or face), so a passkey is a second factor after the password, and
also signs in alone. The relying party is the host of PUBLIC_URL, and a response from another origin is refused. The
options are built here; the `webauthn` package verifies the responses and is loaded before the first verification.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from models.credentials import second_factors
from models.credentials.tables import SecondFactor
from models.definitions import desk
from models.events.commands import Actor
from models.identity import rules
from models.identity.queries import User
from models.kernel import clock, imports, limits, settings
from models.kernel.errors import Conflict, Invalid
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.telemetry import logs

log = logs.get("passkeys")

_CHALLENGE_BYTES = 32
# EdDSA, ES256 and RS256 (COSE algorithm identifiers, RFC 9053): what authenticators and Windows Hello have.
_ALGORITHMS = (-8, -7, -257)
_PUBLIC_KEY = "public-key"


class PasskeyRefused(Conflict):
    """The response of the passkey is not valid; try again."""

    code = "passkey_refused"


def preload() -> None:
    """Load the package. Call it before rows are locked, because the first call takes half a second."""
    imports.load("webauthn", "webauthn.helpers.exceptions")


def new_challenge() -> str:
    """Return the random bytes that the authenticator signs, in base64url."""
    return _in_base64url(secrets.token_bytes(_CHALLENGE_BYTES))


def creation_options(user: User, challenge: str) -> JsonObject:
    """Return the `publicKey` of `navigator.credentials.create()`, with binary values in base64url."""
    existing = [factor.credential_id for factor in _passkeys(SecondFactor.user_id == user.id)]
    return {
        "challenge": challenge,
        "rp": {"id": _rp_id(), "name": desk.current().desk},
        "user": {"id": _in_base64url(user.id.bytes), "name": user.email, "displayName": user.name},
        "pubKeyCredParams": [{"type": _PUBLIC_KEY, "alg": number} for number in _ALGORITHMS],
        "timeout": round(limits.challenge_s * 1000),
        "excludeCredentials": [{"type": _PUBLIC_KEY, "id": one} for one in existing],
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "required"},
        "attestation": "none",
    }


def request_options(user_id: UUID | None, challenge: str) -> JsonObject:
    """Return the `publicKey` of `navigator.credentials.get()`.

    Without a user, the list of passkeys is empty: the browser offers those that it has, and nobody learns whose they
    are.
    """
    allowed = [] if user_id is None else _passkeys(SecondFactor.user_id == user_id)
    return {
        "challenge": challenge,
        "rpId": _rp_id(),
        "timeout": round(limits.challenge_s * 1000),
        "allowCredentials": [{"type": _PUBLIC_KEY, "id": factor.credential_id} for factor in allowed],
        "userVerification": "required",
    }


def register(user: User, name: str, credential: Mapping[str, Any], challenge: str, *, actor: Actor) -> list[str] | None:
    """Add a passkey; returns the recovery codes with the first second factor, else None.

    The caller has locked the user's row. Raises PasskeyRefused, Invalid.
    """
    if problems := rules.name_problems(name):
        raise Invalid(problems)
    from webauthn import verify_registration_response  # preloaded; a cold start does not need it

    verified = _verified(
        lambda: verify_registration_response(
            credential=dict(credential),
            expected_challenge=_from_base64url(challenge),
            expected_rp_id=_rp_id(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    )
    credential_id = _in_base64url(verified.credential_id)
    if _passkeys(SecondFactor.credential_id == credential_id):
        raise PasskeyRefused("this passkey is registered already")
    factor_id, now = new_id(), clock.now()
    SecondFactor.insert(
        id=factor_id,
        user_id=user.id,
        kind="passkey",
        name=name.strip(),
        credential_id=credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        created_at=now,
        confirmed_at=now,
    ).execute()
    return second_factors.added(user, factor_id, "passkey", actor=actor)


def owner(credential: Mapping[str, Any]) -> UUID | None:
    """Return the user whose passkey this response names; the response is not verified yet."""
    found = _passkeys(SecondFactor.credential_id == str(credential.get("id"))[: limits.credential_id_chars_max])
    return found[0].user_id if found else None


def use(user_id: UUID, credential: Mapping[str, Any], challenge: str) -> bool:
    """Verify the response of a passkey of this user; returns False if it is not valid.

    A counter that did not grow shows a copy of the authenticator, and is refused. The caller has locked the user's row.
    """
    this = (SecondFactor.user_id == user_id) & (SecondFactor.credential_id == str(credential.get("id")))
    found = _passkeys(this)
    if not found:
        return False
    factor = found[0]
    from webauthn import verify_authentication_response  # preloaded; a cold start does not need it

    try:
        verified = _verified(
            lambda: verify_authentication_response(
                credential=dict(credential),
                expected_challenge=_from_base64url(challenge),
                expected_rp_id=_rp_id(),
                expected_origin=_origin(),
                credential_public_key=bytes(factor.public_key or b""),
                credential_current_sign_count=factor.sign_count or 0,
                require_user_verification=True,
            )
        )
    except PasskeyRefused as error:
        log.warning("passkey_refused", user_id=user_id, factor_id=factor.id, reason=error.message)
        return False
    SecondFactor.update(sign_count=verified.new_sign_count, last_used_at=clock.now()).where(
        SecondFactor.id == factor.id
    ).execute()
    return True


def _verified(verify: Callable[[], Any]) -> Any:
    """Call the package and turn each of its errors, and those of a malformed response, into PasskeyRefused."""
    from webauthn.helpers.exceptions import WebAuthnException  # preloaded

    try:
        return verify()
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise PasskeyRefused(f"the response of the passkey is not valid ({type(error).__name__})") from error


def _passkeys(condition: Any) -> list[SecondFactor]:
    query = SecondFactor.select().where(SecondFactor.kind == "passkey", condition)
    return list(query.order_by(SecondFactor.created_at, SecondFactor.id))


def _rp_id() -> str:
    return urlsplit(settings.current().public_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings.current().public_url)
    return f"{parts.scheme}://{parts.netloc}"


def _in_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _from_base64url(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise PasskeyRefused() from error
