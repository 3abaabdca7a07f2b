"""/v1/undos: acts that can be undone for an hour."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of, ticket_of
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from models.identity.rules import Permission
from models.undo import commands, restorers
from models.undo.row_types import UndoRow
from models.visibility import seen, sight
from models.visibility.sight import Sight

operations = Operations()


class Undo(msgspec.Struct):
    """An act that can be undone until `expires_at`. `kept`: sentences about the values that the undo did not restore,
    because they changed after the act. A sentence about a field that the caller may not see is withheld.
    """

    id: UUID
    kind: str
    ticket_id: UUID | None
    other_ticket_id: UUID | None
    actor_kind: str
    actor_id: str | None
    created_at: datetime
    expires_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    kept: list[str]


class Undos(msgspec.Struct):
    """Acts that can be undone, newest first."""

    items: list[Undo]


def _undo_of(call: AnyCall) -> UndoRow:
    """Return the undo of the path. Raises NotFound, also if the caller does not see both tickets."""
    undo = commands.get(pages.id_of(call.params["undo"], "undo"))
    for ticket_id in (undo["ticket_id"], undo["other_ticket_id"]):
        sight.require(sight_of(call), ticket_id, "undo", undo["id"])
    return undo


def shown(undo: UndoRow, caller: Sight) -> Undo:
    """Return the representation of an undo, without the values that it restores and without hidden fields."""
    found: Undo = show.copied(Undo, undo)
    found.kept = seen.texts(found.kept, _tickets(undo), caller.role)
    return found


def _tickets(undo: UndoRow) -> set[UUID]:
    return {one for one in (undo["ticket_id"], undo["other_ticket_id"]) if one is not None}


@operations.add(
    "GET",
    "/v1/tickets/{ticket}/undos",
    summary="List the acts on a ticket that can be undone",
    needs=Permission.tickets_read,
    answers={200: Undos},
    problems=(404,),
)
def list_undos(call: Call) -> Answer:
    """Newest first. An act on two tickets is listed if the caller sees both."""
    found = commands.open_of_ticket(ticket_of(call).id)
    visible = sight.visible_ids(sight_of(call), {one for undo in found for one in _tickets(undo)})
    items = [shown(undo, sight_of(call)) for undo in found if _tickets(undo) <= visible]
    return Answer(Undos(items))


@operations.add(
    "GET",
    "/v1/undos/{undo}",
    summary="Get an act that can be undone",
    needs=Permission.tickets_read,
    answers={200: Undo},
    problems=(404,),
)
def read_undo(call: Call) -> Answer:
    """Also an act that was undone, and for a day one whose time is over."""
    return Answer(shown(_undo_of(call), sight_of(call)))


@operations.add(
    "POST",
    "/v1/undos/{undo}",
    summary="Undo an act",
    needs=Permission.tickets_write,
    answers={200: Undo},
    problems=(403, 404, 409),
)
def restore(call: Call) -> Answer:
    """Restores the values that the act changed, and names in `kept` those that changed again since then.

    The caller needs the permission of the act. Answers 409 `undo_expired` after `expires_at`, `already_undone`, and
    `undo_refused` with the reason if the present state does not allow the undo.
    """
    undo = _undo_of(call)
    caller = call.caller
    try:
        undone = restorers.restore(undo["id"], actor=caller.actor, permissions=caller.permissions)
    except commands.UndoRefused as refused:
        [reason] = seen.texts([refused.message], _tickets(undo), sight_of(call).role)
        raise commands.UndoRefused(reason) from refused
    return Answer(shown(undone, sight_of(call)))
