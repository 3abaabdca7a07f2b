"""Accounts of the ledger, and the activation of users by them. Existing users get an account and stay active."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE accounts (id {id} PRIMARY KEY, kind text NOT NULL, owner_id {id} NOT NULL,
            opened_at {instant} NOT NULL, UNIQUE (kind, owner_id))""",
        # NULL: the ledger has not opened the user's account, so the user can be given no work.
        "ALTER TABLE users ADD COLUMN ready_at {instant}",
        "INSERT INTO accounts (id, kind, owner_id, opened_at) SELECT id, 'user', id, created_at FROM users",
        "UPDATE users SET ready_at = created_at",
        "CREATE INDEX users_waiting ON users (created_at) WHERE ready_at IS NULL",
    ]
