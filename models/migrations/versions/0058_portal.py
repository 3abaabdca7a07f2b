"""The links and sessions by which requesters use the portal."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE portal_links (id {id} PRIMARY KEY, address text NOT NULL, locale text NOT NULL,
            token_hash text NOT NULL, created_at {instant} NOT NULL, expires_at {instant} NOT NULL,
            used_at {instant})""",
        "CREATE INDEX portal_links_address ON portal_links (address)",
        "CREATE INDEX portal_links_expiry ON portal_links (expires_at)",
        """CREATE TABLE portal_sessions (id {id} PRIMARY KEY, address text NOT NULL, token_hash text NOT NULL,
            created_at {instant} NOT NULL, expires_at {instant} NOT NULL, ended_at {instant})""",
        "CREATE UNIQUE INDEX portal_sessions_token ON portal_sessions (token_hash)",
        "CREATE INDEX portal_sessions_address ON portal_sessions (address)",
        "CREATE INDEX portal_sessions_expiry ON portal_sessions (expires_at)",
    ]
