"""Channels: what messages, deliveries and tickets need to know about how they travelled."""

from __future__ import annotations

from models.migrations import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [*_INBOX, *_MESSAGES, *_DELIVERIES, *_TICKETS, *_ACCOUNTS]


_INBOX = [
    # A signature's own value (Mailgun's token), remembered until it is too old to be believed anyway.
    """CREATE TABLE webhook_nonces (channel text NOT NULL, account text NOT NULL, nonce text NOT NULL, sha256 text NOT NULL,
        expires_at {instant} NOT NULL, PRIMARY KEY (channel, account, nonce))""",
    "CREATE INDEX webhook_nonces_expires ON webhook_nonces (expires_at)",
    # What the event only pointed to, fetched from the provider: parsed instead of `raw`.
    "ALTER TABLE inbox ADD COLUMN fetched {bytes}",
    # Who let a quarantined message in; null: nobody.
    "ALTER TABLE inbox ADD COLUMN released_by text",
    "CREATE INDEX inbox_account ON inbox (channel, account, received_at)",
]

_MESSAGES = [
    # Facts for people and screens: forwarded from, quote, place, signed, what was left out ...
    "ALTER TABLE messages ADD COLUMN details {json} NOT NULL DEFAULT '{{}}'",
    # Who got a copy: [{{name, address}}].
    "ALTER TABLE messages ADD COLUMN copies {json} NOT NULL DEFAULT '[]'",
    # {{author address: [emoji]}} on this message.
    "ALTER TABLE messages ADD COLUMN reactions {json} NOT NULL DEFAULT '{{}}'",
    "ALTER TABLE messages ADD COLUMN verdict text",
    # Messages of one key are one message (a Telegram album).
    "ALTER TABLE messages ADD COLUMN group_key text",
    "ALTER TABLE messages ADD COLUMN deleted_at {instant}",
    "CREATE INDEX messages_group ON messages (channel, account, group_key) WHERE group_key IS NOT NULL",
]

_DELIVERIES = [
    "ALTER TABLE deliveries ADD COLUMN operation text NOT NULL DEFAULT 'send'",
    # The provider's ids of all parts, in order; `external_id` is the first.
    "ALTER TABLE deliveries ADD COLUMN external_ids {json} NOT NULL DEFAULT '[]'",
    # By which the provider's receipts call it, where that is not `external_id`.
    "ALTER TABLE deliveries ADD COLUMN provider_id text",
    "ALTER TABLE deliveries ADD COLUMN receipt text",
    "ALTER TABLE deliveries ADD COLUMN receipt_at {instant}",
    "ALTER TABLE deliveries ADD COLUMN receipt_detail text",
    "CREATE INDEX deliveries_provider ON deliveries (channel, account, provider_id) WHERE provider_id IS NOT NULL",
]

_TICKETS = [
    # The unguessable part of the reply address; null until a mail of the ticket is sent.
    "ALTER TABLE tickets ADD COLUMN reply_token text",
    "CREATE UNIQUE INDEX tickets_reply_token ON tickets (reply_token) WHERE reply_token IS NOT NULL",
    # Who may write into the ticket beside its requester: readers of copies, persons added by agents.
    """CREATE TABLE ticket_participants (ticket_id {id} NOT NULL REFERENCES tickets (id), channel text NOT NULL, address text NOT NULL,
        name text NOT NULL, role text NOT NULL, added_at {instant} NOT NULL, PRIMARY KEY (ticket_id, channel, address))""",
    # Buttons under messages; the token is kept as a hash only.
    """CREATE TABLE buttons (token_hash text PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), kind text NOT NULL,
        target text NOT NULL, requester_id {id}, created_at {instant} NOT NULL, expires_at {instant} NOT NULL, pressed_at {instant})""",
    "CREATE INDEX buttons_ticket ON buttons (ticket_id)",
    "CREATE INDEX buttons_expires ON buttons (expires_at)",
]

_ACCOUNTS = [
    # What is wrong with an account itself (a revoked token, a login refused), and what its provider last told of it.
    """CREATE TABLE channel_health (channel text NOT NULL, account text NOT NULL, error text, error_at {instant},
        told {json} NOT NULL DEFAULT '{{}}', told_at {instant}, PRIMARY KEY (channel, account))""",
    # How far a puller has read: Telegram's update offset, IMAP's UIDVALIDITY and UID.
    """CREATE TABLE channel_positions (channel text NOT NULL, account text NOT NULL, name text NOT NULL, position {json} NOT NULL,
        updated_at {instant} NOT NULL, PRIMARY KEY (channel, account, name))""",
]
