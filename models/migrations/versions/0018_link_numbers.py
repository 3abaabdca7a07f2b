"""Deep links are confirmed by a number where they were made, and an agent's connection ends with the agent's access.

`asked_channel` and `asked_address`: the chat in which the link was opened. `access_mark`: the password and role of the
agent when the link was made; NULL for the connections of earlier releases.
"""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE requester_links ADD COLUMN asked_channel text",
        "ALTER TABLE requester_links ADD COLUMN tries_left integer NOT NULL DEFAULT 5",
        "ALTER TABLE user_links ADD COLUMN asked_channel text",
        "ALTER TABLE user_links ADD COLUMN asked_address text",
        "ALTER TABLE user_links ADD COLUMN tries_left integer NOT NULL DEFAULT 5",
        "ALTER TABLE user_links ADD COLUMN access_mark text",
        "ALTER TABLE user_addresses ADD COLUMN access_mark text",
    ]
