"""The first schema: people, tickets, conversations, tasks, inbox, deliveries, events."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect

min_program = 1


def statements(dialect: Dialect) -> list[str]:
    return [
        *_SCHEMA,
        *_PEOPLE,
        *_TICKETS,
        *_ENGINE,
        *(_POSTGRES_ONLY if dialect.postgres else _SQLITE_ONLY),
    ]


_SCHEMA = [
    # `min_program`: the oldest program (by its newest migration) that still runs on the schema.
    """CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, min_program integer NOT NULL,
        applied_at {instant} NOT NULL)""",
    # Published workflows, channel accounts and information models, as immutable versions of YAML files.
    """CREATE TABLE definitions (kind text NOT NULL, name text NOT NULL, version integer NOT NULL, body {json} NOT NULL,
        source text NOT NULL, sha256 text NOT NULL, published_at {instant} NOT NULL, published_by text NOT NULL,
        PRIMARY KEY (kind, name, version))""",
]

_PEOPLE = [
    """CREATE TABLE users (id {id} PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, role text NOT NULL,
        password_hash text NOT NULL, active {bool} NOT NULL DEFAULT {true}, locale text NOT NULL DEFAULT 'en',
        version integer NOT NULL DEFAULT 1, created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
    """CREATE TABLE sessions (id {id} PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id), refresh_hash text NOT NULL UNIQUE,
        previous_hash text, created_at {instant} NOT NULL, refreshed_at {instant} NOT NULL, expires_at {instant} NOT NULL,
        revoked_at {instant})""",
    "CREATE INDEX sessions_user ON sessions (user_id)",
    "CREATE INDEX sessions_previous ON sessions (previous_hash)",
    """CREATE TABLE api_keys (id {id} PRIMARY KEY, name text NOT NULL, role text NOT NULL, key_hash text NOT NULL UNIQUE,
        prefix text NOT NULL, created_by text NOT NULL, created_at {instant} NOT NULL, expires_at {instant}, revoked_at {instant})""",
    """CREATE TABLE requesters (id {id} PRIMARY KEY, name text NOT NULL, locale text, version integer NOT NULL DEFAULT 1,
        created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
    """CREATE TABLE identities (id {id} PRIMARY KEY, requester_id {id} NOT NULL REFERENCES requesters (id), channel text NOT NULL,
        address text NOT NULL, display_name text, suppressed_at {instant}, suppressed_reason text, created_at {instant} NOT NULL,
        UNIQUE (channel, address))""",
    "CREATE INDEX identities_requester ON identities (requester_id)",
]

_TICKETS = [
    """CREATE TABLE tickets (id {id} PRIMARY KEY, number bigint NOT NULL UNIQUE, title text NOT NULL, type text NOT NULL,
        priority text NOT NULL, state text NOT NULL, category text NOT NULL, workflow text NOT NULL,
        workflow_version integer NOT NULL, requester_id {id} REFERENCES requesters (id), assignee_id {id} REFERENCES users (id),
        channel text NOT NULL, account text, contact_channel text, contact_account text, contact_address text,
        fields {json} NOT NULL, version integer NOT NULL DEFAULT 1, event_sequence integer NOT NULL DEFAULT 0,
        message_count integer NOT NULL DEFAULT 0, created_at {instant} NOT NULL, updated_at {instant} NOT NULL,
        first_response_at {instant}, solved_at {instant}, closed_at {instant}, last_message_at {instant})""",
    "CREATE INDEX tickets_updated ON tickets (updated_at, id)",
    "CREATE INDEX tickets_requester ON tickets (requester_id)",
    "CREATE INDEX tickets_assignee ON tickets (assignee_id) WHERE assignee_id IS NOT NULL",
    "CREATE INDEX tickets_category ON tickets (category, updated_at)",
    # A chat (not a mail thread) has one current ticket. Writers lock this row, so one at a time chooses the ticket.
    """CREATE TABLE conversations (id {id} PRIMARY KEY, channel text NOT NULL, account text NOT NULL, address text NOT NULL,
        ticket_id {id} REFERENCES tickets (id), updated_at {instant} NOT NULL, UNIQUE (channel, account, address))""",
    """CREATE TABLE messages (id {id} PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), sequence integer NOT NULL,
        direction text NOT NULL, kind text NOT NULL, author_kind text NOT NULL, author_id {id}, author_name text NOT NULL,
        subject text, body text NOT NULL, body_full text, body_format text NOT NULL DEFAULT 'text', body_html text,
        channel text NOT NULL, account text, external_id text, in_reply_to text, automatic text, attachments {json} NOT NULL,
        inbox_id {id} UNIQUE, created_at {instant} NOT NULL, edited_at {instant}, UNIQUE (ticket_id, sequence))""",
    # The provider ids of received and sent messages; a reply finds its ticket by them.
    """CREATE TABLE message_references (channel text NOT NULL, account text NOT NULL, external_id text NOT NULL,
        ticket_id {id} NOT NULL REFERENCES tickets (id), message_id {id} NOT NULL REFERENCES messages (id),
        created_at {instant} NOT NULL, PRIMARY KEY (channel, account, external_id))""",
    "CREATE INDEX message_references_message ON message_references (message_id)",
    """CREATE TABLE deliveries (id {id} PRIMARY KEY, message_id {id} NOT NULL REFERENCES messages (id),
        ticket_id {id} NOT NULL REFERENCES tickets (id), channel text NOT NULL, account text NOT NULL, address text NOT NULL,
        state text NOT NULL, automatic {bool} NOT NULL DEFAULT {false}, attempts integer NOT NULL DEFAULT 0, external_id text,
        last_error text, created_at {instant} NOT NULL, finished_at {instant})""",
    "CREATE INDEX deliveries_ticket ON deliveries (ticket_id)",
    "CREATE INDEX deliveries_message ON deliveries (message_id)",
    "CREATE INDEX deliveries_created ON deliveries (created_at, id)",
    "CREATE INDEX deliveries_troubled ON deliveries (state, created_at) WHERE state <> 'sent'",
    """CREATE TABLE delivery_attempts (id {id} PRIMARY KEY, delivery_id {id} NOT NULL REFERENCES deliveries (id),
        number integer NOT NULL, state text NOT NULL, started_at {instant} NOT NULL, finished_at {instant}, duration_ms integer,
        outcome text, detail text, external_id text, possibly_duplicate {bool} NOT NULL DEFAULT {false}, task_id bigint,
        UNIQUE (delivery_id, number))""",
]

_ENGINE = [
    """CREATE TABLE events (event_id {id} PRIMARY KEY, event_type text NOT NULL, event_version integer NOT NULL DEFAULT 1,
        occurred_at {instant} NOT NULL, aggregate text NOT NULL, aggregate_id {id} NOT NULL, sequence integer NOT NULL,
        actor_kind text NOT NULL, actor_id text, request_id text, causation_id text, payload {json} NOT NULL,
        UNIQUE (aggregate, aggregate_id, sequence))""",
    # Raw events as the provider sent them. The unique key makes a repeated event have no effect.
    """CREATE TABLE inbox (id {id} PRIMARY KEY, channel text NOT NULL, account text NOT NULL, event_key text NOT NULL,
        content_type text NOT NULL, envelope {json} NOT NULL, raw {bytes} NOT NULL, status text NOT NULL, reason text,
        ticket_id {id}, message_id {id}, request_id text, received_at {instant} NOT NULL, processed_at {instant},
        UNIQUE (channel, account, event_key))""",
    "CREATE INDEX inbox_received ON inbox (received_at, id)",
    "CREATE INDEX inbox_unprocessed ON inbox (status, received_at) WHERE status IN ('stored', 'failed')",
    # The outbox and job ledger. `ready` and `leased` tasks are live; all other states are history. The due time of
    # immediate work is from the database's clock, so a task never waits because of a process with a wrong clock.
    """CREATE TABLE tasks (id {serial}, kind text NOT NULL, queue text NOT NULL, key text, payload {json} NOT NULL,
        state text NOT NULL DEFAULT 'ready', attempts integer NOT NULL DEFAULT 0, due_at {instant} NOT NULL {now},
        lease_id text, lease_until {instant}, hints integer NOT NULL DEFAULT 0, next_hint_at {instant} NOT NULL {now_and_grace},
        dedupe_key text UNIQUE, last_error text, caused_by text, trace text, created_at {instant} NOT NULL,
        first_run_at {instant}, finished_at {instant})""",
    "CREATE INDEX tasks_live ON tasks (due_at) WHERE state IN ('ready', 'leased')",
    "CREATE INDEX tasks_key ON tasks (key, id) WHERE key IS NOT NULL AND state IN ('ready', 'leased')",
    "CREATE INDEX tasks_dead ON tasks (finished_at) WHERE state = 'dead'",
    "CREATE INDEX tasks_finished ON tasks (finished_at) WHERE state IN ('done', 'discarded')",
    """CREATE TABLE timers (name text PRIMARY KEY, kind text NOT NULL, queue text NOT NULL, key text, payload {json} NOT NULL,
        due_at {instant} NOT NULL, every_s integer, fired integer NOT NULL DEFAULT 0, enabled {bool} NOT NULL DEFAULT {true})""",
    "CREATE INDEX timers_due ON timers (due_at)",
    # GCRA rate limits: `tat_s` is the theoretical arrival time, in seconds since 1970.
    """CREATE TABLE rate_buckets (bucket text PRIMARY KEY, tat_s double precision NOT NULL,
        blocked_until_s double precision NOT NULL DEFAULT 0)""",
    """CREATE TABLE idempotency_keys (principal text NOT NULL, key text NOT NULL, request_hash text NOT NULL,
        status integer NOT NULL DEFAULT 0, headers {json} NOT NULL, body text NOT NULL DEFAULT '', created_at {instant} NOT NULL,
        PRIMARY KEY (principal, key))""",
    "CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at)",
]

_POSTGRES_ONLY = [
    "CREATE SEQUENCE ticket_numbers",
    # Every claim updates the row. Free space keeps new row versions on the same page, and autovacuum must keep up.
    """ALTER TABLE tasks SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)""",
]

_SQLITE_ONLY = [
    "CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL)",
    "INSERT INTO counters (name, value) VALUES ('ticket_numbers', 0)",
]
