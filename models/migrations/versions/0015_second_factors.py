"""Second factors of users, their recovery codes, and unfinished sign-ins."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # `secret` is encrypted by models/kernel/vault.py.
        """CREATE TABLE second_factors (id {id} PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id),
            kind text NOT NULL, name text NOT NULL, secret text, used_step bigint, credential_id text,
            public_key {bytes}, sign_count bigint, created_at {instant} NOT NULL, confirmed_at {instant},
            last_used_at {instant})""",
        "CREATE INDEX second_factors_user ON second_factors (user_id)",
        "CREATE UNIQUE INDEX second_factors_credential ON second_factors (credential_id)",
        """CREATE TABLE recovery_codes (user_id {id} NOT NULL REFERENCES users (id), code_hash text NOT NULL,
            created_at {instant} NOT NULL, used_at {instant}, PRIMARY KEY (user_id, code_hash))""",
        """CREATE TABLE sign_in_challenges (id {id} PRIMARY KEY, purpose text NOT NULL,
            user_id {id} REFERENCES users (id), token_hash text NOT NULL UNIQUE,
            password_mark text, data {json} NOT NULL,
            tries_left integer NOT NULL, created_at {instant} NOT NULL, expires_at {instant} NOT NULL,
            used_at {instant})""",
    ]
