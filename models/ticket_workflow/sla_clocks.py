"""The clocks of tickets as rows: due instants that a list sorts by, and timers that go off at a warning and at a
breach.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from models.kernel import type_info
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import as_json
from models.sla.clocks import Clock
from models.tasks import timers
from models.tasks.payloads import AdvanceTicket
from models.ticket_workflow.tables import SlaClock

if TYPE_CHECKING:
    from models.tickets.ticket_change import TicketChange


type_info.declare(Clock)


def of_ticket(ticket_id: UUID) -> dict[str, Clock]:
    """Return the clocks of a ticket by target."""
    rows = database.run("SELECT target, clock FROM sla_clocks WHERE ticket_id = :id", id=ticket_id)
    return {row["target"]: read(row["clock"]) for row in map(SlaClock.converted, rows)}


def read(stored: JsonObject) -> Clock:
    return msgspec.convert(stored, Clock)


def columns(clock: Clock) -> database.Row:
    """A clock's row without its ticket."""
    return {
        "target": clock.target,
        "policy": clock.policy,
        "state": clock.state,
        "due_at": clock.due_at,
        "warn_at": clock.warn_at,
        "breached_at": clock.breached_at,
        "met_at": clock.met_at,
        "clock": msgspec.to_builtins(clock),
    }


def next_due_at(clocks: Mapping[str, Clock]) -> datetime | None:
    """Return the earliest due instant of the clocks that run."""
    return min((clock.due_at for clock in clocks.values() if clock.due_at is not None), default=None)


def put(change: TicketChange, target: str, clock: Clock, *, timer_key: str) -> None:
    """Write a clock and set or stop its timer. Joins the caller's transaction."""
    ticket_id = change.ticket.id
    row: database.Row = {"ticket_id": ticket_id} | columns(clock)
    if change.is_new:
        _put_of_new_ticket(change, row)
    else:
        row["clock"] = as_json(row["clock"])
        names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in row if name not in ("ticket_id", "target"))
        database.execute(
            f"INSERT INTO sla_clocks ({names}) VALUES ({places}) ON CONFLICT (ticket_id, target) DO UPDATE SET"
            f" {changes}",
            row,
        )
    put_timer(ticket_id, target, clock, timer_key=timer_key)


def _put_of_new_ticket(change: TicketChange, row: database.Row) -> None:
    """Add the row to the change, or replace the row of the same target that an earlier step of the change added."""
    for table, known in change.batch.rows():
        if table == "sla_clocks" and known["target"] == row["target"]:
            known.update(row | {"clock": as_json(row["clock"])})
            return
    change.batch.insert("sla_clocks", row)


def put_timer(ticket_id: UUID, target: str, clock: Clock, *, timer_key: str) -> None:
    """Set the timer of a clock: at the warning if it is still ahead, else at the breach; none while the clock is
    paused.
    """
    name = f"ticket:{ticket_id}:sla:{target}"
    next_at = None
    if clock.state == "running" and clock.breached_at is None:
        next_at = clock.warn_at if clock.warn_at is not None and clock.warned_at is None else clock.due_at
    if next_at is None:
        timers.stop(name)
        return
    payload = AdvanceTicket(ticket_id=ticket_id, event="sla", target=target)
    timers.put(name, payload, due_at=next_at, key=timer_key)
