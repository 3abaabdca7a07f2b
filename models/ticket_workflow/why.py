"""Reads the explanation of a ticket: the decisions of its workflow, its running timers and its promises."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.kernel.storage import database
from models.sla.clocks import Clock
from models.tasks.tables import Timer
from models.ticket_workflow import sla_clocks as sla
from models.ticket_workflow.row_types import DecisionRow
from models.ticket_workflow.tables import Decision


def decisions(ticket_id: UUID, *, after: UUID | None, limit: int) -> list[DecisionRow]:
    """List the decisions after the id `after`, oldest first, each with the traces of its rules."""
    query = Decision.select().where(Decision.ticket_id == ticket_id)
    if after is not None:
        query = query.where(Decision.id > after)
    return database.rows_as(DecisionRow, query.order_by(Decision.id).limit(limit))


def last_decisions(ticket_id: UUID, *, limit: int) -> list[DecisionRow]:
    """List the last decisions, newest first, each with the traces of its rules."""
    query = Decision.select().where(Decision.ticket_id == ticket_id).order_by(Decision.id.desc()).limit(limit)
    return database.rows_as(DecisionRow, query)


def timers(ticket_id: UUID) -> list[tuple[str, datetime]]:
    """List the running timers with their due instants, the next one first."""
    prefix = f"ticket:{ticket_id}:"
    query = Timer.select(Timer.name, Timer.due_at).where(Timer.name >= prefix, Timer.name < prefix + "\U0010ffff")
    rows = database.rows(query.order_by(Timer.due_at, Timer.name))
    return [(row["name"].removeprefix(prefix), row["due_at"]) for row in rows]


def promises(ticket_id: UUID) -> list[Clock]:
    """List the SLA clocks by target."""
    return [clock for _, clock in sorted(sla.of_ticket(ticket_id).items())]
