"""The desk's own mail to its users, and the links by which they choose a password."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE desk_mails (id {id} PRIMARY KEY, kind text NOT NULL, user_id {id} REFERENCES users (id),
            address text NOT NULL, name text NOT NULL, locale text NOT NULL, facts {json} NOT NULL, link_id {id},
            created_at {instant} NOT NULL, expires_at {instant} NOT NULL, sent_at {instant}, error text)""",
        "CREATE INDEX desk_mails_expiry ON desk_mails (expires_at)",
        # `token_hash`: the table alone gives nobody a link.
        """CREATE TABLE password_links (id {id} PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id),
            purpose text NOT NULL, token_hash text NOT NULL,
            password_mark text NOT NULL, created_at {instant} NOT NULL, expires_at {instant} NOT NULL,
            used_at {instant})""",
        "CREATE INDEX password_links_user ON password_links (user_id)",
    ]
