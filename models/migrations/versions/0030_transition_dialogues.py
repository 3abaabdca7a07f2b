"""Dialogues in chats that ask for the input of a transition, one question at a time."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # One dialogue of a person in a chat. `address`: where the questions go; `conversation_address`: the chat's row.
        """CREATE TABLE transition_dialogues (id {id} PRIMARY KEY, channel text NOT NULL, account text NOT NULL,
            address text NOT NULL, conversation_address text NOT NULL, author_address text NOT NULL,
            ticket_id {id} NOT NULL REFERENCES tickets (id), actor_kind text NOT NULL, actor_id text NOT NULL,
            actor_name text NOT NULL, role text NOT NULL, transition text NOT NULL, given {json} NOT NULL,
            asked text NOT NULL, step integer NOT NULL, shown_in text, created_at {instant} NOT NULL,
            expires_at {instant} NOT NULL, UNIQUE (channel, account, address, author_address))""",
        "CREATE INDEX transition_dialogues_expires ON transition_dialogues (expires_at)",
        "CREATE INDEX transition_dialogues_ticket ON transition_dialogues (ticket_id)",
        # The end of the time in which the chat's next text may answer a question; NULL: nothing was asked.
        "ALTER TABLE conversations ADD COLUMN asked_until {instant}",
    ]
