"""Agents who work in a chat: their addresses, and the topics of tickets in the staff group."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # An agent's address on a channel (their Telegram account). The desk attributes messages from it to the agent.
        """CREATE TABLE user_addresses (channel text NOT NULL, address text NOT NULL, user_id {id} NOT NULL REFERENCES users (id),
            created_at {instant} NOT NULL, PRIMARY KEY (channel, address))""",
        "CREATE INDEX user_addresses_user ON user_addresses (user_id)",
        """CREATE TABLE user_links (token_hash text PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id),
            created_at {instant} NOT NULL, expires_at {instant} NOT NULL, used_at {instant})""",
        # `told_sequence`: the last event that is posted to the ticket's topic. `telling_sequence` is written before the
        # call to the provider, so a crash during the call is detected.
        """CREATE TABLE staff_topics (channel text NOT NULL, account text NOT NULL, ticket_id {id} NOT NULL REFERENCES tickets (id),
            address text NOT NULL, told_sequence integer NOT NULL DEFAULT 0, telling_sequence integer NOT NULL DEFAULT 0,
            closed {bool} NOT NULL DEFAULT {false}, created_at {instant} NOT NULL, PRIMARY KEY (channel, account, ticket_id))""",
        "CREATE UNIQUE INDEX staff_topics_address ON staff_topics (channel, account, address)",
    ]
