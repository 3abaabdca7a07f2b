"""/v1/tickets/{ticket}/deletion, /spam and /purge: the bin."""

from __future__ import annotations

import msgspec

from functions.gateway.sights import ticket_of
from functions.gateway.ticket.tickets import represented
from functions.http.operations import Answer, Call, Operations
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.privacy import purging
from models.ticket_actions.sorting import binning, undoing

operations = Operations()


class BinNote(msgspec.Struct, forbid_unknown_fields=True):
    """The reason, which the history shows."""

    note: Comment | None = None


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/deletion",
    summary="Delete a ticket",
    needs=Permission.tickets_delete,
    body=BinNote,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def delete_ticket(call: Call[BinNote]) -> Answer:
    """Puts the ticket into the bin: it is in no list and no search, and its life cycle rests.

    Its scheduled messages are discarded. A message of the requester restores it. Its content is purged after
    `BIN_DAYS`.
    """
    ticket, note, actor = ticket_of(call), call.body.note, call.caller.actor
    return represented(call, undoing.undoable(lambda: binning.delete(ticket.id, note=note, actor=actor), actor=actor))


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/deletion",
    summary="Restore a ticket",
    needs=Permission.tickets_delete,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def restore_ticket(call: Call) -> Answer:
    """Takes the ticket out of the bin; its life cycle catches up. Also a ticket that was marked as spam. Idempotent."""
    ticket, actor = ticket_of(call), call.caller.actor
    return represented(call, undoing.undoable(lambda: binning.restore(ticket.id, actor=actor), actor=actor))


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/spam",
    summary="Mark a ticket as spam",
    needs=Permission.tickets_delete,
    body=BinNote,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def mark_spam(call: Call[BinNote]) -> Answer:
    """Puts the ticket into the bin, discards its messages that have not left, and quarantines later messages of its
    requester by the same channel.
    """
    ticket, note, actor = ticket_of(call), call.body.note, call.caller.actor
    return represented(
        call, undoing.undoable(lambda: binning.mark_spam(ticket.id, note=note, actor=actor), actor=actor)
    )


@operations.add(
    "DELETE",
    "/v1/tickets/{ticket}/spam",
    summary="Unmark a ticket as spam",
    needs=Permission.tickets_delete,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def unmark_spam(call: Call) -> Answer:
    """Restores the ticket and accepts messages of its requester again. Idempotent."""
    return restore_ticket(call)


@operations.add(
    "POST",
    "/v1/tickets/{ticket}/purge",
    summary="Purge a ticket",
    needs=Permission.tickets_purge,
    answers={200: show.Ticket},
    problems=(404, 409),
)
def purge_ticket(call: Call) -> Answer:
    """Removes the content of a ticket in the bin for good: messages, files, addresses, fields. Its number, state and
    dates stay, so that reports still count it.
    """
    return represented(call, purging.purge(ticket_of(call).id, actor=call.caller.actor))
