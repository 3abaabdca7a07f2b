"""Owners of outgoing webhooks: a webhook tells its receiver no more than its owner may see."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    # Null: created before this version by an administrator, who sees every ticket.
    return ["ALTER TABLE subscriptions ADD COLUMN owner_id {id} REFERENCES users (id)"]
