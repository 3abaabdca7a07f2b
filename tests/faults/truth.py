"""What the database says, read beside the desk with a connection of our own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import psycopg2

Rows = list[dict[str, Any]]
_LIVE = "(SELECT count(*) FROM tasks WHERE state = 'leased' OR (state = 'ready' AND kind <> 'release_message'))"
_END_ON_SQLITE = "(SELECT COALESCE(max(log_position), 0) FROM events)"
_END_ON_POSTGRES = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM log_position)"


class Truth:
    """Reads a desk's database: `?` stands for a parameter on both engines."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def rows(self, statement: str, *parameters: object) -> Rows:
        """The rows of one statement."""
        if self.url.startswith("sqlite:///"):
            path = self.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=15)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement, parameters)]
        with closing(psycopg2.connect(self.url)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement.replace("%", "%%").replace("?", "%s"), parameters)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, statement: str, *parameters: object) -> Any:
        """The first value of the first row."""
        return next(iter(self.rows(statement, *parameters)[0].values()))

    def live_tasks(self) -> int:
        """Tasks that are due now or running: not those that wait for a later day."""
        return int(self.one(f"SELECT {_LIVE}"))

    def work_left(self) -> int:
        """Live tasks, and consumers that have not read the event log to its end: each gets a task within a second.

        Both at one moment, because the end of a task can put a consumer behind.
        """
        end = _END_ON_SQLITE if self.url.startswith("sqlite:///") else _END_ON_POSTGRES
        behind = f"(SELECT count(*) FROM log_positions WHERE number < {end} OR unnumbered_id IS NOT NULL)"
        return int(self.one(f"SELECT {_LIVE} + {behind}"))

    def attempts(self, text: str) -> Rows:
        """Every attempt at the deliveries of the message whose body is `text`, in order."""
        return self.rows(
            "SELECT a.number, a.state, a.outcome, a.detail, a.possibly_duplicate, d.state AS delivery_state FROM"
            " delivery_attempts AS a"
            " JOIN deliveries AS d ON d.id = a.delivery_id JOIN messages AS m ON m.id = d.message_id WHERE m.body = ?"
            " ORDER BY a.number",
            text,
        )

    def delivery(self, text: str) -> dict[str, Any] | None:
        """The delivery of the message whose body is `text`."""
        found = self.rows(
            "SELECT d.* FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id WHERE m.body = ?", text
        )
        assert len(found) <= 1, f"{len(found)} deliveries of {text!r}"
        return found[0] if found else None
