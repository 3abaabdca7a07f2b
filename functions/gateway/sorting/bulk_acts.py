"""The forms of the acts of a bulk change (models/bulk/acts.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from functions.gateway.sorting.snoozes import SnoozeWanted, wish_of
from functions.gateway.ticket.tickets import TicketChanges, bounded, changes_of
from functions.views.texts import Comment, Word
from models.bulk import limits
from models.kernel.clock import rfc3339
from models.kernel.open_json import JsonObject
from models.ticket_actions.tagging import TagEdit


class ChangeAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="change"):
    """Change properties of the tickets. Prefer `tags` with `add` and `remove`: a whole list replaces all tags."""

    changes: TicketChanges


class TransitionAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="transition"):
    """Take a transition. `confirm`: required for a transition whose `confirm` asks a person first."""

    transition: Word
    fields: JsonObject = {}
    comment: Comment | None = None
    confirm: bool = False


class AssignmentAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="assignment"):
    """Assign the tickets; null removes the assignment."""

    assignee_id: UUID | None


class SnoozeAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="snooze"):
    """Snooze the tickets."""

    snooze: SnoozeWanted


class WakeAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="wake"):
    """End the snooze of the tickets."""


class DeletionAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="deletion"):
    """Put the tickets into the bin."""

    note: Comment | None = None


class SpamAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="spam"):
    """Mark the tickets as spam, and quarantine later messages of their requesters."""

    note: Comment | None = None


class MacroApplication(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="macro"):
    """Apply a macro that the caller sees."""

    macro_id: UUID


class RestorationAct(msgspec.Struct, forbid_unknown_fields=True, tag_field="act", tag="restoration"):
    """Take the tickets out of the bin."""


ActWanted: TypeAlias = (
    ChangeAct
    | TransitionAct
    | AssignmentAct
    | SnoozeAct
    | WakeAct
    | DeletionAct
    | SpamAct
    | RestorationAct
    | MacroApplication
)
Acts = Annotated[list[ActWanted], msgspec.Meta(min_length=1, max_length=limits.acts_max)]


def stored(acts: Sequence[ActWanted]) -> list[JsonObject]:
    """Return the acts in their stored form. Raises Invalid."""
    return [{"act": type(act).__struct_config__.tag, "arguments": _arguments(act)} for act in acts]


def _arguments(act: ActWanted) -> JsonObject:
    match act:
        case ChangeAct():
            changes = changes_of(act.changes)
            if isinstance(edit := changes.get("tags"), TagEdit):
                changes["tags"] = {"add": list(edit.add), "remove": list(edit.remove)}
            return changes
        case TransitionAct():
            bounded(act.fields)
            return {
                "transition": act.transition,
                "fields": act.fields,
                "comment": act.comment,
                "confirm": act.confirm,
            }
        case AssignmentAct():
            return {"assignee_id": None if act.assignee_id is None else str(act.assignee_id)}
        case SnoozeAct():
            wish = wish_of(act.snooze)
            until = None if wish.until is None else rfc3339(wish.until)
            return {"until": until, "distance": wish.distance, "note": wish.note}
        case DeletionAct() | SpamAct():
            return {"note": act.note}
        case MacroApplication():
            return {"macro_id": str(act.macro_id)}
        case WakeAct() | RestorationAct():
            return {}
