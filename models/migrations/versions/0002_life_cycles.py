"""Life cycles and the information model: additional columns and tables of tickets, requesters and definitions."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        *_TICKETS,
        *_PEOPLE,
        *_LIFE_CYCLE,
        *_DEFINITIONS,
        *(_POSTGRES_ONLY if dialect.postgres else []),
    ]


_TICKETS = [
    "ALTER TABLE tickets ADD COLUMN team text",
    "ALTER TABLE tickets ADD COLUMN tags {json} NOT NULL DEFAULT '[]'",
    # The instant when the ticket entered its state. Null for tickets of the first schema; readers use `updated_at`.
    "ALTER TABLE tickets ADD COLUMN state_since {instant}",
    # Finds the live tickets of a workflow version, for the plan and the run of a workflow migration.
    "CREATE INDEX tickets_workflow ON tickets (workflow, workflow_version, state)",
    """CREATE TABLE ticket_links (from_id {id} NOT NULL REFERENCES tickets (id), to_id {id} NOT NULL REFERENCES tickets (id),
        kind text NOT NULL, created_at {instant} NOT NULL, PRIMARY KEY (from_id, to_id, kind))""",
    "CREATE INDEX ticket_links_to ON ticket_links (to_id)",
]

_PEOPLE = [
    """CREATE TABLE organisations (id {id} PRIMARY KEY, name text NOT NULL, domain text UNIQUE, fields {json} NOT NULL,
        version integer NOT NULL DEFAULT 1, created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
    "ALTER TABLE requesters ADD COLUMN organisation_id {id} REFERENCES organisations (id)",
    "ALTER TABLE requesters ADD COLUMN fields {json} NOT NULL DEFAULT '{{}}'",
    """CREATE TABLE teams (name text PRIMARY KEY, label {json} NOT NULL, version integer NOT NULL DEFAULT 1,
        created_at {instant} NOT NULL, updated_at {instant} NOT NULL)""",
    # `assigned_at`: the latest assignment of a ticket of the team to the member (round robin).
    """CREATE TABLE team_members (team text NOT NULL REFERENCES teams (name), user_id {id} NOT NULL REFERENCES users (id),
        assigned_at {instant}, PRIMARY KEY (team, user_id))""",
    "CREATE INDEX team_members_user ON team_members (user_id)",
    # Notices to agents: life cycles write them, and the console shows them.
    """CREATE TABLE notices (id {id} PRIMARY KEY, user_id {id} NOT NULL REFERENCES users (id),
        ticket_id {id} NOT NULL REFERENCES tickets (id), rule text NOT NULL, text text NOT NULL, created_at {instant} NOT NULL,
        read_at {instant})""",
    "CREATE INDEX notices_user ON notices (user_id, created_at)",
]

_LIFE_CYCLE = [
    # One row per SLA target of a ticket. The due instants are columns, so a list can be sorted by them.
    """CREATE TABLE sla_clocks (ticket_id {id} NOT NULL REFERENCES tickets (id), target text NOT NULL, policy text NOT NULL,
        state text NOT NULL, due_at {instant}, warn_at {instant}, breached_at {instant}, met_at {instant}, clock {json} NOT NULL,
        PRIMARY KEY (ticket_id, target))""",
    "CREATE INDEX sla_clocks_due ON sla_clocks (due_at) WHERE state = 'running'",
    """CREATE TABLE approvals (id {id} PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), transition text NOT NULL,
        team text NOT NULL, needed integer NOT NULL, state text NOT NULL, requested_by text, requested_comment text,
        requested_at {instant} NOT NULL, expires_at {instant}, decided_at {instant})""",
    "CREATE INDEX approvals_ticket ON approvals (ticket_id)",
    "CREATE UNIQUE INDEX approvals_pending ON approvals (ticket_id, transition) WHERE state = 'pending'",
    """CREATE TABLE approval_votes (approval_id {id} NOT NULL REFERENCES approvals (id), user_id {id} NOT NULL REFERENCES users (id),
        vote text NOT NULL, comment text, at {instant} NOT NULL, PRIMARY KEY (approval_id, user_id))""",
    """CREATE TABLE ratings (id {id} PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), token_hash text NOT NULL UNIQUE,
        score integer, comment text, asked_at {instant} NOT NULL, rated_at {instant})""",
    "CREATE INDEX ratings_ticket ON ratings (ticket_id)",
    # Rule traces: the result of each rule for each event of a ticket, including the rules that did not apply.
    """CREATE TABLE decisions (id {id} PRIMARY KEY, ticket_id {id} NOT NULL REFERENCES tickets (id), event text NOT NULL,
        workflow text NOT NULL, workflow_version integer NOT NULL, state text NOT NULL, at {instant} NOT NULL, causation_id text,
        first_sequence integer NOT NULL, last_sequence integer NOT NULL, looks {json} NOT NULL)""",
    "CREATE INDEX decisions_ticket ON decisions (ticket_id, id)",
]

_DEFINITIONS = [
    # Activations: the newest row of a definition names the version in force and who activated it. Without a row, the
    # newest version is in force.
    """CREATE TABLE definition_activations (id {id} PRIMARY KEY, kind text NOT NULL, name text NOT NULL, version integer NOT NULL,
        activated_at {instant} NOT NULL, activated_by text NOT NULL, reason text NOT NULL)""",
    "CREATE INDEX definition_activations_name ON definition_activations (kind, name, id)",
    # Moves of live tickets to another version. An interrupted run continues at the cursor.
    """CREATE TABLE workflow_migrations (id {id} PRIMARY KEY, workflow text NOT NULL, to_workflow text NOT NULL,
        to_version integer NOT NULL, state_map {json} NOT NULL, state text NOT NULL, reverses {id}, cursor {id},
        moved integer NOT NULL DEFAULT 0,
        started_by text NOT NULL, started_at {instant} NOT NULL, finished_at {instant})""",
]

_POSTGRES_ONLY = [
    # jsonb does not preserve the order of keys, but people see states, transitions and choices in that order.
    "ALTER TABLE definitions ALTER COLUMN body TYPE json USING body::text::json",
]
