"""The bin: deleted tickets and spam, until they are restored or purged. Commands join the caller's transaction.

A ticket in the bin is in no list and no search, people and programs cannot act on it, and its life cycle rests: events
that it would react to wait for its return. A message of the requester restores a deleted ticket. The senders of spam
are quarantined, so nothing of theirs restores it; their other correspondents open new tickets.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from models.conversations import unsent
from models.events.commands import Actor
from models.events.ticket_payloads import TicketDeleted, TicketRestored
from models.kernel.storage import database
from models.requesters import spam
from models.tasks.payloads import AdvanceTicket
from models.ticket_actions.sorting import snoozing
from models.ticket_actions.sorting.tables import TicketBin
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.tickets import bin as bin_
from models.tickets import merged
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange


def delete(ticket_id: UUID, *, note: str | None, actor: Actor) -> Ticket:
    """Put a ticket into the bin. Its scheduled messages are discarded. A deleted ticket stays as it is."""
    return _put(ticket_id, "deleted", note, actor)


def mark_spam(ticket_id: UUID, *, note: str | None, actor: Actor) -> Ticket:
    """Put a ticket into the bin as spam, and quarantine later messages of its requester by the same channel.

    Its messages that have not left are discarded. A ticket that was deleted becomes spam.
    """
    return _put(ticket_id, "spam", note, actor)


def _put(ticket_id: UUID, kind: Literal["deleted", "spam"], note: str | None, actor: Actor) -> Ticket:
    change = TicketChange.of_exactly(ticket_id, actor=actor)
    ticket = change.ticket
    if ticket.binned_as == "purged":
        raise bin_.TicketPurged()
    if ticket.merged_into is not None:
        raise merged.refusal(ticket)
    if ticket.binned_as == kind:
        return ticket
    snoozing.end(change, by="person")
    ticket.binned_at, ticket.binned_as = change.at, kind
    database.execute(
        "INSERT INTO ticket_bin (ticket_id, note, waiting) VALUES (:ticket, :note, :none)"
        " ON CONFLICT (ticket_id) DO UPDATE SET note = excluded.note",
        ticket=ticket.id,
        note=note,
        none="[]",
    )
    unsent.discard(ticket.id, ["scheduled", "pending"] if kind == "spam" else ["scheduled"])
    if kind == "spam" and ticket.requester_id is not None:
        spam.mark(ticket.requester_id, ticket.contact_channel or ticket.channel, ticket.id)
    change.record(TicketDeleted(kind=kind, note=note))
    return change.save()


def restore(ticket_id: UUID, *, actor: Actor) -> Ticket:
    """Take a ticket out of the bin. The sender of spam is no longer quarantined. Raises TicketPurged."""
    change = TicketChange.of_exactly(ticket_id, actor=actor)
    return change.save() if put_back(change, by="person") else change.ticket


def put_back(change: TicketChange, *, by: Literal["person", "message"]) -> bool:
    """Take the ticket out of the bin in the caller's change; return False if it is not in the bin."""
    ticket = change.ticket
    if ticket.binned_at is None:
        return False
    if ticket.binned_as == "purged":
        raise bin_.TicketPurged()
    ticket.binned_at = ticket.binned_as = None
    row = database.one("SELECT waiting FROM ticket_bin WHERE ticket_id = :id FOR_UPDATE", id=ticket.id)
    for payload in TicketBin.converted(row)["waiting"] if row is not None else ():
        change.enqueue(msgspec.convert(payload, AdvanceTicket), key=ticket_key(ticket.id))
    TicketBin.delete().where(TicketBin.ticket_id == ticket.id).execute()
    spam.unmark(ticket.id)
    change.record(TicketRestored(by=by))
    return True


def put_off(ticket: Ticket, payload: AdvanceTicket) -> bool:
    """Keep an event of the life cycle for the return of a ticket; return False if the ticket is not in the bin.

    The life cycle of a purged ticket is over, so its events are dropped.
    """
    if ticket.binned_at is None:
        return False
    row = database.one("SELECT waiting FROM ticket_bin WHERE ticket_id = :id FOR_UPDATE", id=ticket.id)
    if row is not None:
        waiting = [*TicketBin.converted(row)["waiting"], msgspec.to_builtins(payload)]
        TicketBin.update(waiting=waiting).where(TicketBin.ticket_id == ticket.id).execute()
    return True
