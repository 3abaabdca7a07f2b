"""Remember acts and undo them. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from models.events.commands import Actor
from models.kernel import clock
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import for_update
from models.undo import limits
from models.undo.row_types import UndoRow
from models.undo.tables import Undo


class UndoExpired(Conflict):
    """The time for the undo is over."""

    code = "undo_expired"


class AlreadyUndone(Conflict):
    """The act was undone already."""

    code = "already_undone"


class UndoRefused(Conflict):
    """The present state does not allow the undo."""

    code = "undo_refused"


def remember(
    kind: str,
    act: JsonObject,
    *,
    actor: Actor,
    ticket_id: UUID | None,
    other_ticket_id: UUID | None = None,
    group_id: UUID | None = None,
) -> UUID:
    """Store the values that restore the state before an act; return the id of the undo.

    `kind` is a key of `restorers.MODULES`. The other parameters: see `tables.Undo`.
    """
    undo_id, now = new_id(), clock.now()
    Undo.insert(
        id=undo_id,
        kind=kind,
        ticket_id=ticket_id,
        other_ticket_id=other_ticket_id,
        group_id=group_id,
        act=act,
        actor_kind=actor.kind,
        actor_id=actor.id,
        created_at=now,
        expires_at=now + timedelta(seconds=limits.undo_s),
        kept=[],
    ).execute()
    return undo_id


def get(undo_id: UUID) -> UndoRow:
    """Return an undo. Raises NotFound."""
    for row in database.rows_as(UndoRow, Undo.select().where(Undo.id == undo_id)):
        return row
    raise NotFound(f"there is no undo {undo_id}")


def open_of_ticket(ticket_id: UUID) -> list[UndoRow]:
    """Return the acts on a ticket that can be undone now, newest first."""
    about = (Undo.ticket_id == ticket_id) | (Undo.other_ticket_id == ticket_id)
    query = Undo.select().where(about, Undo.undone_at.is_null(), Undo.expires_at > clock.now())
    return database.rows_as(UndoRow, query.order_by(Undo.id.desc()).limit(limits.undos_shown_max))


def hold(undo_id: UUID) -> UndoRow:
    """Lock an undo that is possible now. Raises NotFound, UndoExpired, AlreadyUndone."""
    for row in database.rows_as(UndoRow, for_update(Undo.select().where(Undo.id == undo_id))):
        if row["undone_at"] is not None:
            raise AlreadyUndone(f"The act was undone already, at {clock.rfc3339(row['undone_at'])}.")
        if row["expires_at"] <= clock.now():
            raise UndoExpired(f"The act could be undone until {clock.rfc3339(row['expires_at'])}.")
        return row
    raise NotFound(f"there is no undo {undo_id}")


def close(undo_id: UUID, *, actor: Actor, kept: Sequence[str]) -> None:
    """Record that an act was undone, and the values that the undo did not restore."""
    done = {Undo.undone_at: clock.now(), Undo.undone_by: actor.id, Undo.kept: list(kept)}
    Undo.update(done).where(Undo.id == undo_id).execute()
