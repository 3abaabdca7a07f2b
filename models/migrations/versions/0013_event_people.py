"""The index of whose an inbound event is: the address of its author, and further people of a report.

Existing events get the author of their message. Other existing events get theirs by `python -m scripts.privacy index`.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE inbox ADD COLUMN author_address text",
        """UPDATE inbox SET author_address = (SELECT COALESCE(
            (SELECT i.address FROM identities AS i WHERE i.requester_id = m.author_id AND i.channel = m.channel
                AND i.address = m.details ->> 'from'),
            (SELECT min(i.address) FROM identities AS i WHERE i.requester_id = m.author_id AND i.channel = m.channel))
            FROM messages AS m WHERE m.id = inbox.message_id AND m.author_kind = 'requester')
            WHERE message_id IS NOT NULL""",
        "CREATE INDEX inbox_author ON inbox (channel, author_address)",
        """CREATE TABLE inbox_people (inbox_id {id} NOT NULL REFERENCES inbox (id), channel text NOT NULL,
            address text NOT NULL, PRIMARY KEY (inbox_id, address))""",
        "CREATE INDEX inbox_people_address ON inbox_people (channel, address)",
    ]
