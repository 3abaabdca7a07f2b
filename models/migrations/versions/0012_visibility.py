"""Teams whose tickets only members see, followers of tickets, former types of a ticket, and editors of messages."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # everyone, or members: then the team's tickets are hidden from other agents.
        "ALTER TABLE teams ADD COLUMN visibility text NOT NULL DEFAULT 'everyone'",
        # People of other teams who see a ticket: they follow it, or a note mentions them (`reason`).
        """CREATE TABLE ticket_followers (ticket_id {id} NOT NULL REFERENCES tickets (id),
            user_id {id} NOT NULL REFERENCES users (id), reason text NOT NULL, created_at {instant} NOT NULL,
            PRIMARY KEY (ticket_id, user_id))""",
        "CREATE INDEX ticket_followers_user ON ticket_followers (user_id)",
        # The types that the ticket had before. Their models still guard its fields.
        "ALTER TABLE tickets ADD COLUMN former_types {json} NOT NULL DEFAULT '[]'",
        # Kind, id and name of the person who edited or deleted the message last.
        "ALTER TABLE messages ADD COLUMN edited_by {json}",
        # Finds the tickets with a fee or a reward, for accountants.
        """CREATE INDEX events_paid ON events (aggregate_id)
            WHERE event_type IN ('fee_charged', 'reward_granted')""",
    ]
