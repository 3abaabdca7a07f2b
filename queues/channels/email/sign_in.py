"""Get and check the OAuth tokens of an account, for `python -m scripts.channels`."""

from __future__ import annotations

from collections.abc import Callable

from models.channels.accounts import ChannelAccount
from models.kernel.errors import NestorError
from models.kernel.settings import Settings
from queues.channel_port import Finding
from queues.channels.email.oauth import consent, tokens
from queues.channels.email.oauth.client import oauth_of


def wants(account: ChannelAccount) -> bool:
    """Return True if the account has the key `oauth`."""
    return oauth_of(account) is not None


def check(account: ChannelAccount, settings: Settings) -> Finding:
    """Get an access token from the authorization server, unless a stored one is still good."""
    try:
        tokens.access_token(account, settings)
    except NestorError as error:
        return Finding(False, f"oauth: {error.message}")
    if tokens.lost_a_refresh_token(account, settings):
        return Finding(
            False,
            "oauth: the authorization server gave another refresh token, which is lost without the desk's database:"
            " repeat this with DATABASE_URL, and get a new refresh token if the old one has ended",
        )
    return Finding(True, "oauth: the authorization server gave an access token")


def authorize(
    account: ChannelAccount, settings: Settings, tell: Callable[[str], None], ask: Callable[[str], str]
) -> str:
    """Get a refresh token by a person's consent, and store it if this process has a database; returns it."""
    grant = consent.authorize(account, settings, tell, ask)
    tokens.adopt(account, settings, grant)
    assert grant.refresh_token is not None, "a consent without a refresh token is refused"
    return grant.refresh_token
