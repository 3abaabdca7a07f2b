"""Read why: the decisions of a ticket's life cycle, and what runs by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from models.kernel import database
from models.kernel.batch import from_json
from models.sla.clocks import Clock
from models.ticket_workflow import sla_clocks as sla


def decisions(ticket_id: UUID, *, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """What every rule made of every event, in order, after a decision's id."""
    rows = database.run(
        "SELECT id, event, at, workflow, workflow_version, state, causation_id, first_sequence, last_sequence, looks FROM decisions"
        " WHERE ticket_id = :ticket AND id > :after ORDER BY id LIMIT :limit",
        ticket=ticket_id,
        after=after or UUID(int=0),
        limit=limit,
    )
    for row in rows:
        row["at"], row["looks"] = database.instant(row["at"]), from_json(row["looks"])
    return rows


def timers(ticket_id: UUID) -> list[tuple[str, datetime]]:
    """The timers that run, by when they are due."""
    prefix = f"ticket:{ticket_id}:"
    rows = database.run(
        "SELECT name, due_at FROM timers WHERE name >= :prefix AND name < :beyond ORDER BY due_at, name",
        prefix=prefix,
        beyond=prefix + "\U0010ffff",
    )
    found = []
    for row in rows:
        due_at = database.instant(row["due_at"])
        assert due_at is not None, "the column is NOT NULL"
        found.append((row["name"].removeprefix(prefix), due_at))
    return found


def promises(ticket_id: UUID) -> list[Clock]:
    """The SLA clocks, by target."""
    return [clock for _, clock in sorted(sla.of_ticket(ticket_id).items())]
