"""Sign in by an OpenID provider: authorization code flow with PKCE (RFC 7636), state and nonce.

State, nonce and code verifier are derived from the challenge's token, which only the client has and the database knows
as a hash. A response therefore counts only in the browser that began the sign-in, and once.

A user is recognised by issuer and subject, never by the address: addresses change hands. The first time, a verified
address can link an existing user or create one, if the settings permit it. The provider is responsible for the second
factor.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from models.credentials import challenges, oidc_provider
from models.credentials.oidc_provider import Metadata, OidcRefused, Provider
from models.credentials.tables import OidcLink
from models.desk_mail import commands as desk_mail
from models.events import desk_payloads, history
from models.events.commands import SYSTEM
from models.identity import commands, queries
from models.identity.queries import User
from models.identity.sign_in import sessions
from models.identity.sign_in.tokens import TokenPair
from models.kernel import clock, limits
from models.kernel.storage import database
from models.kernel.telemetry import logs

log = logs.get("oidc")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The values of one sign-in. `code_verifier` goes to the token endpoint, `nonce` must be in the ID token."""

    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


def begin(provider: Provider, metadata: Metadata, *, client: str) -> tuple[str, str]:
    """Return a challenge and the address where the user signs in. Raises TooManyRequests."""
    with database.transaction():
        token = challenges.make_for_anybody("oidc", client=client)
    digest = hashlib.sha256(_derived(token, "verifier").encode()).digest()
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_url,
        "scope": provider.scopes,
        "state": _derived(token, "state"),
        "nonce": _derived(token, "nonce"),
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    separator = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return token, f"{metadata.authorization_endpoint}{separator}{urlencode(query)}"


def use(challenge_token: str, state: str) -> Attempt:
    """End the challenge, before the code is exchanged, so that a response counts once.

    Raises ChallengeEnded, or OidcRefused for the state of another sign-in.
    """
    assert not database.in_transaction(), "a refused response ends its challenge although its request fails"
    with database.transaction():
        challenges.use(challenges.lock(challenge_token, "oidc"))
    if not hmac.compare_digest(_derived(challenge_token, "state").encode(), state.encode("utf-8", "replace")):
        raise OidcRefused("the response belongs to another sign-in")
    return Attempt(_derived(challenge_token, "nonce"), _derived(challenge_token, "verifier"))


def finish(claims: Mapping[str, Any], provider: Provider, *, client: str) -> TokenPair:
    """Open a session of the user whom the claims name. Raises OidcRefused."""
    oidc_provider.check_domain(claims, provider)
    role = oidc_provider.role_of(claims, provider)
    with database.transaction():
        user_id = _linked(provider, str(claims["sub"])) or _link(claims, provider, role)
        if role is not None:
            _give_role(user_id, role)
        user = queries.lock_user(user_id)
        if not user.active:
            raise OidcRefused("the user is deactivated")
        return sessions.start(user.id, user.name, client=client)


def _linked(provider: Provider, subject: str) -> UUID | None:
    this = (OidcLink.issuer == provider.issuer) & (OidcLink.subject == subject)
    found = OidcLink.get_or_none(this)
    if found is None:
        return None
    OidcLink.update(last_used_at=clock.now()).where(this).execute()
    user_id: UUID = found.user_id
    return user_id


def _link(claims: Mapping[str, Any], provider: Provider, role: str | None) -> UUID:
    """Link a subject that is seen the first time, to the user with its verified address or to a new one."""
    email = oidc_provider.verified_email(claims)
    user = None if email is None else queries.find_by_email(email)
    if user is not None and not provider.link_by_email:
        raise OidcRefused("a user with this address exists and is not linked to the provider")
    if user is None:
        user = _created(claims, email, provider, role)
    queries.lock_user(user.id)
    if OidcLink.select().where(OidcLink.issuer == provider.issuer, OidcLink.user_id == user.id).exists():
        raise OidcRefused("the user is linked to another account of the provider")
    OidcLink.insert(
        issuer=provider.issuer,
        subject=str(claims["sub"]),
        user_id=user.id,
        created_at=clock.now(),
        last_used_at=clock.now(),
    ).execute()
    happened = desk_payloads.OidcLinked(issuer=provider.issuer)
    history.append("user", user.id, [happened], actor=SYSTEM, at=clock.now())
    desk_mail.notify("oidc_linked", user, {"issuer": provider.issuer})
    return user.id


def _created(claims: Mapping[str, Any], email: str | None, provider: Provider, role: str | None) -> User:
    if email is None or not provider.create_users or role is None:
        raise OidcRefused("the desk has no user for this account of the provider")
    name = claims.get("name")
    shown = name if isinstance(name, str) and name.strip() else email.partition("@")[0]
    return commands.create_user(email, shown[: limits.name_chars_max], None, role, actor=SYSTEM)


def _give_role(user_id: UUID, role: str) -> None:
    """Give the role that the claims say. The last administrator keeps the role, or nobody could manage the desk."""
    try:
        commands.update_user(user_id, {"role": role}, expected_version=None, actor=SYSTEM)
    except commands.LastAdmin:
        log.warning("oidc_role_of_last_admin_kept", user_id=user_id)


def _derived(token: str, purpose: str) -> str:
    digest = hmac.new(token.encode("utf-8", "replace"), b"nestor oidc " + purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
