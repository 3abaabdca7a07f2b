"""The machinery of a ticket that a merge stops: timers, waiting reactions, promises and pending approvals.

The record holds the rows as they were, so the undo lets each run on to its own instant. Commands join the caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.sla import clocks
from models.tasks import commands as tasks
from models.tasks import payloads
from models.tasks.payloads import AdvanceTicket, Undecodable
from models.tasks.tables import Task, Timer
from models.ticket_workflow import sla_clocks
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.ticket_workflow.tables import Approval, SlaClock
from models.tickets.ticket_change import TicketChange

# Reactions to rows of the ticket itself. Other reactions go to the target (models/ticket_actions/commands.py, advance).
_OWN = frozenset({"timer", "sla", "approval_expired"})


def stop(source: TicketChange, target: TicketChange) -> JsonObject:
    """Stop the machinery of the source; its unread messages are read by the target's life cycle."""
    return {
        "timers": _stop_timers(source.ticket.id),
        "tasks": _stop_tasks(source, target),
        "promises": _stop_promises(source),
        "approvals": _withdraw_approvals(source),
    }


def start_again(source: TicketChange, record: JsonObject) -> None:
    """Start what a merge stopped. A timer whose instant has passed fires now."""
    if record["timers"]:
        Timer.insert_many([Timer.converted(row) for row in record["timers"]]).on_conflict_ignore().execute()
    for task_id, queue in record["tasks"]:
        again = Task.update(state="ready", finished_at=None).where(Task.id == task_id, Task.state == "discarded")
        if again.execute():
            tasks.wake_after_commit(task_id, queue)
    for stored in record["promises"]:
        clock = sla_clocks.read(stored)
        row = sla_clocks.columns(clock)
        mine = (SlaClock.ticket_id == source.ticket.id) & (SlaClock.target == clock.target)
        SlaClock.update({name: value for name, value in row.items() if name != "target"}).where(mine).execute()
    source.ticket.next_due_at = sla_clocks.next_due_at(sla_clocks.of_ticket(source.ticket.id))
    waits = {"state": "pending", "decided_at": None}
    Approval.update(waits).where(Approval.id.in_(record["approvals"]), Approval.state == "withdrawn").execute()


def _stop_timers(ticket_id: UUID) -> list[JsonObject]:
    prefix = f"{ticket_key(ticket_id)}:"
    mine = (Timer.name >= prefix) & (Timer.name < prefix + "\U0010ffff")
    found = database.rows(Timer.select().where(mine).order_by(Timer.name))
    Timer.delete().where(mine).execute()
    return found


def _stop_tasks(source: TicketChange, target: TicketChange) -> list[list[Any]]:
    """Discard the waiting reactions of the source, and give those that concern the target to it.

    A reaction that a worker runs at this moment waits for the ticket's row, and then goes to the target by itself.
    """
    key = ticket_key(source.ticket.id)
    waiting = (Task.key == key) & (Task.kind == "advance_ticket") & (Task.state == "ready")
    found = database.rows(Task.select(Task.id, Task.queue, Task.payload).where(waiting).order_by(Task.id))
    own = []
    for row in found:
        payload = payloads.decoded(AdvanceTicket, row["payload"] | {"ticket_id": str(target.ticket.id)})
        ended = Task.update(state="discarded", finished_at=source.at)
        # A task that cannot be read stays, so that its failure is seen.
        if isinstance(payload, Undecodable) or not ended.where(Task.id == row["id"], Task.state == "ready").execute():
            continue
        if payload.event in _OWN:
            own.append([row["id"], row["queue"]])
        else:
            target.enqueue(payload, key=ticket_key(target.ticket.id))
    return own


def _stop_promises(source: TicketChange) -> list[JsonObject]:
    found = []
    for clock in sla_clocks.of_ticket(source.ticket.id).values():
        if clock.state not in ("running", "paused"):
            continue
        found.append(sla_clocks.columns(clock)["clock"])
        row = sla_clocks.columns(clocks.cancel(clock))
        mine = (SlaClock.ticket_id == source.ticket.id) & (SlaClock.target == clock.target)
        SlaClock.update({name: value for name, value in row.items() if name != "target"}).where(mine).execute()
    source.ticket.next_due_at = None
    return found


def _withdraw_approvals(source: TicketChange) -> list[str]:
    waiting = (Approval.ticket_id == source.ticket.id) & (Approval.state == "pending")
    ids = [str(row["id"]) for row in database.rows(Approval.select(Approval.id).where(waiting))]
    Approval.update(state="withdrawn", decided_at=source.at).where(waiting).execute()
    return ids


def drop_reactions(source: TicketChange, message_ids: Sequence[UUID]) -> None:
    """Discard the waiting reactions to messages that leave the ticket; their new ticket reacts to them."""
    waiting = (Task.key == ticket_key(source.ticket.id)) & (Task.kind == "advance_ticket") & (Task.state == "ready")
    left = {str(one) for one in message_ids}
    for row in database.rows(Task.select(Task.id, Task.payload).where(waiting)):
        if row["payload"].get("message_id") in left:
            ended = Task.update(state="discarded", finished_at=source.at)
            ended.where(Task.id == row["id"], Task.state == "ready").execute()
