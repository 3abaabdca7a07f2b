"""The login by an access token: SASL XOAUTH2 and OAUTHBEARER (RFC 7628).

Source of XOAUTH2: https://developers.google.com/gmail/imap/xoauth2-protocol
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from queues.channels.email.oauth import tokens
from queues.channels.email.oauth.account import Protocol
from queues.channels.email.oauth.client import is_used_for, oauth_of, user_of


@dataclass
class Bearer:
    """The login of one connection. `renew` replaces a token that the server refused."""

    account: ChannelAccount
    settings: Settings = field(repr=False)
    mechanism: str
    user: str
    # The server's host and port, which OAUTHBEARER names.
    host: str
    port: int
    _token: str = field(default="", repr=False)

    def prepare(self) -> None:
        """Get an access token before a connection is opened. Raises ConfigurationError, TransientFailure."""
        self._token = tokens.access_token(self.account, self.settings)

    def renew(self) -> None:
        """Get another token than the refused one. Raises ConfigurationError, TransientFailure."""
        self._token = tokens.access_token(self.account, self.settings, refused=self._token)

    def first_response(self) -> str:
        """Return the initial client response."""
        if self.mechanism == "OAUTHBEARER":
            # RFC 5801 section 4: `=` and `,` are escaped in the name.
            name = self.user.replace("=", "=3D").replace(",", "=2C")
            return f"n,a={name},\1host={self.host}\1port={self.port}\1auth=Bearer {self._token}\1\1"
        return f"user={self.user}\1auth=Bearer {self._token}\1\1"

    def answer_to_error(self) -> str:
        """Return the response to the server's error document, after which the server ends the login."""
        # RFC 7628 section 3.2.3 wants %x01; XOAUTH2 wants an empty response.
        return "\1" if self.mechanism == "OAUTHBEARER" else ""


def bearer_of(
    account: ChannelAccount, settings: Settings, protocol: Protocol, *, host: str, port: int, user: str, password: str
) -> Bearer | None:
    """Return the OAuth login for a server; None when the account logs in by a password, or not at all.

    Raises ConfigurationError when the server's URL has a password as well.
    """
    oauth = oauth_of(account)
    if oauth is None or not is_used_for(account, protocol):
        return None
    if password:
        raise ConfigurationError(
            f"{protocol}_url: it has a password, and `oauth` logs in without one: remove one of them, or list the"
            " other protocol in oauth.use_for"
        )
    return Bearer(account, settings, oauth.mechanism.upper(), user or user_of(account), host, port)
