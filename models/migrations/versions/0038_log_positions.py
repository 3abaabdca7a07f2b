"""Numbers events in the order in which they are written, and stores how far each consumer has read the log."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # Events from before this migration have no number. A default of the new column would rewrite the table.
        "ALTER TABLE events ADD COLUMN log_position bigint",
        *(_POSTGRES if dialect.postgres else _SQLITE),
        "CREATE INDEX events_log_position ON events (log_position)",
        "CREATE INDEX events_unnumbered ON events (event_id) WHERE log_position IS NULL",
        # `unnumbered_id`: the last event read of those without a number; NULL when all of them are read.
        """CREATE TABLE log_positions (name text PRIMARY KEY, number bigint NOT NULL, unnumbered_id {id},
            moved_at {instant} NOT NULL)""",
    ]


_POSTGRES = [
    "CREATE SEQUENCE log_position OWNED BY events.log_position",
    "ALTER TABLE events ALTER COLUMN log_position SET DEFAULT nextval('log_position')",
]
_SQLITE = [
    "INSERT INTO counters (name, value) VALUES ('log_position', 0)",
    """CREATE TRIGGER events_log_position AFTER INSERT ON events WHEN NEW.log_position IS NULL BEGIN
        UPDATE counters SET value = value + 1 WHERE name = 'log_position';
        UPDATE events SET log_position = (SELECT value FROM counters WHERE name = 'log_position')
            WHERE event_id = NEW.event_id;
        END""",
]
