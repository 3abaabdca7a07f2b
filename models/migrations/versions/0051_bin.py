"""The bin: why a ticket is in it, what waits for its return, and the addresses that spam came from."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        """CREATE TABLE ticket_bin (ticket_id {id} PRIMARY KEY REFERENCES tickets (id), note text,
            waiting {json} NOT NULL)""",
        # A column and not a table: the statement that looks for blocked addresses reads it as well.
        "ALTER TABLE identities ADD COLUMN spam_ticket_id {id}",
        "CREATE INDEX identities_spam ON identities (spam_ticket_id) WHERE spam_ticket_id IS NOT NULL",
    ]
