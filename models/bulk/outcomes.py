"""Run the acts of a bulk change on one ticket, and judge the outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import peewee

from models.bulk.acts import ACTS
from models.identity.rules import Principal
from models.kernel.errors import Forbidden, Invalid, NestorError
from models.kernel.open_json import JsonObject
from models.kernel.storage.savepoint import RollBack, savepoint
from models.ticket_actions.sorting import undoing
from models.tickets import surroundings
from models.tickets.surroundings import Surroundings
from models.undo import restorers
from models.undo.commands import UndoExpired

CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
REFUSED: Final = "refused"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
_log = logging.getLogger("nestor.bulk")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one ticket. `differences`: the values that changed, for a preview."""

    outcome: str
    code: str | None = None
    reasons: tuple[str, ...] = ()
    undo_id: UUID | None = None
    delivery_ids: tuple[UUID, ...] = ()
    differences: JsonObject = field(default_factory=dict)


def run_acts(
    ticket_id: UUID, acts: Sequence[JsonObject], caller: Principal, around: Surroundings, *, group_id: UUID | None
) -> Outcome:
    """Take all acts on a ticket, or none. `group_id`: the bulk change, for the undo; None: a preview, rolled back."""
    outcome = Outcome(UNCHANGED)

    def work() -> None:
        nonlocal outcome
        for act in acts:
            kind = ACTS[act["act"]]
            if kind.needs not in caller.permissions:
                raise Forbidden(f"the act {act['act']} needs the permission {kind.needs}")
            kind.run(ticket_id, act["arguments"], caller)
        outcome = _outcome(ticket_id, acts, caller, around, group_id)
        if group_id is None:
            raise RollBack

    return guarded(ticket_id, around, work) or outcome


def guarded(ticket_id: UUID, around: Surroundings, work: Callable[[], None]) -> Outcome | None:
    """Run `work` in a savepoint and return its refusal or failure, or None."""
    try:
        with savepoint(), surroundings.within(around):
            work()
    except NestorError as refused:
        if refused.http_status >= 500:
            raise
        problems = refused.problems if isinstance(refused, Invalid) else ()
        reasons = tuple(f"{one.path}: {one.message}" if one.path else one.message for one in problems)
        return Outcome(REFUSED, refused.code, reasons or (refused.message,))
    except peewee.OperationalError:
        raise  # the database is in trouble, not the ticket
    except Exception as error:  # noqa: BLE001 -- logged, and the ticket's outcome
        # One ticket with a fault must not stop the other tickets of the change. The log has the stack.
        _log.exception("bulk_item_failed", extra={"ticket_id": str(ticket_id)})
        return Outcome(FAILED, "failed", (f"unexpected error: {type(error).__name__}",))
    return None


def run_undo(undo_id: UUID | None, caller: Principal, ticket_id: UUID, around: Surroundings) -> Outcome:
    """Undo the act on one ticket of an earlier bulk change. `undo_id`: None for an undo that was deleted after its time
    while the bulk undo stood still.
    """
    if undo_id is None:
        return Outcome(REFUSED, UndoExpired.code, ("The time for the undo is over.",))
    kept: list[str] = []

    def work() -> None:
        undo = restorers.restore(undo_id, actor=caller.actor, permissions=caller.permissions)
        kept.extend(undo["kept"])

    return guarded(ticket_id, around, work) or Outcome(CHANGED, reasons=tuple(kept))


def _outcome(
    ticket_id: UUID, acts: Sequence[JsonObject], caller: Principal, around: Surroundings, group_id: UUID | None
) -> Outcome:
    if ticket_id not in around.rows:
        return Outcome(UNCHANGED)
    before, after = around.rows[ticket_id]
    found = undoing.differences(before, after)
    if before["state"] != after["state"]:
        found["state"] = [before["state"], after["state"]]
    undo_id = None
    if group_id is not None and all(ACTS[act["act"]].undoable for act in acts):
        undo_id = undoing.remember(around, ticket_id, actor=caller.actor, group_id=group_id)
    return Outcome(CHANGED, undo_id=undo_id, delivery_ids=tuple(around.delivery_ids), differences=found)
