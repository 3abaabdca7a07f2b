"""Undo of a deletion, of a mark as spam, and of a restoration."""

from __future__ import annotations

from typing import Final

from models.events.commands import Actor
from models.identity.rules import Permission
from models.ticket_actions.sorting import binning
from models.tickets import queries
from models.undo import commands as undos
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow


def _restore(undo: UndoRow, actor: Actor) -> list[str]:
    """Put the ticket where it was. Raises UndoRefused if it moved in or out of the bin since."""
    ticket_id = undo["ticket_id"]
    assert ticket_id is not None, "an undo of this kind is about a ticket"
    before, after = undo["act"]["bin"]
    if queries.lock(ticket_id).binned_as != after:
        raise undos.UndoRefused("the ticket went into the bin or came back since")
    if before is None:
        binning.restore(ticket_id, actor=actor)
    elif before == "spam":
        binning.mark_spam(ticket_id, note=None, actor=actor)
    else:
        binning.delete(ticket_id, note=None, actor=actor)
    return []


RESTORER: Final = Restorer(Permission.tickets_delete, _restore)
