"""Owners, scopes, ends and last use of API keys.

An existing key belongs to the user who created it, or to the oldest active admin if a program created it. A key without
an end gets one in 90 days; only the demo's public key keeps none.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    in_90_days = (
        "now() + interval '90 days'"
        if dialect.postgres
        else "strftime('%Y-%m-%d %H:%M:%S', 'now', '+90 days') || '.000000+00:00'"
    )
    return [
        "ALTER TABLE api_keys ADD COLUMN owner_id {id} REFERENCES users (id)",
        "ALTER TABLE api_keys ADD COLUMN scopes text",
        "ALTER TABLE api_keys ADD COLUMN last_used_at {instant}",
        "CREATE INDEX api_keys_owner ON api_keys (owner_id)",
        _OWNERS,
        "UPDATE api_keys SET expires_at = " + in_90_days + _WITHOUT_END,
    ]


_OWNERS = """UPDATE api_keys SET owner_id = COALESCE(
    (SELECT u.id FROM events AS e JOIN users AS u ON CAST(u.id AS text) = e.actor_id WHERE e.aggregate = 'api_key'
        AND e.aggregate_id = api_keys.id AND e.event_type = 'api_key_created' AND e.actor_kind = 'user'),
    (SELECT id FROM users WHERE role = 'admin' AND active ORDER BY created_at, id LIMIT 1))"""

# The hash is the SHA-256 of the demo's key (scripts/seed.py).
_WITHOUT_END = """ WHERE expires_at IS NULL
    AND key_hash <> 'c48a01f49fd0f2cc404bc3cbbc80e91457a3d41bb429a695243de4c61794155c'"""
