"""Attachments: the files of messages, and the blobs that they share."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [*_BLOBS, *_ATTACHMENTS]


_BLOBS = [
    # `object_key` names the object while this row exists. A later row for the same bytes has another key.
    """CREATE TABLE blobs (sha256 text PRIMARY KEY, object_key text NOT NULL UNIQUE, size_bytes bigint NOT NULL, content_type text NOT NULL,
        created_at {instant} NOT NULL, touched_at {instant} NOT NULL, stored_at {instant})""",
    "CREATE INDEX blobs_touched ON blobs (touched_at)",
    # Objects whose row is deleted. An entry stays until the object is deleted as well.
    "CREATE TABLE blob_removals (object_key text PRIMARY KEY, condemned_at {instant} NOT NULL)",
]

_ATTACHMENTS = [
    # A row without a message is an upload for a reply that is not written yet. `content_type` is the sender's claim;
    # `blobs` has the detected type. `state`: uploaded | stored | pending | too_large | failed | erased.
    """CREATE TABLE attachments (id {id} PRIMARY KEY, ticket_id {id} REFERENCES tickets (id), message_id {id} REFERENCES messages (id),
        position integer NOT NULL, filename text NOT NULL, content_type text NOT NULL, size_bytes bigint NOT NULL,
        sha256 text REFERENCES blobs (sha256), inline {bool} NOT NULL, hidden {bool} NOT NULL, content_id text,
        provider_channel text, provider_account text, provider_id text, provider_key text, state text NOT NULL, reason text,
        told_at {instant}, created_at {instant} NOT NULL, uploaded_by text)""",
    "CREATE INDEX attachments_message ON attachments (message_id, position) WHERE message_id IS NOT NULL",
    "CREATE INDEX attachments_sha256 ON attachments (sha256) WHERE sha256 IS NOT NULL",
    "CREATE INDEX attachments_provider ON attachments (provider_channel, provider_account, provider_key) WHERE"
    " provider_key IS NOT NULL",
    "CREATE INDEX attachments_unused ON attachments (created_at) WHERE message_id IS NULL",
]
