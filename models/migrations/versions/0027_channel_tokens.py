"""OAuth tokens of channel accounts, encrypted by the vault."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE channel_tokens (
            id {id} PRIMARY KEY, channel text NOT NULL, account text NOT NULL, source text NOT NULL,
            access_token text, refresh_token text, renew_at {instant}, expires_at {instant},
            renewing_until {instant}, updated_at {instant} NOT NULL,
            UNIQUE (channel, account))""",
    ]
