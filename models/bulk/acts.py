"""The acts that a bulk change can take on each ticket.

An area adds an act by an entry of `ACTS`, and its form to the gateway's body
(`functions/gateway/sorting/bulk_acts.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from models.identity.rules import Permission, Principal
from models.kernel.errors import Conflict
from models.kernel.open_json import JsonObject
from models.macros import applying
from models.macros import commands as macros
from models.macros.applying import Applicant
from models.saved_replies.reach import Reach
from models.ticket_actions import commands
from models.ticket_actions.sorting import binning, snoozing
from models.ticket_actions.tagging import TagEdit


class TransitionRefused(Conflict):
    """The life cycle refuses the transition."""

    code = "transition_refused"


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of act.

    `needs`: the permission that its caller needs when it runs. `run(ticket_id, arguments, caller)` joins the caller's
    transaction and raises a NestorError for a refusal. `undoable`: its effect can be taken back.
    """

    needs: Permission
    run: Callable[[UUID, JsonObject, Principal], object]
    undoable: bool = True


def _change(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    changes = dict(arguments)
    if isinstance(edit := changes.get("tags"), Mapping):
        changes["tags"] = TagEdit(edit["add"], edit["remove"])
    commands.update(ticket_id, changes, expected_version=None, actor=caller.actor, role=caller.role)


def _transition(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    _, reasons = commands.transition(
        ticket_id,
        arguments["transition"],
        fields=arguments.get("fields"),
        comment=arguments.get("comment"),
        role=caller.role,
        actor=caller.actor,
        confirmed=bool(arguments.get("confirm")),
    )
    if reasons:
        raise TransitionRefused("; ".join(reasons))


def _assign(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    assignee = arguments["assignee_id"]
    commands.assign(ticket_id, None if assignee is None else UUID(assignee), actor=caller.actor)


def _snooze(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    until = arguments.get("until")
    wish = snoozing.Snooze(
        until=None if until is None else datetime.fromisoformat(until),
        distance=arguments.get("distance"),
        note=arguments.get("note"),
    )
    snoozing.snooze(ticket_id, wish, actor=caller.actor)


def _wake(ticket_id: UUID, arguments: Mapping[str, Any], caller: Principal) -> None:
    snoozing.wake(ticket_id, actor=caller.actor)


def _delete(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    binning.delete(ticket_id, note=arguments.get("note"), actor=caller.actor)


def _mark_spam(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    binning.mark_spam(ticket_id, note=arguments.get("note"), actor=caller.actor)


def _restore(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    binning.restore(ticket_id, actor=caller.actor)


def _apply_macro(ticket_id: UUID, arguments: JsonObject, caller: Principal) -> None:
    macro = macros.get(UUID(arguments["macro_id"]), Reach.of(caller))
    applying.apply(ticket_id, macro, Applicant(caller.actor, str(caller.role), caller.permissions))


ACTS: Final[dict[str, Act]] = {
    "change": Act(Permission.tickets_write, _change),
    "transition": Act(Permission.tickets_write, _transition, undoable=False),
    "assignment": Act(Permission.tickets_assign, _assign),
    "snooze": Act(Permission.tickets_write, _snooze),
    "wake": Act(Permission.tickets_write, _wake),
    "deletion": Act(Permission.tickets_delete, _delete),
    "spam": Act(Permission.tickets_delete, _mark_spam),
    "macro": Act(Permission.tickets_write, _apply_macro, undoable=False),
    "restoration": Act(Permission.tickets_delete, _restore),
}
