"""The undo of a split: all messages of the new ticket go back, and the new ticket is closed as merged into the first.

Commands join the caller's transaction.
"""

from __future__ import annotations

from uuid import UUID

from models.events.commands import Actor
from models.events.sorting_payloads import TicketSplitUndone
from models.identity import principals
from models.identity.rules import Permission
from models.regrouping import carried, carried_work, link_moves, merging, moved_messages, splitting, standstill
from models.ticket_workflow import links
from models.ticket_workflow.people_acts import explain
from models.ticket_workflow.tables import TicketLink
from models.tickets.tables import Ticket
from models.undo.commands import UndoRefused
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow
from models.visibility.sight import Sight


def _run(undo: UndoRow, actor: Actor) -> list[str]:
    made_id, source_id, act = undo["ticket_id"], undo["other_ticket_id"], undo["act"]
    assert made_id is not None, "a split has two tickets"
    assert source_id is not None, "a split has two tickets"
    caller = principals.find(actor)
    if caller is None:
        raise UndoRefused("its caller may not act any more")
    links.lock_circles()
    made, source = merging.hold(made_id, source_id, actor)
    ids = moved_messages.ids_of(made_id)
    _check(made.ticket, source.ticket, {UUID(one) for one in act["messages"]} - set(ids))
    later = len(ids) - len(act["messages"])
    carried.move_chats(made_id, source_id)
    carried_work.move_drafts(made_id, source.ticket)
    carried_work.move_time(made, source)
    if later:
        carried.keep_promises(made, source)
    standstill.stop(made, source)
    moved_messages.move(made, source, ids)
    TicketLink.delete().where(
        TicketLink.from_id == made_id, TicketLink.to_id == source_id, TicketLink.kind == splitting.LINK
    ).execute()
    link_moves.move(made_id, source_id, Sight.of(caller))
    merging.close(made, source.ticket)
    for change, other in ((made, source), (source, made)):
        number = other.ticket.number
        change.record(
            TicketSplitUndone(ticket_id=other.ticket.id, number=number, message_ids=ids, messages_in=source_id)
        )
        explain(change, "split_undone", f"the request of {actor.kind}; the other ticket is #{number}")
    made.save()
    source.save()
    return [f"Messages that came after the split are now in ticket #{source.ticket.number}."] if later else []


def _check(made: Ticket, source: Ticket, gone: set[UUID]) -> None:
    for ticket in (made, source):
        if ticket.merged_into is not None:
            raise UndoRefused(f"Ticket #{ticket.number} was merged into another ticket; undo that first.")
        if ticket.binned_at is not None:
            raise UndoRefused(f"Ticket #{ticket.number} is in the bin; restore it first.")
    if gone:
        raise UndoRefused(f"Messages of the split left ticket #{made.number} meanwhile; undo that first.")


RESTORER = Restorer(Permission.tickets_merge, _run, other_ticket="into")
