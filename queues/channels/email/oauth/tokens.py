"""The access token of an account: kept with its expiry, renewed early, and at once after a mail server refused it.

Tokens are kept in the process and, encrypted, in the database (`models/channels/oauth_tokens.py`), so that the
processes of a desk share them and a replaced refresh token outlives them. A command that runs without a database keeps
them in the process only.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from models.channels import oauth_tokens
from models.channels.accounts import ChannelAccount
from models.channels.oauth_tokens import Tokens
from models.kernel import clock
from models.kernel.errors import ConfigurationError, NestorError, TransientFailure
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from queues.channels.email.oauth import endpoint, limits
from queues.channels.email.oauth.client import Client, client_of

log = logs.get("oauth")


@dataclass
class _Kept:
    """This process's knowledge of one account's tokens; the lock is held while one thread renews them."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: Tokens | None = None
    # The tokens are not stored yet: the database was away after the authorization server had given them.
    unsaved: bool = False
    # The authorization server's refusal of the credentials, and how long it is believed.
    refusal: str = ""
    refused_until_s: float = 0.0


_kept: dict[tuple[str, str, str], _Kept] = {}
_kept_lock = threading.Lock()


def access_token(account: ChannelAccount, settings: Settings, *, refused: str | None = None) -> str:
    """Return an access token. `refused`: a token that the mail server does not accept, so another one is got.

    Raises ConfigurationError (the authorization server refuses the account's credentials), TransientFailure.
    """
    client = client_of(account, settings)
    kept = _of(account, client)
    with kept.lock:
        if kept.unsaved and kept.tokens is not None:
            _save(account, client, kept, kept.tokens)
        usable = _usable(kept.tokens, refused)
        if usable is None:
            kept.tokens = _shared(account, client) or kept.tokens
            usable = _usable(kept.tokens, refused)
        return usable or _renewed(account, client, kept, refused)


def adopt(account: ChannelAccount, settings: Settings, grant: endpoint.Grant) -> None:
    """Store the tokens of a person's consent in place of the account's earlier ones."""
    client = client_of(account, settings)
    kept = _of(account, client)
    with kept.lock:
        kept.refusal = ""
        _save(account, client, kept, _tokens(grant, None))


def lost_a_refresh_token(account: ChannelAccount, settings: Settings) -> bool:
    """Return True if the refresh token was replaced, and no database keeps the new one."""
    tokens = _of(account, client_of(account, settings)).tokens
    return not is_stored() and tokens is not None and tokens.refresh_token is not None


def forget() -> None:
    """Forget what this process keeps, as its end would."""
    with _kept_lock:
        _kept.clear()


def is_stored() -> bool:
    """Return True if this process has a database, in which a replaced refresh token is kept."""
    return database.proxy.obj is not None


def _of(account: ChannelAccount, client: Client) -> _Kept:
    with _kept_lock:
        return _kept.setdefault((account.channel, account.name, source_of(client)), _Kept())


def source_of(client: Client) -> str:
    """Return a digest of the configured credentials. Tokens of a changed configuration are not used."""
    parts = (client.token_url, client.client_id, client.grant, client.user, " ".join(client.scopes), client.first_token)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _usable(tokens: Tokens | None, refused: str | None) -> str | None:
    """Return the access token if it need not be renewed yet."""
    if tokens is None or tokens.access_token == refused or tokens.renew_at <= clock.now():
        return None
    return tokens.access_token


def _shared(account: ChannelAccount, client: Client) -> Tokens | None:
    return oauth_tokens.find(account.channel, account.name, source_of(client)) if is_stored() else None


def _renewed(account: ChannelAccount, client: Client, kept: _Kept, refused: str | None) -> str:
    """Renew the tokens, or wait for the process that does it. A token that has not expired serves while it fails."""
    try:
        if kept.refusal and time.monotonic() < kept.refused_until_s:
            raise ConfigurationError(kept.refusal)
        if is_stored() and not oauth_tokens.take_turn(account.channel, account.name):
            return _of_other_process(account, client, kept, refused)
        return _asked(account, client, kept)
    except NestorError as error:
        if isinstance(error, endpoint.Refused):
            kept.refusal, kept.refused_until_s = error.message, time.monotonic() + limits.refused_s
        known = kept.tokens
        if known is None or known.access_token == refused or known.expires_at <= clock.now():
            raise
        log.warning("token_not_renewed", channel=account.channel, account=account.name, error=error.code)
        return known.access_token


def _of_other_process(account: ChannelAccount, client: Client, kept: _Kept, refused: str | None) -> str:
    deadline = time.monotonic() + limits.wait_s
    while time.monotonic() < deadline:
        time.sleep(limits.look_s)
        found = _shared(account, client)
        if (usable := _usable(found, refused)) is not None:
            kept.tokens = found
            return usable
        if oauth_tokens.take_turn(account.channel, account.name):
            # The other process failed.
            return _asked(account, client, kept)
    raise TransientFailure("another process renews the account's access token")


def _asked(account: ChannelAccount, client: Client, kept: _Kept) -> str:
    """Ask the authorization server, and store its answer. The caller has the turn, which ends here."""
    # The turn's former holder may have replaced the refresh token.
    latest = _shared(account, client) or kept.tokens
    stored = None if latest is None else latest.refresh_token
    try:
        found = _tokens(endpoint.token(client.token_url, client.form(stored or client.first_token)), stored)
    except NestorError as error:
        if is_stored():
            oauth_tokens.end_turn(account.channel, account.name)
        if isinstance(error, endpoint.Refused) and client.grant == "refresh_token":
            raise endpoint.Refused(f"{error.message}; {client.way_out}", error.error) from error
        raise
    kept.refusal = ""
    _save(account, client, kept, found)
    log.info("token_renewed", channel=account.channel, account=account.name)
    return found.access_token


def _save(account: ChannelAccount, client: Client, kept: _Kept, tokens: Tokens) -> None:
    """Keep the tokens in the process first: if the database is away, the next call stores them."""
    kept.tokens, kept.unsaved = tokens, is_stored()
    if kept.unsaved:
        oauth_tokens.keep(account.channel, account.name, source_of(client), tokens)
        kept.unsaved = False


def _tokens(grant: endpoint.Grant, stored: str | None) -> Tokens:
    """Return the tokens of a grant. `stored`: the refresh token that stays if the grant brings no other one."""
    now = clock.now()
    early_s = min(limits.early_s, grant.expires_in_s * limits.early_share)
    return Tokens(
        grant.access_token,
        renew_at=now + timedelta(seconds=grant.expires_in_s - early_s),
        expires_at=now + timedelta(seconds=grant.expires_in_s),
        refresh_token=grant.refresh_token or stored,
    )
