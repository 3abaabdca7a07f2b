"""The configured OAuth client of an account: addresses, scopes and secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from queues.channels.email.oauth import assertion, services
from queues.channels.email.oauth.account import OAuth, Protocol
from queues.channels.email.oauth.assertion import ServiceAccount
from queues.channels.email.oauth.services import Service


@dataclass(frozen=True, slots=True)
class Client:
    """The client of one account. `first_token`: the configured refresh token; empty if there is none."""

    grant: Literal["refresh_token", "client_credentials", "service_account"]
    client_id: str
    client_secret: str = field(repr=False)
    first_token: str = field(repr=False)
    token_url: str
    device_url: str
    authorize_url: str
    scopes: tuple[str, ...]
    consent_parameters: tuple[tuple[str, str], ...]
    user: str
    service_account: ServiceAccount | None
    # The sentence that tells the operator how to get another refresh token.
    way_out: str

    def form(self, refresh_token: str) -> dict[str, str]:
        """Return the token request (RFC 6749 sections 4.4.2 and 6, RFC 7523 section 2.1).

        Raises ConfigurationError without a token, and for an unusable key.
        """
        if self.service_account is not None:
            signed = assertion.signed(self.service_account, audience=self.token_url, scopes=self.scopes, user=self.user)
            return {"grant_type": assertion.GRANT_TYPE, "assertion": signed}
        told = {"grant_type": self.grant, **self.identity(), "scope": " ".join(self.scopes)}
        if self.grant == "refresh_token":
            if not refresh_token:
                raise ConfigurationError(f"the account has no refresh token yet; {self.way_out}")
            told["refresh_token"] = refresh_token
        return {name: value for name, value in told.items() if value}

    def identity(self) -> dict[str, str]:
        """Return the client's part of a request; a public client has no secret."""
        told = {"client_id": self.client_id}
        return {**told, "client_secret": self.client_secret} if self.client_secret else told


def oauth_of(account: ChannelAccount) -> OAuth | None:
    """Return the account's OAuth configuration, which was checked at publishing; None without one."""
    found = account.config.get("oauth")
    return None if found is None else msgspec.convert(found, OAuth)


def is_used_for(account: ChannelAccount, protocol: Protocol) -> bool:
    """Return True if the account logs in to this protocol's server by OAuth."""
    oauth = oauth_of(account)
    return oauth is not None and protocol in oauth.use_for


def client_of(account: ChannelAccount, settings: Settings) -> Client:
    """Read the account's client and its secrets. Raises ConfigurationError."""
    oauth = oauth_of(account)
    if oauth is None:
        raise ConfigurationError(f"channel account {account.channel}/{account.name} has no key `oauth`")
    service = _service(oauth)
    default = service.client_scopes if oauth.grant == "client_credentials" else service.scopes
    key = None if oauth.service_account is None else assertion.read(settings.secret(oauth.service_account.secret))
    return Client(
        grant=oauth.grant,
        client_id=oauth.client_id if key is None else key.client_email,
        client_secret="" if oauth.client_secret is None else settings.secret(oauth.client_secret.secret),
        first_token="" if oauth.refresh_token is None else settings.secret(oauth.refresh_token.secret),
        token_url=oauth.token_url or service.token_url,
        device_url=oauth.device_url or service.device_url,
        authorize_url=oauth.authorize_url or service.authorize_url,
        scopes=tuple(default if oauth.scopes is None else oauth.scopes),
        consent_parameters=tuple(service.consent_parameters.items()),
        user=user_of(account),
        service_account=key,
        way_out=f"get another one by `python -m scripts.channels authorize {account.channel}.{account.name}`",
    )


def user_of(account: ChannelAccount) -> str:
    """Return the mailbox that logs in: `oauth.user`, else the account's address."""
    oauth = oauth_of(account)
    return (oauth.user if oauth is not None else None) or str(account.config.get("address", ""))


def server_url(account: ChannelAccount, protocol: Protocol) -> str:
    """Return the address of the service's mail server; empty when the account names its own."""
    oauth = oauth_of(account)
    if oauth is None or account.config.get(f"{protocol}_url") is not None:
        return ""
    service = _service(oauth)
    return service.imap_url if protocol == "imap" else service.smtp_url


def _service(oauth: OAuth) -> Service:
    if oauth.service == "microsoft":
        return services.microsoft(oauth.tenant or "common")
    return services.google() if oauth.service == "google" else Service("", token_url=oauth.token_url or "")
