"""Events that killed the workers of a consumer of the log are parked, and the consumer goes on behind them."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # The event that a careful step has begun and not ended, and how often.
        "ALTER TABLE log_positions ADD COLUMN tried_id {id}",
        "ALTER TABLE log_positions ADD COLUMN tries integer NOT NULL DEFAULT 0",
        """CREATE TABLE parked_log_events (consumer text NOT NULL, event_id {id} NOT NULL, parked_at {instant} NOT NULL,
            PRIMARY KEY (consumer, event_id))""",
    ]
