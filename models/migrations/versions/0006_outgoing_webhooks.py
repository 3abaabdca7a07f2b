"""Outgoing webhooks: subscriptions, their deliveries, and every attempt."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [*_SUBSCRIPTIONS, *(_NOTICES_POSTGRES if dialect.postgres else _NOTICES_SQLITE)]


_SUBSCRIPTIONS = [
    # `state`: active, paused (by a person), switched_off (after long failure), deleted. The secrets sign requests, so
    # they are stored in plain text; no response shows one again. `blocked_until`: no attempts before this instant,
    # because the receiver fails.
    """CREATE TABLE subscriptions (id {id} PRIMARY KEY, url text NOT NULL, description text NOT NULL, event_types {json} NOT NULL,
        include_bodies {bool} NOT NULL DEFAULT {false}, state text NOT NULL, secret text NOT NULL, previous_secret text,
        previous_secret_until {instant}, failures integer NOT NULL DEFAULT 0, failing_since {instant}, blocked_until {instant},
        switched_off_at {instant}, switched_off_reason text, last_delivered_at {instant}, created_by text NOT NULL,
        version integer NOT NULL DEFAULT 1, created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
    # One row per subscribed event type, `*` for all. The fan-out joins this table. It is empty in most desks.
    """CREATE TABLE subscription_event_types (event_type text NOT NULL, subscription_id {id} NOT NULL REFERENCES subscriptions (id),
        PRIMARY KEY (event_type, subscription_id))""",
    # No foreign keys: the transaction of the event writes these rows, and must not wait for a lock on a subscription.
    """CREATE TABLE webhook_deliveries (subscription_id {id} NOT NULL, event_id {id} NOT NULL, state text NOT NULL,
        attempts integer NOT NULL DEFAULT 0, last_status integer, last_error text, created_at {instant} NOT NULL,
        finished_at {instant}, PRIMARY KEY (subscription_id, event_id))""",
    "CREATE INDEX webhook_deliveries_state ON webhook_deliveries (subscription_id, state, event_id)",
    "CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at)",
    """CREATE TABLE webhook_attempts (id {id} PRIMARY KEY, subscription_id {id} NOT NULL, event_id {id} NOT NULL,
        number integer NOT NULL, started_at {instant} NOT NULL, duration_ms integer NOT NULL, status integer, response text,
        error text)""",
    "CREATE INDEX webhook_attempts_delivery ON webhook_attempts (subscription_id, event_id, number)",
    "CREATE INDEX webhook_attempts_started ON webhook_attempts (started_at)",
]

# A notice can be about the desk itself (a webhook that was switched off) instead of a ticket.
_NOTICES_POSTGRES = ["ALTER TABLE notices ALTER COLUMN ticket_id DROP NOT NULL"]

_NOTICES_SQLITE = [
    "ALTER TABLE notices RENAME TO notices_before",
    "DROP INDEX notices_user",
    """CREATE TABLE notices (id {id} PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id),
        ticket_id {id} REFERENCES tickets (id), rule text NOT NULL, text text NOT NULL, created_at {instant} NOT NULL,
        read_at {instant})""",
    "INSERT INTO notices SELECT id, user_id, ticket_id, rule, text, created_at, read_at FROM notices_before",
    "DROP TABLE notices_before",
    "CREATE INDEX notices_user ON notices (user_id, created_at)",
]
