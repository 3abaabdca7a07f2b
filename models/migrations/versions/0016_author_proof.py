"""The author's proof at tickets and participants.

A ticket keeps the grade of the author who opened it and the grade of its contact address; both are NULL where the
channel itself identifies its people. A participant of a mail without proof is confirmed by an agent; the participants
of earlier releases are confirmed.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE tickets ADD COLUMN author_grade text",
        "ALTER TABLE tickets ADD COLUMN contact_grade text",
        "ALTER TABLE ticket_participants ADD COLUMN confirmed_at {instant}",
        "UPDATE ticket_participants SET confirmed_at = added_at",
    ]
