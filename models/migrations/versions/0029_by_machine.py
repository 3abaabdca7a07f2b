"""Messages that a machine wrote, apart from those that the desk must not answer automatically."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE messages ADD COLUMN by_machine {bool} NOT NULL DEFAULT {false}",
        # Earlier programs took the author of every automatic message for a machine.
        "UPDATE messages SET by_machine = {true} WHERE automatic IS NOT NULL",
    ]
