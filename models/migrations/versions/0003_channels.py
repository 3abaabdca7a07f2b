"""Channels: the transport data of messages, deliveries and tickets, and several addresses for one person."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [*_INBOX, *_MESSAGES, *_DELIVERIES, *_TICKETS, *_ACCOUNTS, *_PEOPLE]


_INBOX = [
    # Nonces of signatures (Mailgun's token). A nonce is kept until the signature's timestamp is too old to accept.
    """CREATE TABLE webhook_nonces (channel text NOT NULL, account text NOT NULL, nonce text NOT NULL, sha256 text NOT NULL,
        expires_at {instant} NOT NULL, PRIMARY KEY (channel, account, nonce))""",
    "CREATE INDEX webhook_nonces_expires ON webhook_nonces (expires_at)",
    # The content that a notification refers to, fetched from the provider. It is parsed instead of `raw`.
    "ALTER TABLE inbox ADD COLUMN fetched {bytes}",
    # The user who released the message from quarantine; null if it was not released.
    "ALTER TABLE inbox ADD COLUMN released_by text",
    "CREATE INDEX inbox_account ON inbox (channel, account, received_at)",
]

_MESSAGES = [
    # Details for display: forwarded from, quote, location, signature, omitted parts and so on.
    "ALTER TABLE messages ADD COLUMN details {json} NOT NULL DEFAULT '{{}}'",
    # The recipients of copies: [{name, address}].
    "ALTER TABLE messages ADD COLUMN copies {json} NOT NULL DEFAULT '[]'",
    # The reactions to the message: {author address: [emoji]}.
    "ALTER TABLE messages ADD COLUMN reactions {json} NOT NULL DEFAULT '{{}}'",
    "ALTER TABLE messages ADD COLUMN verdict text",
    # `body_html` with remote pictures, for a reader who requests them.
    "ALTER TABLE messages ADD COLUMN body_html_remote text",
    # Provider messages with the same key form one message (a Telegram album).
    "ALTER TABLE messages ADD COLUMN group_key text",
    "ALTER TABLE messages ADD COLUMN deleted_at {instant}",
    # Message-IDs are looked up in all mailboxes.
    "CREATE INDEX message_references_external ON message_references (external_id)",
    "CREATE INDEX messages_group ON messages (channel, account, group_key) WHERE group_key IS NOT NULL",
]

_DELIVERIES = [
    # The send time of a scheduled message; null: immediately.
    "ALTER TABLE deliveries ADD COLUMN send_at {instant}",
    "ALTER TABLE deliveries ADD COLUMN operation text NOT NULL DEFAULT 'send'",
    # The provider's ids of all parts, in order; `external_id` is the first.
    "ALTER TABLE deliveries ADD COLUMN external_ids {json} NOT NULL DEFAULT '[]'",
    # The id in the provider's receipts, where it differs from `external_id`.
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
    # The people who can write into the ticket besides the requester: recipients of copies, and people whom agents add.
    """CREATE TABLE ticket_participants (ticket_id {id} NOT NULL REFERENCES tickets (id), channel text NOT NULL, address text NOT NULL,
        name text NOT NULL, role text NOT NULL, added_at {instant} NOT NULL, PRIMARY KEY (ticket_id, channel, address))""",
    # Buttons under messages. Only a hash of the token is stored.
    """CREATE TABLE buttons (token_hash text PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), kind text NOT NULL,
        target text NOT NULL, requester_id {id}, created_at {instant} NOT NULL, expires_at {instant} NOT NULL, pressed_at {instant})""",
    "CREATE INDEX buttons_ticket ON buttons (ticket_id)",
    "CREATE INDEX buttons_expires ON buttons (expires_at)",
]

_ACCOUNTS = [
    # Chats that blocked the bot and groups that removed it. The key has the account: another bot can still be allowed.
    """CREATE TABLE unreachable_chats (channel text NOT NULL, account text NOT NULL, address text NOT NULL, reason text NOT NULL,
        since {instant} NOT NULL, PRIMARY KEY (channel, account, address))""",
    # Errors of the account itself (a revoked token, a refused login), and the provider's latest report.
    """CREATE TABLE channel_health (channel text NOT NULL, account text NOT NULL, error text, error_at {instant},
        told {json} NOT NULL DEFAULT '{{}}', told_at {instant}, PRIMARY KEY (channel, account))""",
    # The read positions of pullers: Telegram's update offset, IMAP's UIDVALIDITY and UID.
    """CREATE TABLE channel_positions (channel text NOT NULL, account text NOT NULL, name text NOT NULL, position {json} NOT NULL,
        updated_at {instant} NOT NULL, PRIMARY KEY (channel, account, name))""",
]

_PEOPLE = [
    # The desk accepts nothing from a blocked address. It only sends nothing to a suppressed one.
    "ALTER TABLE identities ADD COLUMN blocked_at {instant}",
    "ALTER TABLE identities ADD COLUMN blocked_reason text",
    # How the owner of the address was verified: by a message from it (null), a link, a code, or an agent.
    "ALTER TABLE identities ADD COLUMN verified_by text",
    "ALTER TABLE requesters ADD COLUMN time_zone text",
    "ALTER TABLE requesters ADD COLUMN merged_into {id}",
    "ALTER TABLE requesters ADD COLUMN erased_at {instant}",
    """CREATE TABLE requester_links (id {id} PRIMARY KEY, requester_id {id} NOT NULL REFERENCES requesters (id),
        token_hash text NOT NULL UNIQUE, made_by text NOT NULL, created_at {instant} NOT NULL, expires_at {instant} NOT NULL,
        used_at {instant}, asked_address text)""",
    "CREATE INDEX requester_links_expires ON requester_links (expires_at)",
    # Codes sent to a mail address. The owner enters the code elsewhere.
    """CREATE TABLE requester_codes (id {id} PRIMARY KEY, requester_id {id} NOT NULL REFERENCES requesters (id),
        channel text NOT NULL, address text NOT NULL, code_hash text NOT NULL, tries_left integer NOT NULL,
        created_at {instant} NOT NULL, expires_at {instant} NOT NULL, used_at {instant})""",
    "CREATE INDEX requester_codes_requester ON requester_codes (requester_id)",
    """CREATE TABLE requester_merges (id {id} PRIMARY KEY, source_id {id} NOT NULL REFERENCES requesters (id),
        target_id {id} NOT NULL REFERENCES requesters (id), reason text NOT NULL, merged_by text NOT NULL, merged_at {instant} NOT NULL,
        undone_by text, undone_at {instant})""",
    "CREATE INDEX requester_merges_target ON requester_merges (target_id)",
    # The rows that a merge moved. An undo moves exactly these rows back.
    """CREATE TABLE requester_merge_rows (merge_id {id} NOT NULL REFERENCES requester_merges (id), kind text NOT NULL,
        row_id {id} NOT NULL, PRIMARY KEY (merge_id, kind, row_id))""",
]
