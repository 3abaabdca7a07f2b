"""The SMTP relay of an account, from its URL, its mail service and its OAuth configuration."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from queues.channels.email.oauth.bearer import Bearer, bearer_of
from queues.channels.email.oauth.client import is_used_for, server_url
from queues.channels.email.tls import client_context

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class BadUrl(ValueError):
    """The account's smtp_url cannot be used; the text says why, without the URL."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The SMTP relay, from the credential `smtp_url` or the account's mail service. `bearer`: the login by OAuth."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    ca_file: str | None = None
    bearer: Bearer | None = None

    @property
    def local(self) -> bool:
        return self.host in _LOOPBACK

    @property
    def starttls(self) -> bool:
        """Return True if the connection uses STARTTLS: a relay on this machine has no checkable certificate unless the
        account names a CA.
        """
        return self.ca_file is not None or not self.local

    @property
    def tls_required(self) -> bool:
        return self.ca_file is not None

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that checks certificate and host name by the machine's authorities and the account's."""
        return client_context(self.ca_file)


def relay_of(account: ChannelAccount, settings: Settings) -> Relay:
    """Return the account's relay. Raises ConfigurationError, BadUrl."""
    url = server_url(account, "smtp") if is_used_for(account, "smtp") else ""
    relay = relay_at(url or account.credential("smtp_url", settings), ca_file=account.config.get("smtp_ca_file"))
    bearer = bearer_of(
        account, settings, "smtp", host=relay.host, port=relay.port, user=relay.user, password=relay.password
    )
    return relay if bearer is None else replace(relay, bearer=bearer)


def relay_at(url: str, *, ca_file: str | None = None) -> Relay:
    """Read `smtp://[user:password@]host[:port]` or `smtps://...`; `ca_file` is of a private CA. Raises BadUrl."""
    if ca_file is not None and not Path(ca_file).is_file():
        raise BadUrl("smtp_ca_file: there is no such file")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise BadUrl("smtp_url: expected smtp://host:port or smtps://host:port")
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Relay(parts.hostname, port or (465 if tls else 25), tls, user, password, ca_file)
