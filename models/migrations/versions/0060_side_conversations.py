"""Side conversations of tickets with third parties, and the notes that are their messages."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # The ticket of a side conversation is that of its first message, so a merge or a split moves it.
        """CREATE TABLE side_conversations (id {id} PRIMARY KEY,
            first_message_id {id} NOT NULL REFERENCES messages (id),
            channel text NOT NULL, account text NOT NULL, address text NOT NULL, name text NOT NULL,
            subject text NOT NULL, reply_token text NOT NULL UNIQUE,
            started_kind text NOT NULL, started_id {id}, started_name text NOT NULL,
            created_at {instant} NOT NULL, last_answer_at {instant})""",
        "CREATE INDEX side_conversations_message ON side_conversations (first_message_id)",
        "CREATE INDEX side_conversations_address ON side_conversations (channel, address)",
        """CREATE TABLE side_messages (message_id {id} PRIMARY KEY REFERENCES messages (id),
            side_id {id} NOT NULL REFERENCES side_conversations (id), is_answer boolean NOT NULL)""",
        "CREATE INDEX side_messages_side ON side_messages (side_id)",
    ]
