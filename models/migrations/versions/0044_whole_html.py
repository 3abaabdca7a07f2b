"""The HTML of a mail without any cut is stored beside the shown one."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # A table of its own: lists of messages read every column of `messages`, and quotes are long.
        """CREATE TABLE message_whole_html (message_id {id} PRIMARY KEY REFERENCES messages (id), html text NOT NULL,
        html_remote text, blocked_remote integer NOT NULL DEFAULT 0)""",
    ]
