"""OAuth tokens of channel accounts, encrypted: the access token with its expiry, and the newest refresh token.

An authorization server may replace the refresh token at each use (RFC 6749 section 6), and the old one may end then.
The new one is therefore stored before its access token is used. One process at a time renews the tokens of an account:
it takes a turn, which ends by itself if the process is killed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from models.channels.tables import ChannelToken
from models.kernel import ids, limits, vault
from models.kernel.storage import database


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of an account. `renew_at` is earlier than `expires_at`, so that no token expires during its use."""

    access_token: str = field(repr=False)
    renew_at: datetime
    expires_at: datetime
    # None: the grant has none, or the authorization server did not replace the configured one.
    refresh_token: str | None = field(repr=False)


def find(channel: str, account: str, source: str) -> Tokens | None:
    """Return the account's tokens, also expired ones; None if there are none of this source.

    `source` identifies the configured credentials. Tokens of earlier credentials count as absent. Raises
    ConfigurationError if this process lacks the key of the encryption.
    """
    with database.connection():
        row = database.one(
            f"SELECT {ChannelToken.selected()} FROM channel_tokens"
            " WHERE channel = :channel AND account = :account AND source = :source",
            channel=channel,
            account=account,
            source=source,
        )
    if row is None:
        return None
    found = ChannelToken.from_row(row)
    if found.access_token is None or found.renew_at is None or found.expires_at is None:
        return None
    refresh_token = None if found.refresh_token is None else _opened(found.id, "refresh_token", found.refresh_token)
    access_token = _opened(found.id, "access_token", found.access_token)
    return Tokens(access_token, found.renew_at, found.expires_at, refresh_token)


def take_turn(channel: str, account: str) -> bool:
    """Take the right to renew the account's tokens, in a transaction of its own. False while another process has it."""
    with database.transaction():
        row = database.one(
            "INSERT INTO channel_tokens (id, channel, account, source, renewing_until, updated_at)"
            " VALUES (:id, :channel, :account, '', NOW_PLUS(:turn_s), NOW()) ON CONFLICT (channel, account)"
            " DO UPDATE SET renewing_until = excluded.renewing_until"
            # An end beyond that of any new turn is of a time before the database's clock was set back.
            " WHERE channel_tokens.renewing_until IS NULL OR channel_tokens.renewing_until <= NOW()"
            " OR channel_tokens.renewing_until > NOW_PLUS(:turn_s) RETURNING id",
            id=ids.new_id(),
            channel=channel,
            account=account,
            turn_s=limits.token_turn_s,
        )
    return row is not None


def end_turn(channel: str, account: str) -> None:
    """End the turn without new tokens."""
    with database.transaction():
        database.execute(
            "UPDATE channel_tokens SET renewing_until = NULL WHERE channel = :channel AND account = :account",
            channel=channel,
            account=account,
        )


def keep(channel: str, account: str, source: str, tokens: Tokens) -> None:
    """Store the tokens in place of the earlier ones and end the turn, in a transaction of its own."""
    with database.transaction():
        row = database.one(
            "INSERT INTO channel_tokens (id, channel, account, source, updated_at)"
            " VALUES (:id, :channel, :account, :source, NOW()) ON CONFLICT (channel, account)"
            " DO UPDATE SET source = excluded.source RETURNING id",
            id=ids.new_id(),
            channel=channel,
            account=account,
            source=source,
        )
        assert row is not None
        row_id = ChannelToken.converted(row)["id"]
        database.execute(
            "UPDATE channel_tokens SET access_token = :access_token, refresh_token = :refresh_token,"
            " renew_at = :renew_at, expires_at = :expires_at, renewing_until = NULL, updated_at = NOW() WHERE id = :id",
            id=row_id,
            access_token=_sealed(row_id, "access_token", tokens.access_token),
            refresh_token=(
                None if tokens.refresh_token is None else _sealed(row_id, "refresh_token", tokens.refresh_token)
            ),
            renew_at=tokens.renew_at,
            expires_at=tokens.expires_at,
        )


def _sealed(row_id: UUID, column: str, value: str) -> str:
    return vault.seal(vault.purpose("channel_tokens", column, row_id), value.encode())


def _opened(row_id: UUID, column: str, value: str) -> str:
    return vault.open(vault.purpose("channel_tokens", column, row_id), value).decode()
