"""Bulk changes: one row for each job, and one for each ticket of it with its outcome."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE bulk_changes (id {id} PRIMARY KEY, kind text NOT NULL, acts {json} NOT NULL, selection {json},
            note text, state text NOT NULL, tickets integer NOT NULL, changed integer NOT NULL DEFAULT 0,
            unchanged integer NOT NULL DEFAULT 0, refused integer NOT NULL DEFAULT 0,
            failed integer NOT NULL DEFAULT 0, sends integer NOT NULL DEFAULT 0, undoes {id}, undone_by {id},
            actor_kind text NOT NULL, actor_id text NOT NULL, actor_name text NOT NULL, owner_id {id} NOT NULL,
            started_at {instant} NOT NULL, finished_at {instant}, error text)""",
        "CREATE INDEX bulk_changes_owner ON bulk_changes (owner_id, id)",
        "CREATE INDEX bulk_changes_started ON bulk_changes (started_at)",
        """CREATE TABLE bulk_items (bulk_id {id} NOT NULL REFERENCES bulk_changes (id) ON DELETE CASCADE,
            position integer NOT NULL, ticket_id {id} NOT NULL REFERENCES tickets (id), outcome text, code text,
            reasons {json}, undo_id {id}, delivery_ids {json}, PRIMARY KEY (bulk_id, position))""",
        "CREATE INDEX bulk_items_waiting ON bulk_items (bulk_id, position) WHERE outcome IS NULL",
        "CREATE INDEX bulk_items_outcome ON bulk_items (bulk_id, outcome, position)",
        "CREATE INDEX bulk_items_ticket ON bulk_items (ticket_id)",
    ]
