"""Accounts of users at an OpenID provider."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE oidc_links (issuer text NOT NULL, subject text NOT NULL,
            user_id {id} NOT NULL REFERENCES users (id), created_at {instant} NOT NULL, last_used_at {instant} NOT NULL,
            PRIMARY KEY (issuer, subject))""",
        "CREATE UNIQUE INDEX oidc_links_user ON oidc_links (issuer, user_id)",
    ]
