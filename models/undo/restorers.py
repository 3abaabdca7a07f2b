"""The kinds of acts that can be undone, and the modules that restore the state before them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.commands import Actor
from models.identity.rules import Permission
from models.kernel.errors import Forbidden
from models.undo import commands
from models.undo.row_types import UndoRow


@dataclass(frozen=True, slots=True)
class Restorer:
    """Restores the state before one kind of act.

    `run(undo, actor)` joins the caller's transaction, writes the events, and returns a sentence for each value that it
    did not restore because the value changed after the act. It raises `commands.UndoRefused` with the reason if nothing
    can be restored. `needs`: the permission of the act, which an undo needs as well. `needs_also(undo)`: the
    permissions of the parts of an act that can have several. `other_ticket`: the name of the second ticket in the
    audit entry of the undo.
    """

    needs: Permission
    run: Callable[[UndoRow, Actor], list[str]]
    needs_also: Callable[[UndoRow], Collection[Permission]] = lambda undo: ()
    other_ticket: str | None = None


# Kind of act -> the module that declares its `RESTORER`. The modules are on higher floors, so strings name them.
MODULES: Final[Mapping[str, str]] = {
    "merge": "models.regrouping.merge_undo",
    "ticket_bin": "models.ticket_actions.sorting.bin_undo",
    "ticket_change": "models.ticket_actions.sorting.undoing",
    "requester": "models.regrouping.requester_change",
    "split": "models.regrouping.split_undo",
}


def of_kind(kind: str) -> Restorer:
    """Return the restorer of a kind of act."""
    restorer: Restorer = importlib.import_module(MODULES[kind]).RESTORER
    return restorer


def restore(undo_id: UUID, *, actor: Actor, permissions: Collection[Permission]) -> UndoRow:
    """Undo an act, record it in the audit log, and return its record.

    Raises NotFound, UndoExpired, AlreadyUndone, UndoRefused, and Forbidden unless the actor's `permissions` have those
    of the act. The caller has checked that the actor sees the tickets.
    """
    undo = commands.hold(undo_id)
    restorer = of_kind(undo["kind"])
    for needed in (restorer.needs, *restorer.needs_also(undo)):
        if needed not in permissions:
            raise Forbidden(f"The undo needs the permission {needed} of the act.")
    kept = restorer.run(undo, actor)
    commands.close(undo_id, actor=actor, kept=kept)
    other = {} if restorer.other_ticket is None else {restorer.other_ticket: undo["other_ticket_id"]}
    audit.record(AuditAction.act_undone, "ticket", undo["ticket_id"], after={"kind": undo["kind"], **other})
    return commands.get(undo_id)
