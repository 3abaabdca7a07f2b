"""The merge of a ticket into another one.

The messages of the source move to the target. The source becomes closed and forwards: a later mail, chat message or API
reply to it joins the target. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.conversations.tables import Conversation
from models.deliveries.tables import Delivery
from models.events.commands import Actor
from models.events.sorting_payloads import TicketMerged, TicketMergeReceived
from models.events.ticket_payloads import TicketStateChanged
from models.kernel.open_json import JsonObject
from models.publishing import workflows
from models.regrouping import carried, carried_work, limits, link_moves, moved_messages, standstill
from models.regrouping.errors import ConfirmationNeeded, MergeRefused
from models.ticket_actions.sorting import snoozing
from models.ticket_workflow import links
from models.ticket_workflow.people_acts import explain
from models.tickets import merged
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undo
from models.visibility.sight import Sight

KIND = "merge"
# Columns of a ticket that the undo restores.
SOURCE_COLUMNS = ("state", "category", "closed_at", "solved_at", "state_since", "snoozed_until", "snooze_note")
TARGET_COLUMNS = (
    "first_response_at",
    "contact_channel",
    "contact_account",
    "contact_address",
    "contact_grade",
)


def merge(
    source_id: UUID,
    target_id: UUID,
    *,
    actor: Actor,
    sight: Sight,
    confirmed: bool = False,
    expected_version: int | None = None,
) -> UUID:
    """Merge a ticket into another one; return the id of the undo. The caller has checked that the actor sees both.

    `sight`: the tickets that the actor sees; a link that would close a circle over them stays with the source.

    Raises MergeRefused with the reason, TicketMerged, ConfirmationNeeded for tickets of two requesters or life cycles
    without `confirmed`, and PreconditionFailed when the source is not at `expected_version` any more.
    """
    if source_id == target_id:
        raise MergeRefused("A ticket cannot be merged into itself.")
    links.lock_circles()
    source, target = hold(source_id, target_id, actor)
    source.expect_version(expected_version)
    _check(source.ticket, target.ticket, confirmed=confirmed)
    ids = moved_messages.ids_of(source_id)
    if len(ids) > limits.messages_moved_max:
        raise MergeRefused(f"Expected at most {limits.messages_moved_max} messages to move, found {len(ids)}.")
    before = _columns(source.ticket, SOURCE_COLUMNS), _columns(target.ticket, TARGET_COLUMNS)
    was_snoozed = snoozing.end(source, by="person")
    act: JsonObject = {
        "messages": [str(one) for one in ids],
        "chats": carried.move_chats(source_id, target_id),
        "tags": carried.add_tags(source, target),
        "followers": carried.add_followers(source, target),
        "participants": carried.add_participants(source, target),
        "links": link_moves.move(source_id, target_id, sight),
        "drafts": carried_work.move_drafts(source_id, target.ticket),
        "time_entries": carried_work.move_time(source, target),
        "promises": carried.keep_promises(source, target),
        "stopped": standstill.stop(source, target),
        "was_snoozed": was_snoozed,
    }
    moved_messages.move(source, target, ids)
    _take_contact(source.ticket, target.ticket)
    close(source, target.ticket)
    act |= {"source": before[0], "target": {"before": before[1], "after": _columns(target.ticket, TARGET_COLUMNS)}}
    _record(source, target, ids, [one["target"] for one in act["promises"]])
    source.save()
    target.save()
    audit.record(AuditAction.tickets_merged, "ticket", source_id, after={"into": target_id, "messages": len(ids)})
    return undo.remember(KIND, act, actor=actor, ticket_id=source_id, other_ticket_id=target_id)


def hold(source_id: UUID, target_id: UUID, actor: Actor) -> tuple[TicketChange, TicketChange]:
    """Lock both tickets in the order of their ids, so that two merges at once cannot deadlock."""
    moved_messages.lock_chats(Conversation.ticket_id == source_id)
    moved_messages.lock_deliveries(Delivery.ticket_id == source_id)
    held = {one: TicketChange.of_exactly(one, actor=actor) for one in sorted((source_id, target_id))}
    return held[source_id], held[target_id]


def _check(source: Ticket, target: Ticket, *, confirmed: bool) -> None:
    if source.merged_into is not None:
        raise merged.refusal(source)
    if target.merged_into is not None:
        living = merged.target_of(target)
        raise MergeRefused(f"Ticket #{target.number} was merged into #{living.number}; merge into that one.")
    if target.category == "closed":
        raise MergeRefused(f"Ticket #{target.number} is closed; reopen it first, if its life cycle allows.")
    for ticket in (source, target):
        if ticket.binned_at is not None:
            raise MergeRefused(f"Ticket #{ticket.number} is in the bin; restore it first.")
    if confirmed:
        return
    if source.requester_id != target.requester_id:
        raise ConfirmationNeeded(
            "The tickets have two requesters. The requester of the merged ticket will take part in the other one."
            " Send `confirm: true`."
        )
    if source.workflow != target.workflow:
        raise ConfirmationNeeded(
            f"The tickets have two life cycles. Promises of {source.workflow} end, and {target.workflow} decides from"
            " now on. Send `confirm: true`."
        )


def _columns(ticket: Ticket, names: tuple[str, ...]) -> JsonObject:
    return {name: getattr(ticket, name) for name in names}


def _take_contact(source: Ticket, target: Ticket) -> None:
    """Give the target the contact of the source if it has none, and the first response if it came earlier."""
    answered = [one for one in (source.first_response_at, target.first_response_at) if one is not None]
    target.first_response_at = min(answered, default=None)
    if target.contact_address is None and source.requester_id == target.requester_id:
        for name in ("contact_channel", "contact_account", "contact_address", "contact_grade"):
            setattr(target, name, getattr(source, name))


def close(source: TicketChange, target: Ticket) -> None:
    """Close the source without a transition of its life cycle: no rule runs, and nothing is sent."""
    ticket = source.ticket
    ticket.merged_into = target.id
    if ticket.category == "closed":
        return
    states = workflows.of_version(ticket.workflow, ticket.workflow_version).definition.states
    closed = next((name for name, state in states.items() if state.category == "closed"), ticket.state)
    move(source, closed, "closed", transition=KIND)
    ticket.closed_at = source.at


def move(change: TicketChange, state: str, category: str, *, transition: str) -> None:
    """Put a ticket into a state at a person's request, without its life cycle."""
    ticket = change.ticket
    if state != ticket.state:
        moved: Mapping[str, Any] = {"comment": None, "condition": None}
        change.record(
            TicketStateChanged(from_=ticket.state, to=state, transition=transition, event=transition, **moved)
        )
    ticket.state, ticket.category, ticket.state_since = state, category, change.at


def _record(source: TicketChange, target: TicketChange, ids: list[UUID], promises: list[str]) -> None:
    number = target.ticket.number
    source.record(TicketMerged(ticket_id=target.ticket.id, number=number, message_ids=ids))
    number = source.ticket.number
    target.record(TicketMergeReceived(ticket_id=source.ticket.id, number=number, message_ids=ids, promises=promises))
    for change, other in ((source, target), (target, source)):
        explain(change, KIND, f"the request of {change.actor.kind}; the other ticket is #{other.ticket.number}")
