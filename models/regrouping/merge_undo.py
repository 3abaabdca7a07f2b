"""The undo of a merge: both tickets become as they were, and the values that came after the merge stay in the target.

Commands join the caller's transaction.
"""

from __future__ import annotations

from uuid import UUID

from models.conversations.tables import Conversation, Message
from models.deliveries.tables import Delivery
from models.events.commands import Actor
from models.events.sorting_payloads import TicketMergeUndone
from models.identity.rules import Permission
from models.kernel.open_json import JsonObject
from models.regrouping import carried, carried_work, link_moves, merging, moved_messages, standstill
from models.ticket_actions.sorting import snoozing
from models.ticket_workflow import links
from models.ticket_workflow.people_acts import explain
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.undo.commands import UndoRefused
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow


def _run(undo: UndoRow, actor: Actor) -> list[str]:
    source_id, target_id, act = undo["ticket_id"], undo["other_ticket_id"], undo["act"]
    assert source_id is not None, "a merge has two tickets"
    assert target_id is not None, "a merge has two tickets"
    ids = [UUID(one) for one in act["messages"]]
    # The order of a merge: the lock of all merges, chats, deliveries, tickets.
    links.lock_circles()
    moved_messages.lock_chats(Conversation.id.in_(act["chats"]))
    moved_messages.lock_deliveries(Delivery.message_id.in_(ids))
    # The merged ticket before its target, which is also the order of a message that is forwarded.
    source = TicketChange.of_exactly(source_id, actor=actor)
    target = TicketChange.of_exactly(target_id, actor=actor)
    _check(source.ticket, target.ticket, ids)
    later = target.ticket.message_count - len(ids)
    moved_messages.move(target, source, ids)
    kept = _restore_target(source, target, act)
    _restore_source(source, act)
    for change, other in ((source, target), (target, source)):
        number = other.ticket.number
        change.record(
            TicketMergeUndone(ticket_id=other.ticket.id, number=number, message_ids=ids, messages_in=source_id)
        )
        explain(change, "merge_undone", f"the request of {actor.kind}; the other ticket is #{number}")
    source.save()
    target.save()
    if later and _has_later(target_id, undo):
        kept.append(f"Messages that came after the merge stay in ticket #{target.ticket.number}.")
    return kept


def _check(source: Ticket, target: Ticket, ids: list[UUID]) -> None:
    if source.merged_into != target.id:
        raise UndoRefused(f"Ticket #{source.number} is not merged into #{target.number} any more.")
    if target.merged_into is not None:
        raise UndoRefused(f"Ticket #{target.number} was itself merged into another ticket; undo that merge first.")
    if set(ids) - set(moved_messages.ids_of(target.id)):
        raise UndoRefused(f"Messages of the merge left ticket #{target.number} meanwhile; undo that first.")
    if source.binned_at is not None:
        raise UndoRefused(f"Ticket #{source.number} is in the bin; restore it first.")


def _restore_target(source: TicketChange, target: TicketChange, act: JsonObject) -> list[str]:
    """Take from the target the values that the merge gave it; return sentences about those that stay."""
    carried.return_chats(source.ticket.id, target.ticket.id, act["chats"])
    carried.remove_tags(target, act["tags"])
    carried.remove_followers(target, act["followers"])
    carried.remove_participants(target, act["participants"])
    link_moves.take_back(act["links"])
    # An undo of the release before has none of both.
    carried_work.return_drafts(source.ticket.id, target.ticket.id, act.get("drafts", []))
    carried_work.return_time(source, target, act.get("time_entries", []))
    number = target.ticket.number
    promises = carried.return_promises(target, act["promises"])
    kept = [f"The promise {name} of ticket #{number} changed since the merge and stays." for name in promises]
    before, after = (Ticket.converted(act["target"][side]) for side in ("before", "after"))
    for group in (("first_response_at",), tuple(name for name in before if name.startswith("contact_"))):
        if all(before[name] == after[name] for name in group):
            continue
        if all(getattr(target.ticket, name) == after[name] for name in group):
            for name in group:
                setattr(target.ticket, name, before[name])
        else:
            kept.append(f"{group[-1]} of ticket #{number} changed since the merge and stays.")
    return kept


def _restore_source(source: TicketChange, act: JsonObject) -> None:
    """Give the source its state, its machinery and its snooze back. Timers whose instant has passed fire now."""
    ticket, before = source.ticket, Ticket.converted(act["source"])
    ticket.merged_into = None
    merging.move(source, before["state"], before["category"], transition="undo")
    for name in ("closed_at", "solved_at", "state_since"):
        setattr(ticket, name, before[name])
    standstill.start_again(source, act["stopped"])
    if act["was_snoozed"]:
        snoozing.put(source, before["snoozed_until"], before["snooze_note"])


def _has_later(target_id: UUID, undo: UndoRow) -> bool:
    later = Message.select().where(Message.ticket_id == target_id, Message.created_at > undo["created_at"])
    return bool(later.exists())


RESTORER = Restorer(Permission.tickets_merge, _run, other_ticket="from")
