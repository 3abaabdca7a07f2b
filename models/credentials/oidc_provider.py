"""The OpenID provider that the settings name (OpenID Connect Core 1.0 and Discovery 1.0), and who of its users may
come.

The network calls are in the gateway. This module only reads settings, metadata and claims.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.identity import rules
from models.kernel import settings
from models.kernel.errors import ConfigurationError, NotFound, Unauthenticated

CALLBACK_PATH = "/oidc/callback"
SECRET_NAME = "oidc_client_secret"  # noqa: S105 -- the name of a credential
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class OidcNotConfigured(NotFound):
    """The desk has no OpenID provider."""

    code = "oidc_not_configured"


class OidcRefused(Unauthenticated):
    """The OpenID provider's answer does not permit a sign-in."""

    code = "oidc_refused"


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider as the settings describe it."""

    issuer: str
    client_id: str
    scopes: str
    redirect_url: str
    roles_claim: str
    roles: tuple[tuple[str, str], ...]
    domains: frozenset[str]
    link_by_email: bool
    create_users: bool


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of the provider's metadata that the desk uses (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    secret_by_post: bool = False
    names_issuer: bool = False


def configured() -> Provider:
    """Return the provider. Raises OidcNotConfigured, or ConfigurationError that names the setting."""
    config = settings.current()
    if not config.oidc_issuer:
        raise OidcNotConfigured()
    if not config.oidc_client_id:
        raise ConfigurationError("OIDC_CLIENT_ID: expected the name of this desk at the provider")
    if not may_be_called(config.oidc_issuer):
        raise ConfigurationError("OIDC_ISSUER: expected an https address")
    return Provider(
        issuer=config.oidc_issuer,
        client_id=config.oidc_client_id,
        scopes=config.oidc_scopes,
        redirect_url=f"{config.public_url.rstrip('/')}{CALLBACK_PATH}",
        roles_claim=config.oidc_roles_claim,
        roles=tuple(_roles(config.oidc_roles)),
        domains=frozenset(word.strip().lower() for word in config.oidc_domains.split(",")) - {""},
        link_by_email=config.oidc_link_by_email,
        create_users=config.oidc_create_users,
    )


def client_secret() -> str | None:
    """Return the secret of the desk at the provider; None for a public client, which PKCE alone protects."""
    try:
        return settings.current().secret(SECRET_NAME)
    except ConfigurationError:
        return None


def may_be_called(url: str) -> bool:
    """Return True if the desk sends a request to this address: https, or plain http on this machine for tests."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def read_metadata(document: Any, provider: Provider) -> Metadata:
    """Read the provider's metadata. Raises OidcRefused if it is another issuer's or names unsafe addresses."""
    if not isinstance(document, dict) or document.get("issuer") != provider.issuer:
        raise OidcRefused("the metadata of the OpenID provider names another issuer than OIDC_ISSUER")
    urls = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(url, str) and may_be_called(url) for url in urls):
        raise OidcRefused("the metadata of the OpenID provider lacks an https address")
    methods = document.get("token_endpoint_auth_methods_supported")
    by_post = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    names_issuer = document.get("authorization_response_iss_parameter_supported") is True
    authorization, token, keys = map(str, urls)
    return Metadata(authorization, token, keys, secret_by_post=by_post, names_issuer=names_issuer)


def check_issuer(given: str | None, provider: Provider, metadata: Metadata) -> None:
    """Refuse the response of another provider (RFC 9207). Raises OidcRefused."""
    if given is None and not metadata.names_issuer:
        return
    if not hmac.compare_digest((given or "").encode("utf-8", "replace"), provider.issuer.encode()):
        raise OidcRefused("the response names another issuer")


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the address that the provider has verified, in the form in which the desk stores addresses."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    email = rules.normalise_email(email)
    return None if rules.email_problems(email) else email


def check_domain(claims: Mapping[str, Any], provider: Provider) -> None:
    """Refuse a user whose verified address is of no permitted domain. Raises OidcRefused."""
    if provider.domains and (verified_email(claims) or "").rpartition("@")[2] not in provider.domains:
        raise OidcRefused("the address is not verified, or not of a permitted domain")


def role_of(claims: Mapping[str, Any], provider: Provider) -> str | None:
    """Return the role for the user, by the first entry of OIDC_ROLES whose value the claim has.

    Returns None if OIDC_ROLES is empty: roles are then the desk's own. Raises OidcRefused if no entry fits.
    """
    if not provider.roles:
        return None
    value: Any = claims
    for key in provider.roles_claim.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    held = {value} if isinstance(value, str) else set(_texts(value))
    for group, role in provider.roles:
        if group in held:
            return role
    raise OidcRefused("no group of the user has a role at this desk")


def _texts(value: Any) -> Iterable[str]:
    return (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _roles(text: str) -> Iterable[tuple[str, str]]:
    for entry in filter(None, (part.strip() for part in text.split(","))):
        group, equals, role = entry.rpartition("=")
        if not equals or not group.strip() or not role.strip():
            raise ConfigurationError(f"OIDC_ROLES: expected group=role, found {entry[:80]!r}")
        yield group.strip(), role.strip()
