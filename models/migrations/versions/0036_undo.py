"""Acts that can be undone for an hour, and the columns of merged tickets and moved messages."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE undos (id {id} PRIMARY KEY, kind text NOT NULL, ticket_id {id} REFERENCES tickets (id),
        other_ticket_id {id} REFERENCES tickets (id), group_id {id}, act {json} NOT NULL, actor_kind text NOT NULL,
        actor_id text, created_at {instant} NOT NULL, expires_at {instant} NOT NULL, undone_at {instant},
        undone_by text, kept {json} NOT NULL)""",
        "CREATE INDEX undos_ticket ON undos (ticket_id, expires_at)",
        "CREATE INDEX undos_other_ticket ON undos (other_ticket_id, expires_at) WHERE other_ticket_id IS NOT NULL",
        "CREATE INDEX undos_group ON undos (group_id, id) WHERE group_id IS NOT NULL",
        "CREATE INDEX undos_expiry ON undos (expires_at)",
        # The ticket that a closed ticket was merged into, and the ticket in which a moved message was written.
        "ALTER TABLE tickets ADD COLUMN merged_into {id} REFERENCES tickets (id)",
        "CREATE INDEX tickets_merged_into ON tickets (merged_into) WHERE merged_into IS NOT NULL",
        "ALTER TABLE messages ADD COLUMN moved_from {id} REFERENCES tickets (id)",
        "CREATE INDEX messages_moved_from ON messages (moved_from) WHERE moved_from IS NOT NULL",
        # The logs of earlier tickets of a message keep the events about it.
        """CREATE TABLE message_moves (message_id {id} NOT NULL REFERENCES messages (id),
        ticket_id {id} NOT NULL REFERENCES tickets (id), moved_at {instant} NOT NULL,
        PRIMARY KEY (message_id, ticket_id))""",
        "CREATE INDEX message_moves_ticket ON message_moves (ticket_id)",
    ]
